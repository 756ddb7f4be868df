namespace Streams.State;

/// <summary>Makes store suppliers and builders. Source: Kafka's <c>Stores</c>.</summary>
public static class Stores
{
    /// <summary>A key-value store in memory; its content comes back from the changelog.</summary>
    /// <param name="name">Name of the store.</param>
    public static KeyValueBytesStoreSupplier InMemoryKeyValueStore(string name) => new(name, isPersistent: false, isTimestamped: false, maxEntries: null);

    /// <summary>A key-value store on disk (RocksDB), without timestamps.</summary>
    /// <param name="name">Name of the store and of its folder.</param>
    public static KeyValueBytesStoreSupplier PersistentKeyValueStore(string name) => new(name, isPersistent: true, isTimestamped: false, maxEntries: null);

    /// <summary>A key-value store on disk (RocksDB) whose entries carry timestamps. What tables and aggregations use by default.</summary>
    /// <param name="name">Name of the store and of its folder.</param>
    public static KeyValueBytesStoreSupplier PersistentTimestampedKeyValueStore(string name) =>
        new(name, isPersistent: true, isTimestamped: true, maxEntries: null);

    /// <summary>A key-value store in memory that keeps the most recently used entries and deletes the others. It cannot be walked in order.</summary>
    /// <param name="name">Name of the store.</param>
    /// <param name="maxEntries">Number of entries, at least 1.</param>
    public static KeyValueBytesStoreSupplier LruMap(string name, int maxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEntries, 1);
        return new(name, isPersistent: false, isTimestamped: false, maxEntries);
    }

    /// <summary>Describes a key-value store.</summary>
    public static KeyValueStoreBuilder<K, V> KeyValueStoreBuilder<K, V>(KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) =>
        new(supplier, keySerde, valueSerde);

    /// <summary>Describes a key-value store whose entries carry timestamps.</summary>
    public static TimestampedKeyValueStoreBuilder<K, V> TimestampedKeyValueStoreBuilder<K, V>(
        KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) => new(supplier, keySerde, valueSerde);
}
