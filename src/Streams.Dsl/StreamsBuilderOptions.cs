namespace Streams.Dsl;

/// <summary>What the builder may rewrite. Source: KIP-295 (<c>topology.optimization</c>).</summary>
[Flags]
public enum TopologyOptimization
{
    /// <summary>Nothing. The default, as in Kafka Streams.</summary>
    None = 0,

    /// <summary>A table's source topic serves as its changelog (<c>reuse.ktable.source.topics</c>). The topic must be compacted.</summary>
    ReuseTableSourceTopics = 1,

    /// <summary>Repartition topics behind one key change become one (<c>merge.repartition.topics</c>).</summary>
    MergeRepartitionTopics = 2,

    /// <summary>A stream joined with itself keeps one window store instead of two (<c>single.store.self.join</c>).</summary>
    SingleStoreSelfJoin = 4,

    /// <summary>All of them (<c>all</c>).</summary>
    All = ReuseTableSourceTopics | MergeRepartitionTopics | SingleStoreSelfJoin,
}

/// <summary>Choices that shape the whole topology.</summary>
public sealed record StreamsBuilderOptions
{
    /// <summary>Serdes by type. Default: only the built-in ones.</summary>
    public SerdeRegistry Serdes { get; init; } = new();

    /// <summary>
    /// What may be rewritten. Default: nothing. Changing it for an application that has state changes its internal topics (Kafka's
    /// <c>topology.optimization</c>).
    /// </summary>
    public TopologyOptimization Optimization { get; init; }

    /// <summary>
    /// Whether to refuse a topology in which an internal topic or store has a generated name, because inserting an operator would rename it and
    /// orphan its content. Default: false (Kafka's <c>ensure.explicit.internal.resource.naming</c>, KIP-1111).
    /// </summary>
    public bool EnsureExplicitInternalResourceNaming { get; init; }

    /// <summary>Engine of materialised stores that do not say. Default: RocksDB (Kafka's <c>default.dsl.store</c>, KIP-591).</summary>
    public StoreType DefaultStoreType { get; init; } = StoreType.RocksDb;
}

/// <summary>Where a materialised store keeps its entries.</summary>
public enum StoreType
{
    /// <summary>On disk.</summary>
    RocksDb,

    /// <summary>In memory; restored from its changelog at every start.</summary>
    InMemory,
}
