using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Streams.State.Bytes;
using Streams.State.Segments;
using Streams.State.Shared;

namespace Streams.State.Versioned;

/// <summary>
/// Keeps the latest version of each key for ever and older ones for the history retention.
/// </summary>
/// <remarks>
/// <para>
/// Every version, deletions included, is an entry. The latest value of a key: the lasting segment, then the key. An older version: the segment of the time until
/// which it holds, the key, 8 bytes big-endian time from which it holds. A deletion that is the latest has no such end; it lies in the segment of its begin,
/// and is forgotten with it, when nothing that could still come would have to know of it.
/// </para>
/// <para>
/// A key's versions follow each other without gaps, as long as they are kept, and their order is that of their segments. Looking up as of a time therefore begins in the
/// segment of that time and ends at the first version that holds until later.
/// </para>
/// <para>
/// The changelog has each write as key, value and time, a deletion as a tombstone; also those that came too late, as Kafka's. Source: KIP-889, Kafka's
/// <c>RocksDBVersionedStore</c> and <c>ChangeLoggingVersionedKeyValueBytesStore</c>; the layout on disk is our own.
/// </para>
/// </remarks>
internal sealed class VersionedStore<K, V>(VersionedBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde)
    : IVersionedKeyValueStore<K, V>, IShareableStore
{
    // A restored store commits by itself past this, so that a long changelog does not pile up in memory.
    private const long RestoreCommitBytes = 8 << 20;

    private static readonly bool ValuesCanBeNull = default(V) is null;

    private readonly SerdeBuffer _userKey = new();
    private readonly SerdeBuffer _key = new();
    private readonly SerdeBuffer _lower = new();
    private readonly SerdeBuffer _upper = new();
    private readonly SerdeBuffer _value = new();
    private SegmentedTable<StoredVersion>? _segments;
    private TableCursor<StoredVersion>? _cursor;
    private IStateStoreContext? _context;

    public IStateStore Share(StoreGate gate, bool writable) => new SharedVersionedStore<K, V>(this, gate, writable);

    public string Name => supplier.Name;

    public bool IsPersistent => supplier.IsPersistent;

    public long? ChangelogOffset => Table.Store.ChangelogOffset;

    public long UncommittedBytes => Table.Store.UncommittedBytes;

    public TimeSpan HistoryRetention => supplier.HistoryRetention;

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_segments is not null) throw new InvalidOperationException($"Store '{Name}' is open already.");
        _context = context;
        var store = new TableStore<StoredVersion>(
            Name, new StoredVersionCodec(), context, supplier.OpenEngine(context), caching: false, new SegmentTimes(supplier.SegmentIntervalMs), logsWrites: false);
        _segments = new SegmentedTable<StoredVersion>(store, sizeof(long), supplier.HistoryRetentionMs, supplier.SegmentIntervalMs, onDisk: true, orderByTime: false, showsWholeSegments: true);
        _cursor = new TableCursor<StoredVersion>(store);
    }

    public long Put(K key, V value, long timestamp)
    {
        if (ValuesCanBeNull && value is null) return PutTombstone(key, timestamp);
        _value.Clear();
        valueSerde.Serialize(value, _value);
        return Put(key, timestamp, hasValue: true);
    }

    public long PutTombstone(K key, long timestamp)
    {
        _value.Clear();
        return Put(key, timestamp, hasValue: false);
    }

    public bool Delete(K key, long timestamp, out VersionedRecord<V> previous)
    {
        previous = default;
        var existed = !IsTooLate(timestamp) && TryGet(key, timestamp, out previous);
        PutTombstone(key, timestamp);
        return existed;
    }

    public bool TryGet(K key, [MaybeNullWhen(false)] out VersionedRecord<V> value)
    {
        SerialiseKey(key);
        var found = TryLoadLatest(out var latest);
        value = found ? Record(latest) : default;
        return found;
    }

    public bool TryGet(K key, long asOfTimestamp, [MaybeNullWhen(false)] out VersionedRecord<V> value)
    {
        SerialiseKey(key);
        var found = TryLoadLatest(out var version) && version.From <= asOfTimestamp;
        if (!found && asOfTimestamp >= 0 && !IsTooLate(asOfTimestamp)) found = TryFindCovering(asOfTimestamp, out version) && version.HasValue;
        value = found ? Record(version) : default;
        return found;
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var table = Table;
        for (var i = from; i < to; i++)
        {
            ref readonly var slice = ref batch[i];
            if (!slice.HasKey) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{Name}' has no key.");
            if (slice.Timestamp < 0) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{Name}' has no timestamp.");
            if (!IsTooLate(slice.Timestamp))
            {
                table.Store.BeginOperation();
                _userKey.Clear();
                _userKey.Write(batch.Key(i));
                _value.Clear();
                _value.Write(batch.Value(i));
                Insert(slice.Timestamp, slice.HasValue);
            }

            if (table.Store.UncommittedBytes > RestoreCommitBytes) table.Store.Commit(slice.Offset + 1);
        }
    }

    public void Flush() => Table.Store.Flush();

    public void Commit(long? changelogOffset) => Table.Store.Commit(changelogOffset);

    public void Dispose()
    {
        _cursor?.Dispose();
        _segments?.Store.Dispose();
    }

    private SegmentedTable<StoredVersion> Table => _segments ?? throw new InvalidOperationException($"Store '{Name}' is used before Init.");

    private long Put(K key, long timestamp, bool hasValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(timestamp);
        SerialiseKey(key);
        long validTo;
        if (IsTooLate(timestamp))
        {
            _context!.RecordDropped();
            validTo = IVersionedKeyValueStore<K, V>.NotPut;
        }
        else
        {
            validTo = Insert(timestamp, hasValue);
        }

        _context!.Changelog?.Append(_userKey.WrittenSpan, _value.WrittenSpan, hasValue, timestamp);
        return validTo;
    }

    private bool IsTooLate(long timestamp) => timestamp < Table.Store.StreamTime - supplier.HistoryRetentionMs;

    private void SerialiseKey(K key)
    {
        ArgumentNullException.ThrowIfNull(key);
        Table.Store.BeginOperation();
        _userKey.Clear();
        keySerde.Serialize(key, _userKey);
    }

    /// <summary>Puts the version in <see cref="_userKey"/> and <see cref="_value"/> among the others; gives the time until which it holds.</summary>
    private long Insert(long timestamp, bool hasValue)
    {
        Table.Observe(timestamp);
        var value = _value.WrittenMemory;
        if (TryLoadLatest(out var latest))
        {
            if (timestamp > latest.From)
            {
                WriteOlder(latest with { To = timestamp });
                WriteLatest(timestamp, hasValue, value);
                return IVersionedKeyValueStore<K, V>.ValidToUndefined;
            }

            if (timestamp == latest.From)
            {
                WriteLatest(timestamp, hasValue, value);
                return IVersionedKeyValueStore<K, V>.ValidToUndefined;
            }
        }
        else if (TryFindLatestDeletion(out var deletion) && deletion.From <= timestamp)
        {
            // The deletion is the latest no more: if something older may be written later, it is needed as the end of that.
            DeleteOlder(deletion);
            if (deletion.From < timestamp) WriteOlder(deletion with { To = timestamp });
            WriteLatest(timestamp, hasValue, value);
            return IVersionedKeyValueStore<K, V>.ValidToUndefined;
        }

        if (TryFindCovering(timestamp, out var covering))
        {
            if (covering.From < timestamp)
            {
                DeleteOlder(covering);
                WriteOlder(covering with { To = timestamp });
            }

            WriteOlder(new StoredVersion(timestamp, covering.To, hasValue, value));
            return covering.To;
        }

        // Nothing holds at that time: the version holds until the first that there is.
        var next = FindFirstAfter(timestamp);
        if (next == StoredVersion.Latest)
        {
            WriteLatest(timestamp, hasValue, value);
            return IVersionedKeyValueStore<K, V>.ValidToUndefined;
        }

        WriteOlder(new StoredVersion(timestamp, next, hasValue, value));
        return next;
    }

    private bool TryLoadLatest(out StoredVersion latest)
    {
        WriteKey(_key, TableStore<StoredVersion>.LastingSegment);
        var store = Table.Store;
        var id = store.Load(_key.WrittenSpan, out _);
        latest = store.Has(id) ? store.ValueOf(id) : default;
        return store.Has(id);
    }

    /// <summary>The older version that holds at a time, a deletion that is not the latest included.</summary>
    private bool TryFindCovering(long time, out StoredVersion version)
    {
        var table = Table;
        var last = table.LastSegment;
        for (var segment = table.SegmentOf(Math.Max(time, table.EarliestLive)); segment <= last; segment++)
        {
            if (TryStep(segment, 0, time, reverse: true, out version) && version.To > time) return true;
        }

        version = default;
        return false;
    }

    /// <summary>The deletion that is a key's latest version, if its latest version is one.</summary>
    private bool TryFindLatestDeletion(out StoredVersion version)
    {
        var table = Table;
        var first = table.SegmentOf(table.EarliestLive);
        for (var segment = table.LastSegment + 1; segment-- > first;)
        {
            if (!TryStep(segment, 0, long.MaxValue, reverse: true, out version)) continue;
            return version.To == StoredVersion.Latest;
        }

        version = default;
        return false;
    }

    /// <summary>Begin of the first version after a time at which none holds; <see cref="StoredVersion.Latest"/> when there is none.</summary>
    private long FindFirstAfter(long time)
    {
        var table = Table;
        var last = table.LastSegment;
        for (var segment = table.SegmentOf(Math.Max(time, table.EarliestLive)); segment <= last; segment++)
        {
            if (TryStep(segment, time, long.MaxValue, reverse: false, out var version)) return version.From;
        }

        return TryLoadLatest(out var latest) ? latest.From : StoredVersion.Latest;
    }

    /// <summary>The first or last older version of the key in a segment that begins in a range.</summary>
    private bool TryStep(ulong segment, long fromTime, long toTime, bool reverse, out StoredVersion version)
    {
        WriteKey(_lower, segment, fromTime);
        WriteKey(_upper, segment, toTime);
        var cursor = _cursor!;
        cursor.Start(_lower.WrittenSpan, true, _upper.WrittenSpan, true, upperInclusive: true, reverse, (long)segment * supplier.SegmentIntervalMs);
        try
        {
            while (cursor.MoveNext())
            {
                // Between a key's versions there may be ones of keys that begin like one of its entries; they are longer.
                if (cursor.Key.Length != _lower.WrittenCount) continue;
                version = cursor.Value;
                return true;
            }
        }
        finally
        {
            cursor.Rest();
        }

        version = default;
        return false;
    }

    private void WriteLatest(long from, bool hasValue, ReadOnlyMemory<byte> value)
    {
        var store = Table.Store;
        store.BeginOperation();
        if (!hasValue)
        {
            WriteKey(_key, TableStore<StoredVersion>.LastingSegment);
            var latest = store.Load(_key.WrittenSpan, out var latestHash);
            if (store.Has(latest)) store.Delete(latest, latestHash, _key.WrittenSpan);
            WriteOlder(new StoredVersion(from, StoredVersion.Latest, false, default));
            return;
        }

        WriteKey(_key, TableStore<StoredVersion>.LastingSegment);
        var id = store.Find(_key.WrittenSpan, out var hash);
        store.Put(id, hash, _key.WrittenSpan, new StoredVersion(from, StoredVersion.Latest, true, value));
    }

    private void WriteOlder(StoredVersion version)
    {
        // What nobody can ask for any more, because its end is too old, is not written.
        var segment = SegmentOf(version);
        if (segment < Table.SegmentOf(Table.EarliestLive)) return;
        var store = Table.Store;
        store.BeginOperation();
        WriteKey(_key, segment, version.From);
        var id = store.Find(_key.WrittenSpan, out var hash);
        store.Put(id, hash, _key.WrittenSpan, version);
    }

    private void DeleteOlder(StoredVersion version)
    {
        var store = Table.Store;
        store.BeginOperation();
        WriteKey(_key, SegmentOf(version), version.From);
        var id = store.Find(_key.WrittenSpan, out var hash);
        store.Delete(id, hash, _key.WrittenSpan);
    }

    private ulong SegmentOf(StoredVersion version) => Table.SegmentOf(version.To == StoredVersion.Latest ? version.From : version.To);

    private void WriteKey(SerdeBuffer output, ulong segment)
    {
        output.Clear();
        SegmentedTable<StoredVersion>.WriteSegment(output, segment);
        output.Write(_userKey.WrittenSpan);
    }

    private void WriteKey(SerdeBuffer output, ulong segment, long from)
    {
        WriteKey(output, segment);
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), from);
        output.Advance(sizeof(long));
    }

    private VersionedRecord<V> Record(StoredVersion version) =>
        new(valueSerde.Deserialize(version.Value.Span), version.From, version.To == StoredVersion.Latest ? null : version.To);
}
