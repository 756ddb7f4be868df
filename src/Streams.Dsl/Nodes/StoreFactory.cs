using Streams.State;

namespace Streams.Dsl.Nodes;

/// <summary>Makes the builders of the stores that operators keep their tables in.</summary>
internal static class StoreFactory
{
    /// <summary>A key-value store of rows with timestamps.</summary>
    /// <param name="graph">Knows the registered serdes and the default engine.</param>
    /// <param name="settings">What was said about the store.</param>
    /// <param name="storeName">Its name.</param>
    /// <param name="node">The operator, for messages.</param>
    /// <param name="keySerde">Serde of the keys; <c>null</c> to find one by type.</param>
    /// <param name="valueSerde">Serde of the values; <c>null</c> to find one by type.</param>
    public static IStoreBuilder KeyValue<K, V>(
        GraphBuilder graph,
        StoreSettings settings,
        string storeName,
        string node,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde)
    {
        var supplier = (settings.Type ?? graph.Options.DefaultStoreType) switch
        {
            StoreType.InMemory => Stores.InMemoryKeyValueStore(storeName),
            _ => Stores.PersistentTimestampedKeyValueStore(storeName),
        };
        var builder = Stores.TimestampedKeyValueStoreBuilder(
            supplier,
            graph.Serde(keySerde, node, "key", "Materialized.With"),
            graph.Serde(valueSerde, node, "value", "Materialized.With"));
        if (settings.Caching) builder.WithCachingEnabled();
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }
}
