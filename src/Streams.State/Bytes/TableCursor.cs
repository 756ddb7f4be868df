using System.Buffers;

namespace Streams.State.Bytes;

/// <summary>
/// Walks a store in key order, memory over engine. Writes made while it is open are seen where they lie ahead; it never fails because of them.
/// </summary>
/// <remarks>
/// It remembers the key it gave last. When entries came or went since, it seeks its place in memory anew; when the engine's content changed, it takes a new
/// snapshot as well: an entry that was in memory then may by now be in the engine only.
/// </remarks>
internal sealed class TableCursor<T> : IDisposable
{
    private readonly TableStore<T> _store;
    private readonly SerdeBuffer _lower = new(64);
    private readonly SerdeBuffer _upper = new(64);
    private readonly SerdeBuffer _last = new(64);
    private readonly SerdeBuffer _value = new(64);

    private long _earliestTime;
    private bool _hasLower;
    private bool _hasUpper;
    private bool _upperInclusive;
    private bool _reverse;
    private OrderedIndex? _index;
    private OrderedIndex.Position _position;
    private int _candidate;
    private IByteEngineIterator? _below;
    private int _version;
    private int _epoch;
    private bool _started;
    private bool _gave;
    private bool _onEntry;
    private bool _disposed;
    private T _typed = default!;
    private bool _typedRead;

    public TableCursor(TableStore<T> store) => _store = store;

    /// <summary>Goes before the first entry of a range: a cursor may be used for one after the other. In segmented stores, earlier entries are not asked for.</summary>
    public void Start(ReadOnlySpan<byte> lower, bool hasLower, ReadOnlySpan<byte> upper, bool hasUpper, bool upperInclusive, bool reverse, long earliestTime = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        GiveBackBelow();
        _earliestTime = earliestTime;
        _lower.Clear();
        _lower.Write(lower);
        _hasLower = hasLower;
        _upper.Clear();
        _upper.Write(upper);
        _hasUpper = hasUpper;
        _upperInclusive = upperInclusive;
        _reverse = reverse;
        _started = _gave = _onEntry = false;
        _typed = default!;
    }

    /// <summary>Lets go of the engine's iterator and of values; <see cref="Start"/> begins again.</summary>
    public void Rest()
    {
        GiveBackBelow();
        _onEntry = false;
        _started = _gave = false;
        _typed = default!;
    }

    /// <summary>Key of the current entry; valid until the next move.</summary>
    public ReadOnlySpan<byte> Key => _onEntry ? _last.WrittenSpan : throw NotOnEntry();

    /// <summary>Value of the current entry, as of when it was reached.</summary>
    public T Value
    {
        get
        {
            if (!_onEntry) throw NotOnEntry();
            return _typedRead ? _typed : _store.Codec.Read(_value.WrittenSpan);
        }
    }

    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _store.ThrowIfClosed();
        _onEntry = false;
        if (!_started || _epoch != _store.Epoch) SeekBelow();
        if (!_started || _version != _store.Table.Version || _index is null) SeekMemory();
        _started = true;
        while (true)
        {
            var inMemory = _candidate >= 0 && InRange(_store.Table.KeyOf(_candidate));
            var inEngine = _below is { IsValid: true } && InRange(_below.Key);
            if (!inMemory && !inEngine) return false;
            var order = 0;
            if (!inEngine) order = -1;
            else if (!inMemory) order = 1;
            else order = _store.Table.KeyOf(_candidate).SequenceCompareTo(_below!.Key) * (_reverse ? -1 : 1);

            if (order > 0)
            {
                Take(_below!.Key);
                _typedRead = false;
                _value.Write(_below.Value);
                StepBelow();
                return _onEntry = true;
            }

            var id = _candidate;
            if (order == 0) StepBelow();
            StepMemory();
            if (!_store.Has(id)) continue;
            Take(_store.Table.KeyOf(id));
            _typedRead = _store.KeepsTyped;
            if (_typedRead) _typed = _store.Table[id].Typed;
            else _value.Write(_store.Table.ValueOf(id));
            return _onEntry = true;
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        Rest();
        _disposed = true;
    }

    private static InvalidOperationException NotOnEntry() => new("The iterator is not on an entry: call MoveNext first, and only read while it returns true.");

    private void GiveBackBelow()
    {
        if (_below is null) return;
        _store.Return(_below, _epoch);
        _below = null;
    }

    private void Take(ReadOnlySpan<byte> key)
    {
        _last.Clear();
        _last.Write(key);
        _gave = true;
        _value.Clear();
    }

    private bool InRange(ReadOnlySpan<byte> key)
    {
        if (_reverse) return !_hasLower || key.SequenceCompareTo(_lower.WrittenSpan) >= 0;
        if (!_hasUpper) return true;
        var order = key.SequenceCompareTo(_upper.WrittenSpan);
        return _upperInclusive ? order <= 0 : order < 0;
    }

    private void SeekMemory()
    {
        var table = _store.Table;
        _version = table.Version;
        _index = table.Ordered();
        if (_reverse)
        {
            if (_gave) _position = _index.Seek(_last.WrittenSpan, table.AllKeys, after: false);
            else _position = !_hasUpper ? _index.End : _index.Seek(_upper.WrittenSpan, table.AllKeys, after: _upperInclusive);
        }
        else
        {
            if (_gave) _position = _index.Seek(_last.WrittenSpan, table.AllKeys, after: true);
            else _position = !_hasLower ? OrderedIndex.First : _index.Seek(_lower.WrittenSpan, table.AllKeys, after: false);
        }

        StepMemory();
    }

    private void SeekBelow()
    {
        GiveBackBelow();
        _below = _store.IterateEngine(_earliestTime);

        // Taking what was restored into the engine moves the epoch.
        _epoch = _store.Epoch;
        if (_below is null) return;
        if (_gave)
        {
            if (_reverse) _below.SeekForPrevious(_last.WrittenSpan);
            else _below.Seek(_last.WrittenSpan);
            if (_below.IsValid && _below.Key.SequenceEqual(_last.WrittenSpan)) StepBelow();
        }
        else if (_reverse)
        {
            if (!_hasUpper) _below.SeekToLast();
            else _below.SeekForPrevious(_upper.WrittenSpan);
            if (_hasUpper && !_upperInclusive && _below.IsValid && _below.Key.SequenceEqual(_upper.WrittenSpan)) _below.Previous();
        }
        else if (!_hasLower)
        {
            _below.SeekToFirst();
        }
        else
        {
            _below.Seek(_lower.WrittenSpan);
        }
    }

    private void StepMemory()
    {
        if (_reverse)
        {
            _candidate = _index!.Before(ref _position);
            return;
        }

        _candidate = _index!.At(ref _position);
        if (_candidate >= 0) _position = _position with { Index = _position.Index + 1 };
    }

    private void StepBelow()
    {
        if (_reverse) _below!.Previous();
        else _below!.Next();
    }
}
