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

    /// <summary>Describes a key-value store whose entries carry timestamps, in memory and on disk, whichever supplier is given.</summary>
    public static TimestampedKeyValueStoreBuilder<K, V> TimestampedKeyValueStoreBuilder<K, V>(
        KeyValueBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) => new(supplier, keySerde, valueSerde);

    /// <summary>A window store in memory; its content comes back from the changelog.</summary>
    /// <param name="name">Name of the store.</param>
    /// <param name="retentionPeriod">How long windows are kept in stream time, from their start: at least size plus grace.</param>
    /// <param name="windowSize">Length of the windows.</param>
    /// <param name="retainDuplicates">Whether puts of the same key and time are kept side by side, as joins need it. Puts of <c>null</c> then do nothing.</param>
    /// <exception cref="ArgumentException">Retention is less than the window size, or a time is negative.</exception>
    public static WindowBytesStoreSupplier InMemoryWindowStore(string name, TimeSpan retentionPeriod, TimeSpan windowSize, bool retainDuplicates = false) =>
        new(name, retentionPeriod, windowSize, retainDuplicates, isPersistent: false, isTimestamped: false, orderByTime: true);

    /// <summary>A window store on disk (RocksDB), without timestamps. The parameters are those of <see cref="InMemoryWindowStore"/>.</summary>
    public static WindowBytesStoreSupplier PersistentWindowStore(string name, TimeSpan retentionPeriod, TimeSpan windowSize, bool retainDuplicates = false) =>
        new(name, retentionPeriod, windowSize, retainDuplicates, isPersistent: true, isTimestamped: false, orderByTime: false);

    /// <summary>A window store on disk (RocksDB) whose values carry timestamps. What windowed aggregations use by default.</summary>
    /// <param name="name">Name of the store and of its folder.</param>
    /// <param name="retentionPeriod">How long windows are kept in stream time, from their start: at least size plus grace.</param>
    /// <param name="windowSize">Length of the windows.</param>
    /// <param name="retainDuplicates">Whether puts of the same key and time are kept side by side.</param>
    /// <param name="orderByTime">Whether walks over several keys go by time first, as aggregations that emit on close want it; otherwise by segment and key.</param>
    /// <exception cref="ArgumentException">Retention is less than the window size, or a time is negative.</exception>
    public static WindowBytesStoreSupplier PersistentTimestampedWindowStore(
        string name, TimeSpan retentionPeriod, TimeSpan windowSize, bool retainDuplicates = false, bool orderByTime = false) =>
        new(name, retentionPeriod, windowSize, retainDuplicates, isPersistent: true, isTimestamped: true, orderByTime);

    /// <summary>A session store in memory; its content comes back from the changelog.</summary>
    /// <param name="name">Name of the store.</param>
    /// <param name="retentionPeriod">How long sessions are kept in stream time, from their end: at least gap plus grace.</param>
    /// <exception cref="ArgumentException">Retention is negative.</exception>
    public static SessionBytesStoreSupplier InMemorySessionStore(string name, TimeSpan retentionPeriod) => new(name, retentionPeriod, isPersistent: false, orderByTime: true);

    /// <summary>A session store on disk (RocksDB).</summary>
    /// <param name="name">Name of the store and of its folder.</param>
    /// <param name="retentionPeriod">How long sessions are kept in stream time, from their end: at least gap plus grace.</param>
    /// <param name="orderByTime">Whether walks over several keys go by end first, as aggregations that emit on close want it; otherwise by segment and key.</param>
    /// <exception cref="ArgumentException">Retention is negative.</exception>
    public static SessionBytesStoreSupplier PersistentSessionStore(string name, TimeSpan retentionPeriod, bool orderByTime = false) =>
        new(name, retentionPeriod, isPersistent: true, orderByTime);

    /// <summary>Describes a window store.</summary>
    public static WindowStoreBuilder<K, V> WindowStoreBuilder<K, V>(WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) =>
        new(supplier, keySerde, valueSerde);

    /// <summary>Describes a window store whose values carry timestamps.</summary>
    public static TimestampedWindowStoreBuilder<K, V> TimestampedWindowStoreBuilder<K, V>(
        WindowBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) => new(supplier, keySerde, valueSerde);

    /// <summary>Describes a session store.</summary>
    public static SessionStoreBuilder<K, V> SessionStoreBuilder<K, V>(SessionBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) =>
        new(supplier, keySerde, valueSerde);

    /// <summary>A versioned key-value store on disk (RocksDB). Source: KIP-889.</summary>
    /// <param name="name">Name of the store and of its folder.</param>
    /// <param name="historyRetention">How far back in stream time look-ups reach, and how late a write may come.</param>
    /// <exception cref="ArgumentException">History retention is negative.</exception>
    public static VersionedBytesStoreSupplier PersistentVersionedKeyValueStore(string name, TimeSpan historyRetention) => new(name, historyRetention, isPersistent: true);

    /// <summary>A versioned key-value store in memory; its content comes back from the changelog. Kafka Streams has none. The parameters are those of <see cref="PersistentVersionedKeyValueStore"/>.</summary>
    public static VersionedBytesStoreSupplier InMemoryVersionedKeyValueStore(string name, TimeSpan historyRetention) => new(name, historyRetention, isPersistent: false);

    /// <summary>Describes a versioned key-value store.</summary>
    public static VersionedKeyValueStoreBuilder<K, V> VersionedKeyValueStoreBuilder<K, V>(
        VersionedBytesStoreSupplier supplier, ISerde<K> keySerde, ISerde<V> valueSerde) => new(supplier, keySerde, valueSerde);
}
