using System.Buffers;
using System.Buffers.Binary;
using Streams.State.Bytes;

namespace Streams.State.Segments;

/// <summary>
/// Walks the entries of one key in memory by time, when memory has all there are. Used again and again: a join walks once per record.
/// </summary>
/// <remarks>Entries that are written while it is open are seen where they lie ahead, deleted ones are not: it finds its place again by the suffix it gave last.</remarks>
internal sealed class ChainCursor<T>(SegmentedTable<T> owner) : EntryCursor<T>
{
    private const int None = -1;

    private readonly SerdeBuffer _userKey = new(64);
    private readonly SerdeBuffer _last = new(64);
    private readonly SerdeBuffer _value = new(64);
    private TimeBounds _bounds;
    private bool _reverse;
    private int _id;
    private int _version;
    private bool _started;
    private bool _gave;
    private bool _onEntry;
    private bool _walking;
    private T _typed = default!;

    public override ReadOnlySpan<byte> Key => _onEntry ? _last.WrittenSpan : throw NotOnEntry();

    public override T Value
    {
        get
        {
            if (!_onEntry) throw NotOnEntry();
            return owner.Store.KeepsTyped ? _typed : owner.Store.Codec.Read(_value.WrittenSpan);
        }
    }

    public void Start(ReadOnlySpan<byte> userKey, TimeBounds bounds, bool reverse)
    {
        _userKey.Clear();
        _userKey.Write(userKey);
        _bounds = bounds;
        _reverse = reverse;
        _started = _gave = _onEntry = false;
        _walking = true;
    }

    public override bool MoveNext()
    {
        var store = owner.Store;
        store.ThrowIfClosed();
        var table = store.Table;
        if (_started && _version == table.Version)
        {
            if (_id == None) return _onEntry = false;
            _id = Step(_id);
        }
        else
        {
            _id = SeekNext(table);
            _version = table.Version;
            _started = true;
        }

        for (; _id != None; _id = Step(_id))
        {
            var time = table.Chains!.TimeOf(_id);
            if (_reverse ? time < _bounds.Earliest : time > _bounds.Latest) break;
            if (!store.Has(_id)) continue;
            var key = table.KeyOf(_id);
            if (_bounds.LatestStart != long.MaxValue && BinaryPrimitives.ReadInt64BigEndian(key[^sizeof(long)..]) > _bounds.LatestStart) continue;
            _last.Clear();
            _last.Write(key[TableStore<T>.SegmentBytes..]);
            _gave = true;

            // As of now: the entry may be deleted while the walk is on it.
            _value.Clear();
            if (store.KeepsTyped) _typed = table[_id].Typed;
            else _value.Write(table.ValueOf(_id));
            return _onEntry = true;
        }

        _id = None;
        return _onEntry = false;
    }

    public override void Return()
    {
        if (!_walking) return;
        _walking = _onEntry = false;
        _typed = default!;
        owner.Return(this);
    }

    private static InvalidOperationException NotOnEntry() => new("The iterator is not on an entry: call MoveNext first, and only read while it returns true.");

    private int Step(int id) => _reverse ? owner.Store.Table.Chains!.Before(id) : owner.Store.Table.Chains!.After(id);

    private int Last() => owner.Store.Table.ChainEnd(_userKey.WrittenSpan, owner.SuffixBytes);

    private int Order(ReadOnlySpan<byte> key) => key[^owner.SuffixBytes..].SequenceCompareTo(_last.WrittenSpan[^owner.SuffixBytes..]);

    /// <summary>The entry after the one given last, or the first of all, found from the key's end: what is asked for is usually recent.</summary>
    private int SeekNext(EntryTable<T> table)
    {
        var after = None;
        var id = Last();
        var chains = table.Chains!;
        while (id != None && IsPast(table, chains, id))
        {
            after = id;
            id = chains.Before(id);
        }

        return _reverse ? id : after;
    }

    /// <summary>Walking back: whether an entry is still behind the place looked for. Walking forward: whether it is one to be given.</summary>
    private bool IsPast(EntryTable<T> table, KeyChains chains, int id)
    {
        if (_gave) return _reverse ? Order(table.KeyOf(id)) >= 0 : Order(table.KeyOf(id)) > 0;
        var time = chains.TimeOf(id);
        return _reverse ? time > _bounds.Latest : time >= _bounds.Earliest;
    }
}
