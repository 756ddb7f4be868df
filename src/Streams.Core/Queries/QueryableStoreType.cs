namespace Streams.Core;

/// <summary>A way to read a kind of store; made by <see cref="QueryableStoreTypes"/>.</summary>
/// <typeparam name="TStore">What it is read through.</typeparam>
public abstract class QueryableStoreType<TStore>
    where TStore : class
{
    private protected QueryableStoreType()
    {
    }

    /// <summary>What a single store of this kind is read through; <c>null</c> when the store is of another kind.</summary>
    internal abstract TStore? View(IStateStore store);

    /// <summary>Puts the stores of several partitions together. They are looked up anew with every call.</summary>
    internal abstract TStore Combine(Func<IReadOnlyList<TStore>> stores);
}

/// <summary>The kinds of stores that can be asked. Source: Kafka's <c>QueryableStoreTypes</c>.</summary>
public static class QueryableStoreTypes
{
    /// <summary>A key-value store; of one with timestamps, the values without them.</summary>
    public static QueryableStoreType<IReadOnlyKeyValueStore<K, V>> KeyValueStore<K, V>() => new KeyValueStoreType<K, V>();

    /// <summary>A key-value store with timestamps: what table rows and aggregates are kept in.</summary>
    public static QueryableStoreType<IReadOnlyKeyValueStore<K, ValueAndTimestamp<V>>> TimestampedKeyValueStore<K, V>() => new KeyValueStoreType<K, ValueAndTimestamp<V>>();

    /// <summary>A window store; of one with timestamps, the values without them.</summary>
    public static QueryableStoreType<IReadOnlyWindowStore<K, V>> WindowStore<K, V>() => new WindowStoreType<K, V>();

    /// <summary>A window store with timestamps: what windowed aggregates are kept in.</summary>
    public static QueryableStoreType<IReadOnlyWindowStore<K, ValueAndTimestamp<V>>> TimestampedWindowStore<K, V>() => new WindowStoreType<K, ValueAndTimestamp<V>>();

    /// <summary>A session store.</summary>
    public static QueryableStoreType<IReadOnlySessionStore<K, V>> SessionStore<K, V>() => new SessionStoreType<K, V>();

    /// <summary>A versioned key-value store.</summary>
    public static QueryableStoreType<IReadOnlyVersionedKeyValueStore<K, V>> VersionedKeyValueStore<K, V>() => new VersionedStoreType<K, V>();

    private sealed class KeyValueStoreType<K, V> : QueryableStoreType<IReadOnlyKeyValueStore<K, V>>
    {
        internal override IReadOnlyKeyValueStore<K, V>? View(IStateStore store) => store switch
        {
            IReadOnlyKeyValueStore<K, V> plain => plain,
            IReadOnlyKeyValueStore<K, ValueAndTimestamp<V>> timestamped => new UntimedKeyValueStore<K, V>(timestamped),
            _ => null,
        };

        internal override IReadOnlyKeyValueStore<K, V> Combine(Func<IReadOnlyList<IReadOnlyKeyValueStore<K, V>>> stores) => new CompositeKeyValueStore<K, V>(stores);
    }

    private sealed class WindowStoreType<K, V> : QueryableStoreType<IReadOnlyWindowStore<K, V>>
    {
        internal override IReadOnlyWindowStore<K, V>? View(IStateStore store) => store switch
        {
            IReadOnlyWindowStore<K, V> plain => plain,
            IReadOnlyWindowStore<K, ValueAndTimestamp<V>> timestamped => new UntimedWindowStore<K, V>(timestamped),
            _ => null,
        };

        internal override IReadOnlyWindowStore<K, V> Combine(Func<IReadOnlyList<IReadOnlyWindowStore<K, V>>> stores) => new CompositeWindowStore<K, V>(stores);
    }

    private sealed class SessionStoreType<K, V> : QueryableStoreType<IReadOnlySessionStore<K, V>>
    {
        internal override IReadOnlySessionStore<K, V>? View(IStateStore store) => store as IReadOnlySessionStore<K, V>;

        internal override IReadOnlySessionStore<K, V> Combine(Func<IReadOnlyList<IReadOnlySessionStore<K, V>>> stores) => new CompositeSessionStore<K, V>(stores);
    }

    private sealed class VersionedStoreType<K, V> : QueryableStoreType<IReadOnlyVersionedKeyValueStore<K, V>>
    {
        internal override IReadOnlyVersionedKeyValueStore<K, V>? View(IStateStore store) => store as IReadOnlyVersionedKeyValueStore<K, V>;

        internal override IReadOnlyVersionedKeyValueStore<K, V> Combine(Func<IReadOnlyList<IReadOnlyVersionedKeyValueStore<K, V>>> stores) => new CompositeVersionedStore<K, V>(stores);
    }
}
