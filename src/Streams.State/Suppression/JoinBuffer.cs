using System.Buffers.Binary;
using Streams.State.Bytes;

namespace Streams.State.Suppression;

/// <summary>
/// Holds records back in order of time, then key bytes, then arrival: what a stream-table join with a grace period does. Each put and each taking out is logged at once.
/// </summary>
/// <remarks>
/// Key: 1 byte 0 (Kafka's mark of keys that begin with the time), 8 bytes big-endian time, the user's key, 4 bytes big-endian sequence number from 1; value as in <see cref="BufferedRecordFormat"/>, with neither
/// prior nor old value. Unbounded, except by what comes within the grace period. Source: KIP-923, Kafka's <c>RocksDBTimeOrderedKeyValueBuffer</c>.
/// </remarks>
internal sealed class JoinBuffer<K, V>(string name, ISerde<K> keySerde, ISerde<V> valueSerde, bool isPersistent) : ITimeOrderedBuffer<K, V>
{
    private const int SequenceBytes = sizeof(int);
    private const byte TimeFirst = 0;
    private const int PrefixBytes = 1 + sizeof(long);
    private const int LeastKeyBytes = PrefixBytes + SequenceBytes;

    private readonly SerdeBuffer _key = new();
    private readonly SerdeBuffer _value = new();
    private readonly SerdeBuffer _lower = new(16);
    private TableStore<ReadOnlyMemory<byte>>? _store;
    private TableCursor<ReadOnlyMemory<byte>>? _cursor;
    private IStateStoreContext? _context;
    private int _sequence;
    private bool _isCounted;
    private int _count;
    private long _sizeBytes;

    // No record is earlier: walks begin here, and not at what was deleted long ago.
    private long _earliestTime;
    private bool _isEarliestExact;

    public string Name => name;

    public bool IsPersistent => isPersistent;

    public long? ChangelogOffset => Store.ChangelogOffset;

    public long UncommittedBytes => Store.UncommittedBytes;

    public int Count
    {
        get
        {
            CountOnce();
            return _count;
        }
    }

    public long SizeBytes
    {
        get
        {
            CountOnce();
            return _sizeBytes;
        }
    }

    public long MinTime
    {
        get
        {
            if (_isEarliestExact) return _earliestTime;
            _earliestTime = StartAtFirst().MoveNext() ? TimeOf(_cursor!.Key) : long.MaxValue;
            _cursor!.Rest();
            _isEarliestExact = true;
            return _earliestTime;
        }
    }

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_store is not null) throw new InvalidOperationException($"Store '{name}' is open already.");
        _context = context;
        var engine = isPersistent ? JoinBufferBuilder<K, V>.OpenEngine(context, name) : null;
        _isCounted = engine is null or { IsEmpty: true };
        _store = new TableStore<ReadOnlyMemory<byte>>(name, new PlainCodec<ReadOnlyMemory<byte>>(Serdes.Memory), context, engine, caching: false, logsWrites: false);
        _cursor = new TableCursor<ReadOnlyMemory<byte>>(_store);
    }

    public void Put(long time, in Record<K, V> record, RecordCoordinates coordinates)
    {
        var store = Store;
        ArgumentOutOfRangeException.ThrowIfNegative(time);
        if (!record.HasKey || !record.HasValue) throw new ArgumentException($"Buffer '{name}' holds records with key and value.", nameof(record));
        CountOnce();
        _value.Clear();
        BufferedRecordFormat.WriteContext(_value, coordinates with { Timestamp = record.Timestamp }, record.Headers.Count == 0 ? null : record.Headers);
        BufferedRecordFormat.WritePart(_value, default, isPresent: false);
        BufferedRecordFormat.WritePart(_value, default, isPresent: false);
        WriteValue(record.Value);

        // Kafka's join buffer writes 0 here; the time is in the key.
        BufferedRecordFormat.WriteInt64(_value, 0);
        int id;
        uint hash;
        do
        {
            // Numbers start over with each instance; a record of that time, key and number may still be there.
            _sequence = (_sequence + 1) & int.MaxValue;
            store.BeginOperation();
            _key.Clear();
            WritePrefix(_key, time);
            keySerde.Serialize(record.Key, _key);
            BinaryPrimitives.WriteInt32BigEndian(_key.GetSpan(SequenceBytes), _sequence);
            _key.Advance(SequenceBytes);
            id = store.Load(_key.WrittenSpan, out hash);
        }
        while (store.Has(id));

        _context!.Changelog?.Append(_key.WrittenSpan, _value.WrittenSpan, hasValue: true, OutgoingRecord.TimeOfWriting);
        store.Put(id, hash, _key.WrittenSpan, _value.WrittenMemory);
        _count++;
        _sizeBytes += _key.WrittenCount + _value.WrittenCount;
        _earliestTime = Math.Min(_earliestTime, time);
    }

    public bool TryTakeFirst(long latestTime, out Record<K, V> record, out RecordCoordinates coordinates)
    {
        record = default;
        coordinates = default;
        var store = Store;
        if (latestTime < 0 || (_isEarliestExact && _earliestTime > latestTime)) return false;
        CountOnce();
        var cursor = StartAtFirst();
        if (!cursor.MoveNext())
        {
            cursor.Rest();
            _earliestTime = long.MaxValue;
            _isEarliestExact = true;
            return false;
        }

        _earliestTime = TimeOf(cursor.Key);
        _isEarliestExact = true;
        if (_earliestTime > latestTime)
        {
            cursor.Rest();
            return false;
        }

        _key.Clear();
        System.Buffers.BuffersExtensions.Write(_key, cursor.Key);
        var value = cursor.Value;
        cursor.Rest();
        var parts = BufferedRecordFormat.Read(value.Span);
        if (!parts.HasNew) throw new StateStoreException($"Store '{name}' has a record without value; it was written by something else.");
        coordinates = parts.Coordinates;
        record = new Record<K, V>(
            keySerde.Deserialize(_key.WrittenSpan[PrefixBytes..^SequenceBytes]), true, valueSerde.Deserialize(parts.New), true, coordinates.Timestamp, parts.Headers);
        store.BeginOperation();
        _context!.Changelog?.Append(_key.WrittenSpan, default, hasValue: false, OutgoingRecord.TimeOfWriting);
        var id = store.Load(_key.WrittenSpan, out var hash);
        store.Delete(id, hash, _key.WrittenSpan);
        _count--;
        _sizeBytes -= _key.WrittenCount + value.Length;

        // The next may be of the same time or later.
        _isEarliestExact = false;
        return true;
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var store = Store;
        store.BeginRestore();
        for (var i = from; i < to; i++)
        {
            ref readonly var slice = ref batch[i];
            if (!slice.HasKey) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{name}' has no key.");
            _ = TimeOf(batch.Key(i));
            store.Restore(batch.Key(i), batch.Value(i), slice.HasValue, slice.Timestamp, slice.Offset);
        }

        _isCounted = _isEarliestExact = false;
        _earliestTime = 0;
    }

    public void Flush() => Store.Flush();

    public void Commit(long? changelogOffset) => Store.Commit(changelogOffset);

    public void Dispose()
    {
        _cursor?.Dispose();
        _store?.Dispose();
    }

    private TableStore<ReadOnlyMemory<byte>> Store => _store ?? throw new InvalidOperationException($"Store '{name}' is used before Init.");

    private long TimeOf(ReadOnlySpan<byte> key)
    {
        var time = key.Length < LeastKeyBytes || key[0] != TimeFirst ? -1 : BinaryPrimitives.ReadInt64BigEndian(key[1..]);
        return time >= 0 ? time : throw new StateStoreException($"Store '{name}' has a key of {key.Length} bytes that does not begin with a time; it was written by something else.");
    }

    private TableCursor<ReadOnlyMemory<byte>> StartAtFirst()
    {
        _ = Store;
        _lower.Clear();
        WritePrefix(_lower, _earliestTime);
        _cursor!.Start(_lower.WrittenSpan, true, default, false, upperInclusive: false, reverse: false);
        return _cursor;
    }

    private static void WritePrefix(SerdeBuffer output, long time)
    {
        output.GetSpan(1)[0] = TimeFirst;
        output.Advance(1);
        BufferedRecordFormat.WriteInt64(output, time);
    }

    private void WriteValue(V value)
    {
        // The length comes first and is known last.
        var at = _value.WrittenCount;
        _value.GetSpan(sizeof(int));
        _value.Advance(sizeof(int));
        valueSerde.Serialize(value, _value);
        _value.Patch(at, _value.WrittenCount - at - sizeof(int));
    }

    /// <summary>Counts what was there before this instance, once.</summary>
    private void CountOnce()
    {
        if (_isCounted) return;
        (_count, _sizeBytes) = (0, 0);
        var cursor = StartAtFirst();
        while (cursor.MoveNext())
        {
            _count++;
            _sizeBytes += cursor.Key.Length + cursor.Value.Length;
        }

        cursor.Rest();
        _isCounted = true;
    }
}
