using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Streams.State.Bytes;
using Streams.State.KeyValue;
using Streams.State.Segments;

namespace Streams.State.Window;

/// <summary>
/// Window store over a <see cref="SegmentedTable{T}"/>. A key as stored and logged: the user's key, 8 bytes big-endian window start, 4 bytes big-endian sequence
/// number, which is 0 unless duplicates are kept. Source: Kafka's <c>WindowKeySchema</c>.
/// </summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="T">What is stored: the value, or value and timestamp.</typeparam>
internal abstract class WindowStore<K, T> : IWindowStore<K, T>
{
    /// <summary>Length of what follows the user's key.</summary>
    public const int SuffixBytes = sizeof(long) + sizeof(int);

    private static readonly bool KeysCanBeNull = default(K) is null;

    private readonly WindowBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ValueCodec<T> _codec;
    private readonly bool _caching;
    private readonly SerdeBuffer _key = new();
    private SegmentedTable<T>? _segments;
    private IStateStoreContext? _context;
    private int _sequence;
    private long _lastTimeBefore = -1;

    protected WindowStore(WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ValueCodec<T> codec, bool caching)
    {
        _supplier = supplier;
        _keySerde = keySerde;
        _codec = codec;
        _caching = caching;
    }

    public string Name => _supplier.Name;

    public bool IsPersistent => _supplier.IsPersistent;

    public long? ChangelogOffset => Table.Store.ChangelogOffset;

    public bool HoldsWrites => Table.Store.HoldsWrites;

    public long UncommittedBytes => Table.Store.UncommittedBytes;

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_segments is not null) throw new InvalidOperationException($"Store '{Name}' is open already.");
        _context = context;
        var kind = (_codec.TimestampBytes > 0 ? "timestamped-window" : "window") + (_supplier.RetainDuplicates ? " with duplicates" : "");
        var store = new TableStore<T>(Name, _codec, context, _supplier.OpenEngine(context, kind), _caching, new SuffixTimes(SuffixBytes));
        _segments = new SegmentedTable<T>(
            store, SuffixBytes, _supplier.RetentionMs, _supplier.SegmentIntervalMs, IsPersistent, _supplier.OrderByTime, showsRetentionsEdge: IsPersistent && _supplier.OrderByTime);
        _lastTimeBefore = store.StreamTime;
    }

    public bool TryFetch(K key, long windowStartMs, [MaybeNullWhen(false)] out T value)
    {
        if (!_supplier.RetainDuplicates) return TryFetch(key, windowStartMs, out value, out _);
        using var first = Fetch(key, windowStartMs, windowStartMs);
        if (first.MoveNext())
        {
            value = first.Value;
            return true;
        }

        value = default;
        return false;
    }

    /// <summary>Looks a window up and remembers where it is, for a write of the same key and window right after. Not for stores with duplicates.</summary>
    public bool TryFetch(K key, long windowStartMs, [MaybeNullWhen(false)] out T value, out StoreSlot slot)
    {
        Debug.Assert(!_supplier.RetainDuplicates, "a window is one entry only without duplicates");
        var table = Table;
        slot = new StoreSlot(-1, 0, -1);
        value = default;
        if (!table.IsVisible(windowStartMs))
        {
            RequireKey(key);
            table.Store.ThrowIfClosed();
            return false;
        }

        WriteKey(table, key, windowStartMs, sequence: 0);
        var id = table.Store.Load(_key.WrittenSpan, out var hash);
        slot = new StoreSlot(id, hash, table.Store.Operation);
        if (!table.Store.Has(id)) return false;
        value = table.Store.ValueOf(id);
        return true;
    }

    public void Put(K key, T value, long windowStartMs)
    {
        if (_codec.IsNull(value))
        {
            Delete(key, windowStartMs);
            return;
        }

        var table = Table;
        WriteNewKey(table, key, windowStartMs);
        if (!table.Observe(windowStartMs))
        {
            Drop(table, value);
            return;
        }

        var id = table.Store.Find(_key.WrittenSpan, out var hash);
        table.Store.Put(id, hash, _key.WrittenSpan, value);
    }

    /// <summary>Writes the window that was just looked up; a <c>null</c> value deletes it.</summary>
    public void Put(in StoreSlot slot, K key, T value, long windowStartMs)
    {
        var table = Table;
        if (slot.Operation != table.Store.Operation || _codec.IsNull(value))
        {
            Put(key, value, windowStartMs);
            return;
        }

        // What could be looked up is live, and stream time does not move by writing it.
        table.Store.Put(slot.Id, slot.Hash, _key.WrittenSpan, value);
    }

    public void Delete(K key, long windowStartMs)
    {
        var table = Table;
        WriteNewKey(table, key, windowStartMs);
        if (_supplier.RetainDuplicates && IsPersistent)
        {
            // There is nothing of that sequence number to delete, but Kafka logs it, and so the number is used up. Its store on disk does not see it
            // at all, so stream time does not move; its store in memory does.
            table.Store.LogOnlyDeletion(_key.WrittenSpan);
            return;
        }

        if (!table.Observe(windowStartMs))
        {
            if (table.Store.RefuseDeletion(_key.WrittenSpan)) _context!.RecordDropped();
            return;
        }

        if (_supplier.RetainDuplicates)
        {
            table.Store.LogOnlyDeletion(_key.WrittenSpan);
            return;
        }

        var id = table.Store.Find(_key.WrittenSpan, out var hash);
        table.Store.Delete(id, hash, _key.WrittenSpan);
    }

    public IKeyValueIterator<long, T> Fetch(K key, long fromMs, long toMs) => OfKey(key, fromMs, toMs, reverse: false);

    public IKeyValueIterator<long, T> BackwardFetch(K key, long fromMs, long toMs) => OfKey(key, fromMs, toMs, reverse: true);

    public IKeyValueIterator<Windowed<K>, T> Fetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs) => OfKeys(fromKey, toKey, fromMs, toMs, reverse: false);

    public IKeyValueIterator<Windowed<K>, T> BackwardFetch(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs) =>
        OfKeys(fromKey, toKey, fromMs, toMs, reverse: true);

    public IKeyValueIterator<Windowed<K>, T> FetchAll(long fromMs, long toMs) => OfKeys(default, default, fromMs, toMs, reverse: false);

    public IKeyValueIterator<Windowed<K>, T> BackwardFetchAll(long fromMs, long toMs) => OfKeys(default, default, fromMs, toMs, reverse: true);

    public IKeyValueIterator<Windowed<K>, T> All() => OfKeys(default, default, 0, long.MaxValue, reverse: false);

    public IKeyValueIterator<Windowed<K>, T> BackwardAll() => OfKeys(default, default, 0, long.MaxValue, reverse: true);

    public void Restore(RecordBatch batch, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var table = Table;
        table.Store.BeginRestore();
        for (var i = from; i < to; i++)
        {
            ref readonly var slice = ref batch[i];
            if (!slice.HasKey) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{Name}' has no key.");
            table.Restore(batch.Key(i), batch.Value(i), slice.HasValue, slice.Timestamp, slice.Offset);
        }

        _lastTimeBefore = table.Store.StreamTime;
    }

    public void Flush() => Table.Store.Flush();

    public void Commit(long? changelogOffset) => Table.Store.Commit(changelogOffset);

    public void Dispose() => _segments?.Store.Dispose();

    protected bool SetHeldListener(HeldWriteListener<T> listener, bool sendOldValues) => Table.Store.SetListener(listener, sendOldValues);

    /// <summary>The window of a key as the cache has it, with its segment.</summary>
    protected Windowed<K> ReadHeldKey(ReadOnlySpan<byte> stored) => ReadKey(stored[TableStore<T>.SegmentBytes..]);

    private SegmentedTable<T> Table => _segments ?? throw new InvalidOperationException($"Store '{Name}' is used before Init.");

    private Windowed<K> ReadKey(ReadOnlySpan<byte> logged)
    {
        var start = BinaryPrimitives.ReadInt64BigEndian(logged[^SuffixBytes..]);

        // The end of the last windows there are is past the last time there is.
        var end = start > long.MaxValue - _supplier.WindowSizeMs ? long.MaxValue : start + _supplier.WindowSizeMs;
        return new Windowed<K>(_keySerde.Deserialize(logged[..^SuffixBytes]), new Core.Window(start, end));
    }

    private void RequireKey(K key)
    {
        if (KeysCanBeNull && key is null) throw new ArgumentNullException(nameof(key), $"Store '{Name}' has no null keys.");
    }

    private void WriteKey(SegmentedTable<T> table, K key, long start, int sequence)
    {
        RequireKey(key);
        table.Store.BeginOperation();
        _key.Clear();
        table.WriteSegment(_key, start);
        _keySerde.Serialize(key, _key);
        var suffix = _key.GetSpan(SuffixBytes);
        BinaryPrimitives.WriteInt64BigEndian(suffix, start);
        BinaryPrimitives.WriteInt32BigEndian(suffix[sizeof(long)..], sequence);
        _key.Advance(SuffixBytes);
    }

    /// <summary>The key for a write: with duplicates it gets the next sequence number.</summary>
    private void WriteNewKey(SegmentedTable<T> table, K key, long start)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        if (!_supplier.RetainDuplicates)
        {
            WriteKey(table, key, start, sequence: 0);
            return;
        }

        _sequence = (_sequence + 1) & int.MaxValue;
        WriteKey(table, key, start, _sequence);

        // Numbers start over with each instance. Up to the time that the store was opened or restored at there may be entries with larger ones: the new
        // entry comes after them. Kafka's would come before them, or overwrite one.
        if (start > _lastTimeBefore) return;
        var last = LastSequence(table, start);
        if (last < _sequence || last == int.MaxValue) return;
        _sequence = last + 1;
        WriteKey(table, key, start, _sequence);
    }

    /// <summary>The largest sequence number of the key just written at a time; -1 when it has none.</summary>
    private int LastSequence(SegmentedTable<T> table, long start)
    {
        var entries = table.Walk(_key.WrittenSpan[TableStore<T>.SegmentBytes..^SuffixBytes], new TimeBounds(start, start), reverse: true);
        try
        {
            return entries.MoveNext() ? BinaryPrimitives.ReadInt32BigEndian(entries.Key[^sizeof(int)..]) : -1;
        }
        finally
        {
            entries.Return();
        }
    }

    private void Drop(SegmentedTable<T> table, T value)
    {
        _context!.RecordDropped();
        table.Store.Refuse(_key.WrittenSpan, value);
    }

    private StartIterator OfKey(K key, long fromMs, long toMs, bool reverse)
    {
        RequireKey(key);
        var table = Table;
        table.Store.BeginOperation();
        _key.Clear();
        _keySerde.Serialize(key, _key);
        return new StartIterator(table.Walk(_key.WrittenSpan, new TimeBounds(fromMs, toMs), reverse));
    }

    private WindowIterator OfKeys(Optional<K> fromKey, Optional<K> toKey, long fromMs, long toMs, bool reverse)
    {
        var table = Table;
        var (from, to) = (new SerdeBuffer(64), new SerdeBuffer(64));
        if (fromKey.TryGet(out var first)) _keySerde.Serialize(first, from);
        if (toKey.TryGet(out var last)) _keySerde.Serialize(last, to);
        return new WindowIterator(this, table.Walk(from.WrittenSpan, fromKey.HasValue, to.WrittenSpan, toKey.HasValue, new TimeBounds(fromMs, toMs), reverse));
    }

    private sealed class StartIterator(EntryCursor<T> cursor) : IKeyValueIterator<long, T>
    {
        private EntryCursor<T>? _cursor = cursor;

        public long Key => BinaryPrimitives.ReadInt64BigEndian(Cursor.Key[^SuffixBytes..]);

        public T Value => Cursor.Value;

        private EntryCursor<T> Cursor => _cursor ?? throw new ObjectDisposedException(nameof(IKeyValueIterator<,>));

        public bool MoveNext() => Cursor.MoveNext();

        public void Dispose()
        {
            _cursor?.Return();
            _cursor = null;
        }
    }

    private sealed class WindowIterator(WindowStore<K, T> store, EntryCursor<T> cursor) : IKeyValueIterator<Windowed<K>, T>
    {
        private EntryCursor<T>? _cursor = cursor;

        public Windowed<K> Key => store.ReadKey(Cursor.Key);

        public T Value => Cursor.Value;

        private EntryCursor<T> Cursor => _cursor ?? throw new ObjectDisposedException(nameof(IKeyValueIterator<,>));

        public bool MoveNext() => Cursor.MoveNext();

        public void Dispose()
        {
            _cursor?.Return();
            _cursor = null;
        }
    }
}
