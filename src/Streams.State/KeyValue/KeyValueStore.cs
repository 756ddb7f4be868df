using System.Diagnostics.CodeAnalysis;
using Streams.State.Bytes;

namespace Streams.State.KeyValue;

/// <summary>Key-value store over a <see cref="TableStore{T}"/>: the key's serialised bytes are the key.</summary>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="T">What is stored: the value, or value and timestamp.</typeparam>
internal abstract class KeyValueStore<K, T> : IKeyValueStore<K, T>
{
    // Asked once: a type test of a struct against null boxes it in unoptimised code.
    private static readonly bool KeysCanBeNull = default(K) is null;

    private readonly KeyValueBytesStoreSupplier _supplier;
    private readonly ISerde<K> _keySerde;
    private readonly ValueCodec<T> _codec;
    private readonly bool _caching;
    private readonly SerdeBuffer _key = new();
    private readonly IdList? _recentlyUsed;
    private TableStore<T>? _store;

    protected KeyValueStore(KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ValueCodec<T> codec, bool caching)
    {
        _supplier = supplier;
        _keySerde = keySerde;
        _codec = codec;
        _caching = caching;
        if (supplier.MaxEntries is not null) _recentlyUsed = new IdList();
    }

    public string Name => _supplier.Name;

    public bool IsPersistent => _supplier.IsPersistent;

    public long? ChangelogOffset => Store.ChangelogOffset;

    public bool HoldsWrites => Store.HoldsWrites;

    public long UncommittedBytes => Store.UncommittedBytes;

    public long ApproximateNumEntries => Store.ApproximateCount;

    public void Init(IStateStoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_store is not null) throw new InvalidOperationException($"Store '{Name}' is open already.");
        _store = new TableStore<T>(Name, _codec, context, _supplier.OpenEngine(context, _codec.TimestampBytes > 0 ? "timestamped-key-value" : "key-value"), _caching);
    }

    public bool TryGet(K key, [MaybeNullWhen(false)] out T value) => TryGet(key, out value, out _);

    /// <summary>Looks a key up and remembers where it is, for a write of the same key right after.</summary>
    public bool TryGet(K key, [MaybeNullWhen(false)] out T value, out StoreSlot slot)
    {
        var store = Store;
        SerialiseKey(store, key);
        var id = store.Load(_key.WrittenSpan, out var hash);
        slot = new StoreSlot(id, hash, store.Operation);
        if (!store.Has(id))
        {
            value = default;
            return false;
        }

        _recentlyUsed?.MoveToEnd(id);
        value = store.ValueOf(id);
        return true;
    }

    /// <summary>Looks a key up in memory only, for a write right after.</summary>
    /// <returns>The number of its entry, -1 when memory has no value of it.</returns>
    protected int Peek(K key, out StoreSlot slot, out TableStore<T> store)
    {
        store = Store;
        SerialiseKey(store, key);
        var id = store.Find(_key.WrittenSpan, out var hash);
        slot = new StoreSlot(id, hash, store.Operation);
        return store.Has(id) ? id : -1;
    }

    public void Put(K key, T value)
    {
        if (_codec.IsNull(value))
        {
            Delete(key);
            return;
        }

        var store = Store;
        SerialiseKey(store, key);
        var id = store.Find(_key.WrittenSpan, out var hash);
        Put(store, id, hash, value);
    }

    /// <summary>Writes the key that was just looked up; a <c>null</c> value deletes it.</summary>
    public void Put(in StoreSlot slot, K key, T value)
    {
        var store = Store;
        if (slot.Operation != store.Operation) Put(key, value);
        else if (_codec.IsNull(value)) Delete(store, slot.Id, slot.Hash);
        else Put(store, slot.Id, slot.Hash, value);
    }

    public bool PutIfAbsent(K key, T value, [MaybeNullWhen(true)] out T existing)
    {
        if (TryGet(key, out existing, out var slot)) return false;
        Put(in slot, key, value);
        return true;
    }

    public bool Delete(K key, [MaybeNullWhen(false)] out T previous)
    {
        var existed = TryGet(key, out previous, out var slot);
        Delete(Store, slot.Id, slot.Hash);
        return existed;
    }

    public void Delete(K key)
    {
        var store = Store;
        SerialiseKey(store, key);
        var id = store.Find(_key.WrittenSpan, out var hash);
        Delete(store, id, hash);
    }

    public IKeyValueIterator<K, T> Range(Optional<K> from, Optional<K> to) => Iterate(BytesOf(from), BytesOf(to), upperInclusive: true, reverse: false);

    public IKeyValueIterator<K, T> ReverseRange(Optional<K> from, Optional<K> to) => Iterate(BytesOf(from), BytesOf(to), upperInclusive: true, reverse: true);

    public IKeyValueIterator<K, T> All() => Iterate(null, null, upperInclusive: true, reverse: false);

    public IKeyValueIterator<K, T> ReverseAll() => Iterate(null, null, upperInclusive: true, reverse: true);

    public IKeyValueIterator<K, T> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(prefixSerializer);
        var buffer = new SerdeBuffer();
        prefixSerializer.Serialize(prefix, buffer);
        var upper = KeyOrder.TryAfterPrefix(buffer.WrittenSpan, out var after) ? after : null;
        return Iterate(buffer.WrittenSpan.ToArray(), upper, upperInclusive: false, reverse: false);
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var store = Store;
        store.BeginRestore();
        for (var i = from; i < to; i++)
        {
            ref readonly var slice = ref batch[i];
            if (!slice.HasKey) throw new StateStoreException($"Changelog record {batch.Partition} offset {slice.Offset} of store '{Name}' has no key.");
            if (_recentlyUsed is not null && !slice.HasValue) ForgetUse(store, batch.Key(i));
            store.Restore(batch.Key(i), batch.Value(i), slice.HasValue, slice.Timestamp, slice.Offset);
            if (_recentlyUsed is not null && slice.HasValue) KeepRestored(store, batch.Key(i));
        }
    }

    public void Flush() => Store.Flush();

    public void Commit(long? changelogOffset) => Store.Commit(changelogOffset);

    public void Dispose() => _store?.Dispose();

    protected bool SetHeldListener(HeldWriteListener<T> listener, bool sendOldValues) => Store.SetListener(listener, sendOldValues);

    protected K ReadKey(ReadOnlySpan<byte> bytes) => _keySerde.Deserialize(bytes);

    private TableStore<T> Store => _store ?? throw new InvalidOperationException($"Store '{Name}' is used before Init.");

    private void SerialiseKey(TableStore<T> store, K key)
    {
        if (KeysCanBeNull && key is null) throw new ArgumentNullException(nameof(key), $"Store '{Name}' has no null keys.");
        store.BeginOperation();
        _key.Clear();
        _keySerde.Serialize(key, _key);
    }

    private void Put(TableStore<T> store, int id, uint hash, T value)
    {
        store.Put(id, hash, _key.WrittenSpan, value);
        if (_recentlyUsed is not null) KeepWritten(store);
    }

    private void Delete(TableStore<T> store, int id, uint hash)
    {
        if (id >= 0 && _recentlyUsed is not null && _recentlyUsed.Contains(id)) _recentlyUsed.Remove(id);
        store.Delete(id, hash, _key.WrittenSpan);
    }

    /// <summary>The key just written is the most recently used; past the limit the least recently used goes, with a tombstone in the changelog.</summary>
    private void KeepWritten(TableStore<T> store)
    {
        _recentlyUsed!.MoveToEnd(store.Find(_key.WrittenSpan, out _));
        if (_recentlyUsed.Count <= _supplier.MaxEntries) return;
        var eldest = _recentlyUsed.First;
        _recentlyUsed.Remove(eldest);
        _key.Clear();
        System.Buffers.BuffersExtensions.Write(_key, store.Table.KeyOf(eldest));
        store.Delete(eldest, KeyHash.Of(_key.WrittenSpan), _key.WrittenSpan);
    }

    private void ForgetUse(TableStore<T> store, ReadOnlySpan<byte> key)
    {
        var id = store.Find(key, out _);
        if (id >= 0) _recentlyUsed!.Remove(id);
    }

    private void KeepRestored(TableStore<T> store, ReadOnlySpan<byte> key)
    {
        _recentlyUsed!.MoveToEnd(store.Find(key, out _));
        if (_recentlyUsed.Count <= _supplier.MaxEntries) return;
        var eldest = _recentlyUsed.First;
        _recentlyUsed.Remove(eldest);
        store.Forget(eldest);
    }

    private byte[]? BytesOf(Optional<K> key)
    {
        if (!key.TryGet(out var bound)) return null;
        var buffer = new SerdeBuffer();
        _keySerde.Serialize(bound, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private KeyValueCursor Iterate(byte[]? lower, byte[]? upper, bool upperInclusive, bool reverse)
    {
        if (_recentlyUsed is not null) throw new NotSupportedException($"Store '{Name}' keeps the {_supplier.MaxEntries} most recently used entries and cannot be walked in order.");
        return new KeyValueCursor(this, Store.Cursor(lower, upper, upperInclusive, reverse));
    }

    private sealed class KeyValueCursor(KeyValueStore<K, T> store, TableCursor<T> cursor) : IKeyValueIterator<K, T>
    {
        public K Key => store.ReadKey(cursor.Key);

        public T Value => cursor.Value;

        public bool MoveNext() => cursor.MoveNext();

        public void Dispose() => cursor.Dispose();
    }
}
