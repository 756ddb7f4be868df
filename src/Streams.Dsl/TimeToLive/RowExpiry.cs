using System.Buffers.Binary;
using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl.TimeToLive;

/// <summary>
/// Deletes the rows of a table whose time to live is over, and says so downstream. Knows them from an index by time, so that nothing is ever searched for among
/// the rows themselves.
/// </summary>
/// <remarks>
/// <para>
/// The index has, for each live row, at least one entry that is due no later than the row: byte 0, the time (8 bytes, big-endian), the row's key. An entry that comes
/// due is a hint, not a verdict: when the row has been written since, the entry moves to the row's new time; when it has gone, the entry goes too. So a write to
/// a row costs the index nothing, except when the row is new, becomes older, or has moved on by a sixteenth of its time to live. That last rule mends
/// the index should a crash under at-least-once processing have kept a row in its changelog but not its entry.
/// </para>
/// <para>
/// By the wall clock a row's own timestamp does not say when it was written, so the index also has that: byte 1, the row's key; value: the time at which it is due.
/// </para>
/// <para>
/// A call expires <see cref="MaxPerRecord"/> or <see cref="MaxPerPunctuation"/> rows at most; what is left waits for the next one, but a row that is due is never given
/// to the operator, nor to joins by event time, even while it waits.
/// </para>
/// </remarks>
internal sealed class RowExpiry<K, V>
{
    /// <summary>How many entries one record may work off before it is processed.</summary>
    public const int MaxPerRecord = 1_000;

    /// <summary>How many entries one punctuation may work off.</summary>
    public const int MaxPerPunctuation = 10_000;

    private const byte ByTime = 0;
    private const byte ByKey = 1;
    private const int MaxCheckMs = 1_000;
    private const int ChecksPerLife = 10;
    private const int EntriesPerLife = 16;
    private static readonly byte[] _nothing = [];

    private readonly TimeToLiveSettings _settings;
    private readonly RowStore<K, V> _rows;
    private readonly IKeyValueStore<byte[], byte[]> _index;
    private readonly ISerde<K> _keySerde;
    private readonly TaskContext _task;
    private readonly Func<long> _wallClock;
    private readonly Expired<K, V> _expired;
    private readonly SerdeBuffer _buffer = new(64);
    private readonly List<byte[]> _due = [];
    private readonly long _entryEveryMs;
    private long _nextDue;

    public RowExpiry(RowLife<K> life, RowStore<K, V> rows, ProcessorContext context, Expired<K, V> expired)
    {
        var settings = life.Settings;
        _settings = settings;
        _rows = rows;
        _keySerde = life.KeySerde;
        _task = context.Task;
        _wallClock = () => context.CurrentSystemTimeMs;
        _expired = expired;
        _entryEveryMs = Math.Max(1, settings.Ms / EntriesPerLife);
        _index = context.GetStateStore<IKeyValueStore<byte[], byte[]>>(TimeToLiveSettings.IndexOf(rows.Store.Name));
        _nextDue = FirstDue();

        // Stream time may move without a record for this operator, and the wall clock without any record.
        var type = IsWallClock ? PunctuationType.WallClockTime : PunctuationType.StreamTime;
        context.Schedule(TimeSpan.FromMilliseconds(Math.Clamp(settings.Ms / ChecksPerLife, 1, MaxCheckMs)), type, _ => Expire(MaxPerPunctuation));
    }

    private bool IsWallClock => _settings.Basis == TtlBasis.WallClockTime;

    private long Now => IsWallClock ? _wallClock() : _task.StreamTime;

    /// <summary>
    /// To be called before a row is looked up: expires what is due, and this row in any case if it is.
    /// </summary>
    public void Before(K key)
    {
        var now = Now;
        Expire(MaxPerRecord);
        if (now < _nextDue) return;

        // More is due than one record works off, and this row may be among it.
        if (_rows.TryGet(key, out var row) && DueTime(key, row.Timestamp) <= now) Remove(key, row);
    }

    /// <summary>Whether a record would make a row that is due already.</summary>
    public bool IsOver(long timestamp) => !IsWallClock && WindowTimes.Add(timestamp, _settings.Ms) <= Now;

    /// <summary>To be called after a row has been written or deleted.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="hadRow">Whether there was one before.</param>
    /// <param name="before">The timestamp that it had.</param>
    /// <param name="hasRow">Whether there is one now.</param>
    /// <param name="timestamp">The timestamp that it has.</param>
    public void After(K key, bool hadRow, long before, bool hasRow, long timestamp)
    {
        if (!hasRow)
        {
            // Its entry by time goes when it comes due.
            if (IsWallClock && hadRow) _index.Delete(KeyEntry(key));
            return;
        }

        long due;
        long dueBefore;
        if (IsWallClock)
        {
            var entry = KeyEntry(key);
            due = WindowTimes.Add(Math.Max(0, Now), _settings.Ms);
            dueBefore = hadRow && _index.TryGet(entry, out var written) ? ReadTime(written) : -1;
            if (due == dueBefore) return;
            _index.Put(entry, WriteTime(due));
        }
        else
        {
            due = WindowTimes.Add(timestamp, _settings.Ms);
            dueBefore = hadRow ? WindowTimes.Add(before, _settings.Ms) : -1;
        }

        if (dueBefore < 0 || due <= dueBefore || due / _entryEveryMs != dueBefore / _entryEveryMs) PutTimeEntry(due, SerializedKey(key));
    }

    private void Expire(int max)
    {
        var now = Now;
        if (now < _nextDue) return;
        _due.Clear();
        using (var entries = _index.Range(default, Upper(now)))
        {
            while (_due.Count < max && entries.MoveNext()) _due.Add(entries.Key);
        }

        foreach (var entry in _due) Settle(entry, now);
        _nextDue = FirstDue();
    }

    private void Settle(byte[] entry, long now)
    {
        _index.Delete(entry);
        var serialized = entry.AsSpan(1 + sizeof(long));
        var key = _keySerde.Deserialize(serialized);
        if (!_rows.TryGet(key, out var row)) return;
        var due = DueTime(key, row.Timestamp);
        if (due <= now) Remove(key, row);
        else PutTimeEntry(due, serialized);
    }

    private void Remove(K key, ValueAndTimestamp<V> row)
    {
        if (IsWallClock) _index.Delete(KeyEntry(key));

        // A deletion has no source record. By the wall clock it happens now, which in event time is how far the task has come.
        var timestamp = IsWallClock ? Math.Max(row.Timestamp, _task.StreamTime) : WindowTimes.Add(row.Timestamp, _settings.Ms);
        var outer = _task.Coordinates;
        _task.Coordinates = outer with { HasRecord = false, Timestamp = timestamp, Headers = null };
        try
        {
            _rows.Put(key, default!, false, timestamp);
            _expired(key, row.Value, timestamp);
        }
        finally
        {
            _task.Coordinates = outer;
        }
    }

    // Without its entry, which only a crash under at-least-once processing can lose, a row is due when the hint says so.
    private long DueTime(K key, long timestamp)
    {
        if (!IsWallClock) return WindowTimes.Add(timestamp, _settings.Ms);
        return _index.TryGet(KeyEntry(key), out var written) ? ReadTime(written) : -1;
    }

    private long FirstDue()
    {
        using var entries = _index.Range(default, Upper(long.MaxValue));
        return entries.MoveNext() ? BinaryPrimitives.ReadInt64BigEndian(entries.Key.AsSpan(1)) : long.MaxValue;
    }

    private void PutTimeEntry(long due, ReadOnlySpan<byte> key)
    {
        var entry = new byte[1 + sizeof(long) + key.Length];
        entry[0] = ByTime;
        BinaryPrimitives.WriteInt64BigEndian(entry.AsSpan(1), due);
        key.CopyTo(entry.AsSpan(1 + sizeof(long)));
        _index.Put(entry, _nothing);
        if (due < _nextDue) _nextDue = due;
    }

    private ReadOnlySpan<byte> SerializedKey(K key)
    {
        _buffer.Clear();
        _keySerde.Serialize(key, _buffer);
        return _buffer.WrittenSpan;
    }

    private byte[] KeyEntry(K key)
    {
        var serialized = SerializedKey(key);
        var entry = new byte[1 + serialized.Length];
        entry[0] = ByKey;
        serialized.CopyTo(entry.AsSpan(1));
        return entry;
    }

    // Before every key of the millisecond after; times are not negative, so their bytes are in their order. What is due at the last time there is never is.
    private static byte[] Upper(long now)
    {
        var bound = new byte[1 + sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bound.AsSpan(1), WindowTimes.Add(Math.Max(0, now), 1));
        return bound;
    }

    private static byte[] WriteTime(long time)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, time);
        return bytes;
    }

    private static long ReadTime(byte[] bytes) => bytes.Length == sizeof(long)
        ? BinaryPrimitives.ReadInt64BigEndian(bytes)
        : throw new StateStoreException($"The time at which a row expires has {bytes.Length} bytes instead of {sizeof(long)}.");
}

/// <summary>Told of a row that has been deleted because its time to live is over.</summary>
internal delegate void Expired<K, V>(K key, V row, long timestamp);
