using Streams.Dsl.Deduplication;
using Streams.Dsl.TimeToLive;
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
    /// <param name="rowsExpire">Whether the operator can let rows expire.</param>
    public static IStoreBuilder KeyValue<K, V>(
        GraphBuilder graph,
        StoreSettings settings,
        string storeName,
        string node,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        bool rowsExpire = false)
    {
        RefuseVersions(settings, storeName);
        if (!rowsExpire) RefuseTimeToLive(settings, node);
        if (Own<ITimestampedKeyValueStore<K, V>>(settings) is { } own) return own;
        var supplier = Supplier<KeyValueBytesStoreSupplier>(settings, node) ?? (settings.Type ?? graph.Options.DefaultStoreType) switch
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
        RefuseTimeToLive(settings, node);
        if (Own<ITimestampedWindowStore<K, V>>(settings) is { } own) return own;
        var retention = WindowTimes.ToTimeSpan(retentionMs);
        var size = WindowTimes.ToTimeSpan(windowSizeMs);
        var supplier = Supplier<WindowBytesStoreSupplier>(settings, node);
        if (supplier is not null) RequireFit(supplier, node, size, retention);
        supplier ??= (settings.Type ?? graph.Options.DefaultStoreType) switch
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
        RefuseTimeToLive(settings, node);
        if (Own<ISessionStore<K, V>>(settings) is { } own) return own;
        var retention = WindowTimes.ToTimeSpan(retentionMs);
        var supplier = Supplier<SessionBytesStoreSupplier>(settings, node);
        if (supplier is not null) RequireRetention(supplier.Name, supplier.RetentionPeriod, node, retention);
        supplier ??= (settings.Type ?? graph.Options.DefaultStoreType) switch
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
        GraphBuilder graph, StoreSettings settings, WindowBytesStoreSupplier? given, string storeName, ISerde<K> keySerde, ISerde<V> valueSerde, JoinWindows windows)
    {
        var sizeMs = windows.BeforeMs + windows.AfterMs;
        var retention = WindowTimes.ToTimeSpan(WindowTimes.Add(sizeMs, windows.GraceMs));
        var size = WindowTimes.ToTimeSpan(sizeMs);
        if (given is not null) RequireFit(given, size, retention);
        var supplier = given ?? (settings.Type ?? graph.Options.DefaultStoreType) switch
        {
            StoreType.InMemory => Stores.InMemoryWindowStore(storeName, retention, size, retainDuplicates: true),
            _ => Stores.PersistentWindowStore(storeName, retention, size, retainDuplicates: true),
        };
        var builder = Stores.WindowStoreBuilder(supplier, keySerde, valueSerde);
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>When the rows of a table are due to expire.</summary>
    public static IStoreBuilder ExpiryIndex(GraphBuilder graph, StoreSettings settings, string storeName) =>
        Beside(graph, settings, TimeToLiveSettings.IndexOf(storeName), Serdes.ByteArray, Serdes.ByteArray);

    /// <summary>Says so where rows cannot expire, also where no store is made of the settings.</summary>
    public static void RefuseTimeToLive(StoreSettings? settings, string node)
    {
        if (settings?.TimeToLive is null) return;
        throw new TopologyException(
            $"Operator '{node}' cannot let rows expire: WithTimeToLive is for Count, Reduce, Aggregate and TopN of a grouped stream without windows, for ToTable and for Table. " +
            "Windows and versions have retention; a table made of others loses a row when they do.");
    }

    /// <summary>The rows of a grouped table, sorted within their groups.</summary>
    public static IStoreBuilder TopEntries(GraphBuilder graph, StoreSettings settings, string storeName) =>
        Beside(graph, settings, storeName, Serdes.ByteArray, Serdes.Int32);

    /// <summary>What a deduplication has let pass: by id and time.</summary>
    public static IStoreBuilder Passed<TId>(
        GraphBuilder graph, StoreSettings settings, string storeName, ISerde<TId> idSerde, long intervalMs, long retentionMs)
    {
        var retention = WindowTimes.ToTimeSpan(retentionMs);
        var size = WindowTimes.ToTimeSpan(intervalMs);
        var supplier = (settings.Type ?? graph.Options.DefaultStoreType) switch
        {
            StoreType.InMemory => Stores.InMemoryWindowStore(storeName, retention, size),
            _ => Stores.PersistentWindowStore(storeName, retention, size),
        };
        var builder = Stores.WindowStoreBuilder(supplier, idSerde, new PassedRecordSerde());
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
        RefuseTimeToLive(settings, node);
        var builder = Stores.VersionedKeyValueStoreBuilder(
            Supplier<VersionedBytesStoreSupplier>(settings, node) ?? Stores.PersistentVersionedKeyValueStore(storeName, settings.HistoryRetention!.Value),
            graph.Serde(keySerde, node, "key", "Materialized.With"),
            graph.Serde(valueSerde, node, "value", "Materialized.With"));
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    /// <summary>A store that an operator keeps beside its rows, in the engine that they are in, logged as they are.</summary>
    private static KeyValueStoreBuilder<K, V> Beside<K, V>(GraphBuilder graph, StoreSettings settings, string storeName, ISerde<K> keySerde, ISerde<V> valueSerde)
    {
        var type = settings.Store is KeyValueBytesStoreSupplier { IsPersistent: false } ? StoreType.InMemory : settings.Type ?? graph.Options.DefaultStoreType;
        var supplier = type == StoreType.InMemory ? Stores.InMemoryKeyValueStore(storeName) : Stores.PersistentKeyValueStore(storeName);
        var builder = Stores.KeyValueStoreBuilder(supplier, keySerde, valueSerde);
        if (settings.Caching) builder.WithCachingEnabled();
        return settings.Logging ? builder.WithLoggingEnabled(settings.LogConfig) : builder.WithLoggingDisabled();
    }

    // A store of the user's; the compiler has seen to it that its keys and values are the operator's, but not that its kind is.
    private static IStoreBuilder<TStore>? Own<TStore>(StoreSettings settings)
        where TStore : IStateStore =>
        settings.Store as IStoreBuilder<TStore>;

    private static TSupplier? Supplier<TSupplier>(StoreSettings settings, string node)
        where TSupplier : class
    {
        if (settings.Store is null) return null;
        return settings.Store as TSupplier ?? throw new TopologyException(
            $"Operator '{node}' cannot keep its rows in store '{settings.Name}': it needs what a {typeof(TSupplier).Name} makes, but Materialized gives it a {TypeNames.Of(settings.Store.GetType())}.");
    }

    private static void RequireFit(WindowBytesStoreSupplier supplier, string node, TimeSpan size, TimeSpan retention)
    {
        if (supplier.RetainDuplicates) throw new TopologyException($"Operator '{node}' cannot keep its windows in store '{supplier.Name}', which keeps duplicates.");
        if (supplier.WindowSize != size)
            throw new TopologyException($"Operator '{node}' has windows of {size.TotalMilliseconds} ms, but store '{supplier.Name}' is for windows of {supplier.WindowSize.TotalMilliseconds} ms.");
        RequireRetention(supplier.Name, supplier.RetentionPeriod, node, retention);
    }

    private static void RequireRetention(string store, TimeSpan given, string node, TimeSpan needed)
    {
        if (given >= needed) return;
        throw new ArgumentException($"The retention of store '{store}' is {given.TotalMilliseconds} ms, but the windows and the grace period of operator '{node}' need {needed.TotalMilliseconds} ms.");
    }

    // A join looks for exactly what is within its windows: a store that keeps more or less than that would change its results.
    private static void RequireFit(WindowBytesStoreSupplier supplier, TimeSpan size, TimeSpan retention)
    {
        if (!supplier.RetainDuplicates)
            throw new TopologyException($"Store '{supplier.Name}' of a stream-stream join must keep duplicates: several records of one key and time all join.");
        if (supplier.WindowSize == size && supplier.RetentionPeriod == retention) return;
        throw new TopologyException(
            $"Store '{supplier.Name}' is for windows of {supplier.WindowSize.TotalMilliseconds} ms and keeps them for {supplier.RetentionPeriod.TotalMilliseconds} ms; the join needs " +
            $"{size.TotalMilliseconds} ms (before + after) and {retention.TotalMilliseconds} ms (before + after + grace).");
    }

    private static void RefuseVersions(StoreSettings settings, string storeName)
    {
        if (settings.HistoryRetention is not null)
            throw new TopologyException($"Store '{storeName}' cannot keep versions: WithHistoryRetention is for tables from topics and for ToTable.");
    }
}
