using Streams.Dsl.Windows;
using Streams.State;
using Streams.State.Join;
using Streams.State.Suppression;

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
        RefuseVersions(settings, storeName);
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

    /// <summary>A store of a windowed aggregation's rows.</summary>
    public static IStoreBuilder Window<K, V>(
        GraphBuilder graph,
        StoreSettings settings,
        string storeName,
        string node,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        long retentionMs,
        long windowSizeMs,
        bool emitsOnClose)
    {
        RefuseVersions(settings, storeName);
        var retention = WindowTimes.ToTimeSpan(retentionMs);
        var size = WindowTimes.ToTimeSpan(windowSizeMs);
        var supplier = (settings.Type ?? graph.Options.DefaultStoreType) switch
        {
            StoreType.InMemory => Stores.InMemoryWindowStore(storeName, retention, size),
            _ => Stores.PersistentTimestampedWindowStore(storeName, retention, size, retainDuplicates: false, orderByTime: emitsOnClose),
        };
        var builder = Stores.TimestampedWindowStoreBuilder(
            supplier,
            graph.Serde(keySerde, node, "key", "Materialized.With"),
            graph.Serde(valueSerde, node, "value", "Materialized.With"));

        // Results that wait for their window to close do not come out of the cache, so it would only hold the changelog back.
        if (settings.Caching && !emitsOnClose) builder.WithCachingEnabled();
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>A store of sessions.</summary>
    public static IStoreBuilder Session<K, V>(
        GraphBuilder graph,
        StoreSettings settings,
        string storeName,
        string node,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        long retentionMs,
        bool emitsOnClose)
    {
        RefuseVersions(settings, storeName);
        var retention = WindowTimes.ToTimeSpan(retentionMs);
        var supplier = (settings.Type ?? graph.Options.DefaultStoreType) switch
        {
            StoreType.InMemory => Stores.InMemorySessionStore(storeName, retention),
            _ => Stores.PersistentSessionStore(storeName, retention, orderByTime: emitsOnClose),
        };
        var builder = Stores.SessionStoreBuilder(
            supplier,
            graph.Serde(keySerde, node, "key", "Materialized.With"),
            graph.Serde(valueSerde, node, "value", "Materialized.With"));
        if (settings.Caching && !emitsOnClose) builder.WithCachingEnabled();
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>The records of one side of a stream-stream join, for as long as the other side may look for them.</summary>
    public static IStoreBuilder JoinWindow<K, V>(
        GraphBuilder graph, StoreSettings settings, string storeName, ISerde<K> keySerde, ISerde<V> valueSerde, JoinWindows windows)
    {
        var sizeMs = windows.BeforeMs + windows.AfterMs;
        var retention = WindowTimes.ToTimeSpan(WindowTimes.Add(sizeMs, windows.GraceMs));
        var size = WindowTimes.ToTimeSpan(sizeMs);
        var supplier = (settings.Type ?? graph.Options.DefaultStoreType) switch
        {
            StoreType.InMemory => Stores.InMemoryWindowStore(storeName, retention, size, retainDuplicates: true),
            _ => Stores.PersistentWindowStore(storeName, retention, size, retainDuplicates: true),
        };
        var builder = Stores.WindowStoreBuilder(supplier, keySerde, valueSerde);
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>The records of a left or outer stream-stream join that wait for a partner.</summary>
    public static IStoreBuilder OuterJoin<K, VL, VRight>(
        GraphBuilder graph, StoreSettings settings, string storeName, ISerde<K> keySerde, ISerde<VL> leftSerde, ISerde<VRight> rightSerde)
    {
        var isPersistent = (settings.Type ?? graph.Options.DefaultStoreType) != StoreType.InMemory;
        var builder = new OuterJoinStoreBuilder<K, VL, VRight>(storeName, keySerde, leftSerde, rightSerde, isPersistent);
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>The changes that a suppression holds back.</summary>
    public static IStoreBuilder Suppression<K, V>(
        GraphBuilder graph, BufferConfig buffer, string storeName, string node, ISerde<K>? keySerde, ISerde<V>? valueSerde)
    {
        var builder = new SuppressionBufferBuilder<K, V>(
            storeName,
            graph.Serde(keySerde, node, "key", "Materialized.With of the table"),
            graph.Serde(valueSerde, node, "value", "Materialized.With of the table"));
        return buffer.LoggingEnabled ? builder.WithLoggingEnabled(buffer.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>The records that a stream-table join holds back for its grace period.</summary>
    public static IStoreBuilder JoinBuffer<K, V>(GraphBuilder graph, string storeName, string node, ISerde<K>? keySerde, ISerde<V>? valueSerde) =>
        new JoinBufferBuilder<K, V>(
            storeName,
            graph.Serde(keySerde, node, "key", "Joined.With"),
            graph.Serde(valueSerde, node, "value", "Joined.With"),
            isPersistent: graph.Options.DefaultStoreType != StoreType.InMemory);

    /// <summary>A store that keeps old versions of its rows.</summary>
    public static IStoreBuilder Versioned<K, V>(
        GraphBuilder graph, StoreSettings settings, string storeName, string node, ISerde<K>? keySerde, ISerde<V>? valueSerde)
    {
        var builder = Stores.VersionedKeyValueStoreBuilder(
            Stores.PersistentVersionedKeyValueStore(storeName, settings.HistoryRetention!.Value),
            graph.Serde(keySerde, node, "key", "Materialized.With"),
            graph.Serde(valueSerde, node, "value", "Materialized.With"));
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    private static void RefuseVersions(StoreSettings settings, string storeName)
    {
        if (settings.HistoryRetention is not null)
            throw new TopologyException($"Store '{storeName}' cannot keep versions: WithHistoryRetention is for tables from topics and for ToTable.");
    }
}
