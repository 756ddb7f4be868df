using System.Buffers;
using System.Runtime.InteropServices;
using Streams.State.Bytes;

namespace Streams.State.Segments;

/// <summary>
/// Gives the entries that another cursor walks over ordered by time, then key: collects their keys at the first move and looks each up when it is reached, so that
/// deleted ones are left out and values are the latest.
/// </summary>
/// <remarks>Holds the wanted keys in memory. Stores are walked over all keys by queries and by emission on close, not per record.</remarks>
internal sealed class TimeOrderedCursor<T>(SegmentedTable<T> owner, SegmentCursor<T> inner, bool reverse) : EntryCursor<T>
{
    private SegmentCursor<T>? _inner = inner;
    private readonly SerdeBuffer _keys = new();
    private readonly SerdeBuffer _stored = new(64);
    private readonly List<Place> _places = [];
    private int _next = -1;
    private T _value = default!;
    private bool _onEntry;

    public override ReadOnlySpan<byte> Key => _onEntry ? _stored.WrittenSpan[TableStore<T>.SegmentBytes..] : throw NotOnEntry();

    public override T Value => _onEntry ? _value : throw NotOnEntry();

    public override bool MoveNext()
    {
        owner.Store.ThrowIfClosed();
        if (_next < 0) Collect();
        while (_next < _places.Count)
        {
            var place = _places[reverse ? _places.Count - 1 - _next : _next];
            _next++;
            _stored.Clear();
            owner.WriteSegment(_stored, place.Time);
            _stored.Write(KeyOf(place));
            var id = owner.Store.Load(_stored.WrittenSpan, out _);
            if (!owner.Store.Has(id)) continue;
            _value = owner.Store.ValueOf(id);
            return _onEntry = true;
        }

        return _onEntry = false;
    }

    public override void Return()
    {
        _onEntry = false;
        _inner?.Return();
        _inner = null;
    }

    private static InvalidOperationException NotOnEntry() => new("The iterator is not on an entry: call MoveNext first, and only read while it returns true.");

    private void Collect()
    {
        _next = 0;
        while (_inner!.MoveNext())
        {
            var key = _inner.Key;
            _places.Add(new Place(owner.TimeOf(key), _keys.WrittenCount, key.Length));
            _keys.Write(key);
        }

        _inner.Return();
        _inner = null;
        CollectionsMarshal.AsSpan(_places).Sort(Compare);
    }

    private int Compare(Place x, Place y)
    {
        if (x.Time != y.Time) return x.Time.CompareTo(y.Time);
        var order = KeyOf(x)[..^owner.SuffixBytes].SequenceCompareTo(KeyOf(y)[..^owner.SuffixBytes]);
        return order != 0 ? order : KeyOf(x).SequenceCompareTo(KeyOf(y));
    }

    private ReadOnlySpan<byte> KeyOf(Place place) => _keys.WrittenSpan.Slice(place.Start, place.Length);

    private readonly record struct Place(long Time, int Start, int Length);
}
