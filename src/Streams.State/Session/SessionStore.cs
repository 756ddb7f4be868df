using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Streams.State.Bytes;
using Streams.State.Segments;
using Streams.State.Shared;

namespace Streams.State.Session;

/// <summary>
/// Session store over a <see cref="SegmentedTable{T}"/>. A key as stored and logged: the user's key, 8 bytes big-endian end, 8 bytes big-endian start of the
/// session. Source: Kafka's <c>SessionKeySchema</c>.
/// </summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Aggregate type.</typeparam>
internal sealed class SessionStore<K, V>(SessionBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde, bool caching)
    : ISessionStore<K, V>, ICachedStateStore<Windowed<K>, V>, IShareableStore
{
    /// <summary>Length of what follows the user's key.</summary>
    public const int SuffixBytes = 2 * sizeof(long);

    private static readonly bool KeysCanBeNull = default(K) is null;

    private readonly PlainCodec<V> _codec = new(valueSerde);
    private readonly SerdeBuffer _key = new();
    private SegmentedTable<V>? _segments;
    private IStateStoreContext? _context;

    public IStateStore Share(StoreGate gate, bool writable) => new SharedSessionStore<K, V>(this, gate, writable);

    public string Name => supplier.Name;

    public bool IsPersistent => supplier.IsPersistent;

    public long? ChangelogOffset => Table.Store.ChangelogOffset;

    public bool HoldsWrites => Table.Store.HoldsWrites;

    public long UncommittedBytes => Table.Store.UncommittedBytes;

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_segments is not null) throw new InvalidOperationException($"Store '{Name}' is open already.");
        _context = context;
        var store = new TableStore<V>(Name, _codec, context, supplier.OpenEngine(context, "session"), caching, new SuffixTimes(SuffixBytes));
        _segments = new SegmentedTable<V>(store, SuffixBytes, supplier.RetentionMs, supplier.SegmentIntervalMs, IsPersistent, supplier.OrderByTime, showsWholeSegments: IsPersistent);
    }

    public bool TryFetchSession(K key, long startMs, long endMs, [MaybeNullWhen(false)] out V value)
    {
        var table = Table;
        value = default;
        if (!table.IsVisible(endMs))
        {
            RequireKey(key);
            table.Store.ThrowIfClosed();
            return false;
        }

        WriteKey(table, key, startMs, endMs);
        var id = table.Store.Load(_key.WrittenSpan, out _);
        if (!table.Store.Has(id)) return false;
        value = table.Store.ValueOf(id);
        return true;
    }

    public void Put(Windowed<K> session, V aggregate)
    {
        if (_codec.IsNull(aggregate))
        {
            Remove(session);
            return;
        }

        var table = Table;
        if (!ObserveSession(table, session))
        {
            _context!.RecordDropped();
            table.Store.Refuse(_key.WrittenSpan, aggregate);
            return;
        }

        var id = table.Store.Find(_key.WrittenSpan, out var hash);
        table.Store.Put(id, hash, _key.WrittenSpan, aggregate);
    }

    public void Remove(Windowed<K> session)
    {
        var table = Table;
        if (!ObserveSession(table, session))
        {
            if (table.Store.RefuseDeletion(_key.WrittenSpan)) _context!.RecordDropped();
            return;
        }

        var id = table.Store.Find(_key.WrittenSpan, out var hash);
        table.Store.Delete(id, hash, _key.WrittenSpan);
    }

    public IKeyValueIterator<Windowed<K>, V> FindSessions(K key, long earliestEndMs, long latestStartMs) =>
        OfKey(key, new TimeBounds(earliestEndMs, long.MaxValue, latestStartMs), reverse: false);

    public IKeyValueIterator<Windowed<K>, V> BackwardFindSessions(K key, long earliestEndMs, long latestStartMs) =>
        OfKey(key, new TimeBounds(earliestEndMs, long.MaxValue, latestStartMs), reverse: true);

    // A session closes exactly when its retention ends, so who asks for those that have closed must see what retention hides from others. Kafka's
    // store on disk shows them too; in memory they are gone.
    public IKeyValueIterator<Windowed<K>, V> FindSessions(long earliestEndMs, long latestEndMs) =>
        OfKeys(default, default, new TimeBounds(earliestEndMs, latestEndMs), hidesExpired: false);

    public IKeyValueIterator<Windowed<K>, V> Fetch(K key) => OfKey(key, new TimeBounds(0, long.MaxValue), reverse: false);

    public IKeyValueIterator<Windowed<K>, V> Fetch(Optional<K> fromKey, Optional<K> toKey) => OfKeys(fromKey, toKey, new TimeBounds(0, long.MaxValue));

    public bool SetFlushListener(CacheFlushListener<Windowed<K>, V> listener, bool sendOldValues)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return Table.Store.SetListener(Forward, sendOldValues);

        // A session's updates and deletions alike are from its end.
        void Forward(ReadOnlySpan<byte> key, V newValue, bool hasNew, V oldValue, bool hasOld, in RecordCoordinates coordinates)
        {
            var session = ReadKey(key[TableStore<V>.SegmentBytes..]);
            listener(new Record<Windowed<K>, Change<V>>(session, new Change<V>(newValue, hasNew, oldValue, hasOld), session.Window.EndMs, coordinates.Headers));
        }
    }

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
    }

    public void Flush() => Table.Store.Flush();

    public void Commit(long? changelogOffset) => Table.Store.Commit(changelogOffset);

    public void Dispose() => _segments?.Store.Dispose();

    private SegmentedTable<V> Table => _segments ?? throw new InvalidOperationException($"Store '{Name}' is used before Init.");

    private Windowed<K> ReadKey(ReadOnlySpan<byte> logged)
    {
        var suffix = logged[^SuffixBytes..];
        return new Windowed<K>(
            keySerde.Deserialize(logged[..^SuffixBytes]),
            new Core.Window(BinaryPrimitives.ReadInt64BigEndian(suffix[sizeof(long)..]), BinaryPrimitives.ReadInt64BigEndian(suffix)));
    }

    private void RequireKey(K key)
    {
        if (KeysCanBeNull && key is null) throw new ArgumentNullException(nameof(key), $"Store '{Name}' has no null keys.");
    }

    private void WriteKey(SegmentedTable<V> table, K key, long start, long end)
    {
        RequireKey(key);
        table.Store.BeginOperation();
        _key.Clear();
        table.WriteSegment(_key, end);
        keySerde.Serialize(key, _key);
        var suffix = _key.GetSpan(SuffixBytes);
        BinaryPrimitives.WriteInt64BigEndian(suffix, end);
        BinaryPrimitives.WriteInt64BigEndian(suffix[sizeof(long)..], start);
        _key.Advance(SuffixBytes);
    }

    /// <summary>Readies the key for a write and moves stream time on; false when the session is too old to be taken.</summary>
    private bool ObserveSession(SegmentedTable<V> table, Windowed<K> session)
    {
        var (start, end) = session.Window;
        if (start < 0 || end < start) throw new ArgumentException($"A session begins at or after 0 and ends at or after its begin; got {session.Window}.", nameof(session));
        WriteKey(table, session.Key, start, end);
        return table.Observe(end);
    }

    private SessionIterator OfKey(K key, TimeBounds bounds, bool reverse)
    {
        RequireKey(key);
        var table = Table;
        table.Store.BeginOperation();
        _key.Clear();
        keySerde.Serialize(key, _key);
        return new SessionIterator(this, table.Walk(_key.WrittenSpan, bounds, reverse));
    }

    private SessionIterator OfKeys(Optional<K> fromKey, Optional<K> toKey, TimeBounds bounds, bool hidesExpired = true)
    {
        var table = Table;
        var (from, to) = (new SerdeBuffer(64), new SerdeBuffer(64));
        if (fromKey.TryGet(out var first)) keySerde.Serialize(first, from);
        if (toKey.TryGet(out var last)) keySerde.Serialize(last, to);
        return new SessionIterator(this, table.Walk(from.WrittenSpan, fromKey.HasValue, to.WrittenSpan, toKey.HasValue, bounds, reverse: false, hidesExpired));
    }

    private sealed class SessionIterator(SessionStore<K, V> store, EntryCursor<V> cursor) : IKeyValueIterator<Windowed<K>, V>
    {
        private EntryCursor<V>? _cursor = cursor;

        public Windowed<K> Key => store.ReadKey(Cursor.Key);

        public V Value => Cursor.Value;

        private EntryCursor<V> Cursor => _cursor ?? throw new ObjectDisposedException(nameof(IKeyValueIterator<,>));

        public bool MoveNext() => Cursor.MoveNext();

        public void Dispose()
        {
            _cursor?.Return();
            _cursor = null;
        }
    }
}
