using System.Buffers;
using System.Buffers.Binary;
using Streams.State.Bytes;

namespace Streams.State.Segments;

/// <summary>
/// A <see cref="TableStore{T}"/> whose entries have a time and are dropped when stream time has left them behind: what window and session stores are made of.
/// </summary>
/// <remarks>
/// <para>
/// Layout of a key: 8 bytes big-endian number of the segment (the entry's time divided by the segment interval), then the key as Kafka Streams' changelog has it:
/// the user's key and a suffix of fixed length that begins with the time. Order is therefore by segment, then key, then time, as in Kafka's RocksDB
/// stores, which have a database per segment; dropping a segment is one range deletion. Kafka's stores in memory are ordered by time, then key.
/// </para>
/// <para>
/// Stream time is the largest time written, also where the write came too late. Too late is, on disk, a write into a segment that is gone, and in memory one of
/// retention or more before stream time; reads hide whatever is that old in both. Source: Kafka's <c>AbstractRocksDBSegmentedBytesStore</c>,
/// <c>AbstractSegments</c> and <c>InMemoryWindowStore</c>.
/// </para>
/// </remarks>
internal sealed class SegmentedTable<T>
{
    private const int IdleCursorsMax = 4;

    private readonly Stack<SegmentCursor<T>> _idleCursors = new();
    private readonly Stack<ChainCursor<T>> _idleChains = new();
    private readonly SerdeBuffer _restoredKey = new();
    private readonly long _retentionMs;
    private readonly long _segmentIntervalMs;
    private readonly bool _onDisk;
    private readonly bool _orderByTime;
    private readonly bool _showsWholeSegments;
    private readonly bool _showsRetentionsEdge;
    private ulong _firstSegment;

    /// <summary>Wraps a table.</summary>
    /// <param name="store">The table, made segmented.</param>
    /// <param name="suffixBytes">Length of what follows the user's key: 12 for windows (time and sequence number), 16 for sessions (end and start).</param>
    /// <param name="retentionMs">How long entries are kept, in milliseconds of stream time.</param>
    /// <param name="segmentIntervalMs">Time that one segment spans, in milliseconds, at least 1.</param>
    /// <param name="onDisk">Whether there is an engine below.</param>
    /// <param name="orderByTime">Whether walks over many keys go by time first.</param>
    /// <param name="showsWholeSegments">Whether some look-ups show entries past retention as long as their segment is there, so that they must be kept.</param>
    /// <param name="showsRetentionsEdge">
    /// Whether reads show what is exactly as old as retention. A window closes at that very time when retention is its size and grace, so a store that is asked for
    /// windows that have closed must. Source: <c>AbstractDualSchemaRocksDBSegmentedBytesStore.getActualFrom</c>.
    /// </param>
    public SegmentedTable(
        TableStore<T> store, int suffixBytes, long retentionMs, long segmentIntervalMs, bool onDisk, bool orderByTime, bool showsWholeSegments = false,
        bool showsRetentionsEdge = false)
    {
        Store = store;
        SuffixBytes = suffixBytes;
        _retentionMs = retentionMs;
        _segmentIntervalMs = segmentIntervalMs;
        _onDisk = onDisk;
        _orderByTime = orderByTime;
        _showsWholeSegments = showsWholeSegments;
        _showsRetentionsEdge = showsRetentionsEdge;

        // Segments that were due when the store was closed are dropped with the first batch.
        Advance(store.StreamTime);
    }

    public TableStore<T> Store { get; }

    public int SuffixBytes { get; }

    /// <summary>The first time that reads show, Unix milliseconds.</summary>
    public long EarliestLive => Math.Max(0, Store.StreamTime - _retentionMs + (_showsRetentionsEdge ? 0 : 1));

    /// <summary>The segment of stream time: no entry is in a later one.</summary>
    public ulong LastSegment { get; private set; }

    public ulong SegmentOf(long time) => (ulong)(time / _segmentIntervalMs);

    /// <summary>Moves stream time on to an entry's time.</summary>
    /// <returns>False when the entry came too late and is to be left out.</returns>
    public bool Observe(long time)
    {
        if (time > Store.StreamTime) Advance(time);
        return _onDisk ? SegmentOf(time) >= _firstSegment : time >= EarliestLive;
    }

    /// <summary>Whether reads show entries of a time.</summary>
    public bool IsVisible(long time) => time >= EarliestLive && time <= Store.StreamTime;

    /// <summary>Appends the segment that a key of a time begins with.</summary>
    public void WriteSegment(SerdeBuffer key, long time) => WriteSegment(key, SegmentOf(time));

    public static void WriteSegment(SerdeBuffer key, ulong segment)
    {
        BinaryPrimitives.WriteUInt64BigEndian(key.GetSpan(sizeof(ulong)), segment);
        key.Advance(sizeof(ulong));
    }

    /// <summary>Time of a key as the changelog has it; refuses one that is too short to have any, or whose time is negative.</summary>
    public long TimeOf(ReadOnlySpan<byte> loggedKey)
    {
        var time = loggedKey.Length < SuffixBytes ? -1 : BinaryPrimitives.ReadInt64BigEndian(loggedKey[^SuffixBytes..]);
        if (time < 0)
            throw new StateStoreException($"Store '{Store.Name}' has a key of {loggedKey.Length} bytes that does not end with {SuffixBytes} bytes of times; it was written by something else.");
        return time;
    }

    /// <summary>Takes a changelog record; expired ones only move stream time.</summary>
    public void Restore(ReadOnlySpan<byte> loggedKey, ReadOnlySpan<byte> value, bool hasValue, long timestamp, long offset)
    {
        var time = TimeOf(loggedKey);
        if (!Observe(time) || time < Store.EarliestKept) return;
        _restoredKey.Clear();
        WriteSegment(_restoredKey, time);
        _restoredKey.Write(loggedKey);
        Store.Restore(_restoredKey.WrittenSpan, value, hasValue, timestamp, offset);
    }

    /// <summary>Walks the entries of one key, by time.</summary>
    public EntryCursor<T> Walk(ReadOnlySpan<byte> key, TimeBounds bounds, bool reverse)
    {
        Store.ThrowIfClosed();
        bounds = Clip(bounds);
        if (Store.IsCompleteFrom(bounds.Earliest))
        {
            var chain = _idleChains.TryPop(out var idle) ? idle : new ChainCursor<T>(this);
            chain.Start(key, bounds, reverse);
            return chain;
        }

        var cursor = Rent();
        cursor.Start(bounds, reverse);
        cursor.OfKey(key);
        return cursor;
    }

    /// <summary>Walks the entries of the keys from one to another, inclusive and open where absent.</summary>
    /// <remarks>Told not to hide what is past retention, it shows the entries whose segment is still on disk; memory has dropped them in any case.</remarks>
    public EntryCursor<T> Walk(
        ReadOnlySpan<byte> fromKey, bool hasFrom, ReadOnlySpan<byte> toKey, bool hasTo, TimeBounds bounds, bool reverse, bool hidesExpired = true)
    {
        Store.ThrowIfClosed();
        var cursor = Rent();
        cursor.Start(hidesExpired || !_onDisk ? Clip(bounds) : ClipToSegments(bounds), reverse && !_orderByTime);
        cursor.OfKeys(fromKey, hasFrom, toKey, hasTo);
        return _orderByTime ? new TimeOrderedCursor<T>(this, cursor, reverse) : cursor;
    }

    public void Return(SegmentCursor<T> cursor)
    {
        if (_idleCursors.Count < IdleCursorsMax) _idleCursors.Push(cursor);
        else cursor.Dispose();
    }

    public void Return(ChainCursor<T> cursor)
    {
        if (_idleChains.Count < IdleCursorsMax) _idleChains.Push(cursor);
    }

    private SegmentCursor<T> Rent() => _idleCursors.TryPop(out var idle) ? idle : new SegmentCursor<T>(this);

    /// <summary>Nothing before the first live time is shown, and there is nothing after stream time: that bounds the segments to look at.</summary>
    private TimeBounds Clip(TimeBounds bounds) =>
        bounds with { Earliest = Math.Max(bounds.Earliest, EarliestLive), Latest = Math.Min(bounds.Latest, Store.StreamTime) };

    private TimeBounds ClipToSegments(TimeBounds bounds) => bounds with
    {
        Earliest = Math.Max(bounds.Earliest, (long)_firstSegment * _segmentIntervalMs),
        Latest = Math.Min(bounds.Latest, Store.StreamTime),
    };

    private void Advance(long time)
    {
        Store.StreamTime = time;
        if (time < 0) return;
        LastSegment = SegmentOf(time);
        var first = SegmentOf(Math.Max(0, time - _retentionMs));
        if (first > _firstSegment)
        {
            _firstSegment = first;
            Store.DropSegmentsBefore(first);
        }

        Store.EarliestKept = _showsWholeSegments ? (long)_firstSegment * _segmentIntervalMs : EarliestLive;
    }
}
