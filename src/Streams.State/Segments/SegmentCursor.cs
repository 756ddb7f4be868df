using System.Buffers;
using System.Buffers.Binary;
using Streams.State.Bytes;

namespace Streams.State.Segments;

/// <summary>Walks entries segment by segment, in key order within each. Used again and again: a join walks once per record.</summary>
internal sealed class SegmentCursor<T> : EntryCursor<T>, IDisposable
{
    private readonly SegmentedTable<T> _owner;
    private readonly TableCursor<T> _cursor;
    private readonly SerdeBuffer _from = new(64);
    private readonly SerdeBuffer _to = new(64);
    private readonly SerdeBuffer _lower = new(64);
    private readonly SerdeBuffer _upper = new(64);
    private TimeBounds _bounds;
    private bool _reverse;
    private bool _oneKey;
    private bool _hasFrom;
    private bool _hasTo;
    private long _segment;
    private long _lastSegment;
    private bool _inSegment;
    private bool _walking;

    public SegmentCursor(SegmentedTable<T> owner)
    {
        _owner = owner;
        _cursor = new TableCursor<T>(owner.Store);
    }

    public override ReadOnlySpan<byte> Key => _cursor.Key[TableStore<T>.SegmentBytes..];

    public override T Value => _cursor.Value;

    public void Start(TimeBounds bounds, bool reverse)
    {
        _bounds = bounds;
        _reverse = reverse;
        _inSegment = false;
        _walking = true;
        if (bounds.Earliest > bounds.Latest)
        {
            (_segment, _lastSegment) = reverse ? (0, 1) : (1, 0);
            return;
        }

        var (first, last) = ((long)_owner.SegmentOf(bounds.Earliest), (long)_owner.SegmentOf(bounds.Latest));
        (_segment, _lastSegment) = reverse ? (last, first) : (first, last);
    }

    public void OfKey(ReadOnlySpan<byte> key)
    {
        _oneKey = true;
        _from.Clear();
        _from.Write(key);
    }

    public void OfKeys(ReadOnlySpan<byte> from, bool hasFrom, ReadOnlySpan<byte> to, bool hasTo)
    {
        _oneKey = false;
        _hasFrom = hasFrom;
        _hasTo = hasTo;
        _from.Clear();
        _from.Write(from);
        _to.Clear();
        _to.Write(to);

        // Keys the wrong way round have nothing between them; Kafka answers that with nothing, too.
        if (hasFrom && hasTo && from.SequenceCompareTo(to) > 0) (_segment, _lastSegment) = _reverse ? (0, 1) : (1, 0);
    }

    public override bool MoveNext()
    {
        while (true)
        {
            if (!_inSegment)
            {
                if (_reverse ? _segment < _lastSegment : _segment > _lastSegment) return false;
                StartSegment((ulong)_segment);
                _segment += _reverse ? -1 : 1;
                _inSegment = true;
            }

            while (_cursor.MoveNext())
            {
                if (IsWanted(Key)) return true;
            }

            _inSegment = false;
        }
    }

    public override void Return()
    {
        if (!_walking) return;
        _walking = false;
        _cursor.Rest();
        _owner.Return(this);
    }

    public void Dispose() => _cursor.Dispose();

    private void StartSegment(ulong segment)
    {
        _lower.Clear();
        _upper.Clear();
        SegmentedTable<T>.WriteSegment(_lower, segment);
        if (_oneKey)
        {
            _lower.Write(_from.WrittenSpan);
            WriteSuffix(_lower, _bounds.Earliest, 0);
            SegmentedTable<T>.WriteSegment(_upper, segment);
            _upper.Write(_from.WrittenSpan);
            WriteSuffix(_upper, _bounds.Latest, byte.MaxValue);
            _cursor.Start(_lower.WrittenSpan, true, _upper.WrittenSpan, true, upperInclusive: true, _reverse, _bounds.Earliest);
            return;
        }

        if (_hasFrom) _lower.Write(_from.WrittenSpan);
        SegmentedTable<T>.WriteSegment(_upper, _hasTo ? segment : segment + 1);
        if (_hasTo) WriteUpper();
        _cursor.Start(_lower.WrittenSpan, true, _upper.WrittenSpan, true, upperInclusive: _hasTo, _reverse, _bounds.Earliest);
    }

    /// <summary>
    /// Appends the largest stored key of any user key up to the last wanted. That need not be one of the last key itself: of keys that it begins with, the
    /// suffix may compare larger than its own next bytes.
    /// </summary>
    private void WriteUpper()
    {
        var to = _to.WrittenSpan;
        Span<byte> suffix = stackalloc byte[16];
        suffix.Fill(byte.MaxValue);
        BinaryPrimitives.WriteInt64BigEndian(suffix, _bounds.Latest);
        suffix = suffix[.._owner.SuffixBytes];

        // Where the key's next byte is above the suffix' first, the shorter key's entries come before the longer key's: as good as always.
        var length = to.Length;
        for (var shorter = to.Length - 1; shorter >= 0; shorter--)
        {
            if (to[shorter] > suffix[0]) continue;
            if (IsSuffixAfter(suffix, to, shorter, length)) length = shorter;
        }

        _upper.Write(to[..length]);
        _upper.Write(suffix);
    }

    /// <summary>Whether the suffix right after the first bytes of a key is after more of the key and then the suffix.</summary>
    private static bool IsSuffixAfter(ReadOnlySpan<byte> suffix, ReadOnlySpan<byte> key, int shorter, int longer)
    {
        var rest = key[shorter..longer];
        var common = Math.Min(rest.Length, suffix.Length);
        var order = suffix[..common].SequenceCompareTo(rest[..common]);
        if (order != 0) return order > 0;
        return rest.Length < suffix.Length && suffix[common..].SequenceCompareTo(suffix) > 0;
    }

    private void WriteSuffix(SerdeBuffer output, long time, byte fill)
    {
        var suffix = output.GetSpan(_owner.SuffixBytes)[.._owner.SuffixBytes];
        suffix.Fill(fill);
        BinaryPrimitives.WriteInt64BigEndian(suffix, time);
        output.Advance(suffix.Length);
    }

    private bool IsWanted(ReadOnlySpan<byte> key)
    {
        // Between the entries of a key there may be ones of keys that begin like one of its entries; they are longer.
        if (_oneKey && key.Length != _from.WrittenCount + _owner.SuffixBytes) return false;
        var time = _owner.TimeOf(key);
        if (time < _bounds.Earliest || time > _bounds.Latest) return false;
        if (_bounds.LatestStart != long.MaxValue && BinaryPrimitives.ReadInt64BigEndian(key[^sizeof(long)..]) > _bounds.LatestStart) return false;
        if (_oneKey) return true;
        var userKey = key[..^_owner.SuffixBytes];
        return (!_hasFrom || userKey.SequenceCompareTo(_from.WrittenSpan) >= 0) && (!_hasTo || userKey.SequenceCompareTo(_to.WrittenSpan) <= 0);
    }
}
