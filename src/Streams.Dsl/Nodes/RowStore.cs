using Streams.State.KeyValue;

namespace Streams.Dsl.Nodes;

/// <summary>
/// The rows of a table, as its operator reads and writes them: each row is looked up and then written, which our own stores do with one search.
/// Other stores (suppliers of the user's) work too, with two.
/// </summary>
internal sealed class RowStore<K, V>
{
    private readonly ITimestampedKeyValueStore<K, V> _store;
    private readonly TimestampedKeyValueStore<K, V>? _own;
    private StoreSlot _slot;

    public RowStore(ITimestampedKeyValueStore<K, V> store)
    {
        _store = store;
        _own = store as TimestampedKeyValueStore<K, V>;
    }

    /// <summary>Opens the store of that name.</summary>
    public static RowStore<K, V> Open(ProcessorContext context, string storeName) =>
        new(context.GetStateStore<ITimestampedKeyValueStore<K, V>>(storeName));

    public IStateStore Store => _store;

    /// <summary>Looks a row up; <see cref="Replace"/> of the same key may follow.</summary>
    public bool TryGet(K key, out ValueAndTimestamp<V> row) => _own is { } own ? own.TryGet(key, out row, out _slot) : _store.TryGet(key, out row);

    /// <summary>
    /// Time of a row, where that costs nothing beyond the search that a write makes anyway; <see cref="Replace"/> of the same key must follow. False also when the
    /// row is on disk only.
    /// </summary>
    public bool TryPeekTimestamp(K key, out long timestamp)
    {
        if (_own is { } own) return own.TryPeekTimestamp(key, out timestamp, out _slot);
        var found = _store.TryGet(key, out var row);
        timestamp = row.Timestamp;
        return found;
    }

    /// <summary>Writes or deletes the row that was looked up last.</summary>
    public void Replace(K key, V value, bool hasValue, long timestamp)
    {
        if (!hasValue) _store.Delete(key);
        else if (_own is { } own) own.Put(in _slot, key, new ValueAndTimestamp<V>(value, timestamp));
        else _store.Put(key, new ValueAndTimestamp<V>(value, timestamp));
    }

    /// <summary>Writes or deletes a row that has not been looked up.</summary>
    public void Put(K key, V value, bool hasValue, long timestamp)
    {
        if (hasValue) _store.Put(key, new ValueAndTimestamp<V>(value, timestamp));
        else _store.Delete(key);
    }
}
