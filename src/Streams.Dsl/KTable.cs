using Streams.Dsl.Joins;
using Streams.Dsl.Joins.ForeignKey;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// A table: the latest value per key, and the stream of its changes. A row that is absent is not there at all, also where the value type is a struct;
/// functions are never called for absent rows. Source: Kafka's <c>KTable</c>.
/// </summary>
/// <remarks>
/// A result is kept in a store when it is materialised by name or when a downstream operator needs to look it up; otherwise it is computed from its
/// parent's rows when needed.
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class KTable<K, V>
{
    internal KTable(
        GraphBuilder graph,
        GraphNode node,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        IReadOnlySet<string> sources,
        TableOperator<K, V> table,
        string? queryableStoreName)
    {
        Graph = graph;
        Node = node;
        KeySerde = keySerde;
        ValueSerde = valueSerde;
        Sources = sources;
        Table = table;
        QueryableStoreName = queryableStoreName;
    }

    /// <summary>Name of the store to query; <c>null</c> when the table was not materialised by name.</summary>
    public string? QueryableStoreName { get; }

    internal GraphBuilder Graph { get; }

    internal GraphNode Node { get; }

    internal string Name => Node.Name;

    internal ISerde<K>? KeySerde { get; }

    internal ISerde<V>? ValueSerde { get; }

    internal IReadOnlySet<string> Sources { get; }

    internal TableOperator<K, V> Table { get; }

    /// <summary>Keeps the rows for which the predicate is true; a row that stops matching is deleted from the result.</summary>
    public KTable<K, V> Filter(Func<K, V, bool> predicate, Materialized<K, V>? materialized = null, Named? named = null) =>
        Filter(predicate, keep: true, materialized, named);

    /// <summary>Keeps the rows for which the predicate is false; a row that starts to match is deleted from the result.</summary>
    public KTable<K, V> FilterNot(Func<K, V, bool> predicate, Materialized<K, V>? materialized = null, Named? named = null) =>
        Filter(predicate, keep: false, materialized, named);

    /// <summary>Gives each row another value; <c>null</c> deletes the row from the result.</summary>
    public KTable<K, VR> MapValues<VR>(Func<V, VR> mapper, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        return MapValues((_, value) => mapper(value), materialized, named);
    }

    /// <summary>Gives each row another value, seeing the key; <c>null</c> deletes the row from the result.</summary>
    public KTable<K, VR> MapValues<VR>(Func<K, V, VR> mapper, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        var name = ReserveNames("KTABLE-MAPVALUES-", materialized, named);
        var table = new TableMapValues<K, V, VR>(Table, mapper, materialized?.StoreName);
        return Derive(name, table, table.CreateProcessor, materialized, materialized?.ValueSerde);
    }

    /// <summary>The changes as a stream: new rows as records, deletions as records without value.</summary>
    public KStream<K, V> ToStream(Named? named = null)
    {
        var node = new ProcessorGraphNode<K, Change<V>>(Graph.NameOf(named, "KTABLE-TOSTREAM-"), static () => new TableToStream<K, V>());
        Graph.Add(Node, node);
        return new KStream<K, V>(Graph, node, KeySerde, ValueSerde, Sources, repartitionRequired: false);
    }

    /// <summary>The changes as a stream with other keys. A deletion whose value is an absent struct is dropped and counted.</summary>
    public KStream<KR, V> ToStream<KR>(Func<K, V, KR> selector, Named? named = null) => ToStream(named).SelectKey(selector);

    /// <summary>The changes as a stream with other keys, made from the old ones alone, deletions included.</summary>
    public KStream<KR, V> ToStream<KR>(Func<K, KR> selector, Named? named = null) => ToStream(named).SelectKey(selector);

    /// <summary>
    /// Groups the rows by another key, through a repartition topic. A row whose key or value is mapped to <c>null</c> is in no group.
    /// </summary>
    /// <param name="selector">Gives the group's key and the value to aggregate.</param>
    /// <param name="grouped">Name and serdes of the repartition topic.</param>
    public KGroupedTable<KR, VR> GroupBy<KR, VR>(Func<K, V, KeyValuePair<KR, VR>> selector, Grouped<KR, VR>? grouped = null)
    {
        ArgumentNullException.ThrowIfNull(selector);
        var node = new ProcessorGraphNode<K, Change<V>>(Graph.NameOf(grouped?.Name, "KTABLE-SELECT-"), () => new TableGroupBy<K, V, KR, VR>(selector));
        Graph.Add(Node, node);
        Table.EnableSendingOldValues(forceMaterialization: true);
        return new KGroupedTable<KR, VR>(Graph, node, grouped?.Name, grouped?.KeySerde, grouped?.ValueSerde);
    }

    /// <summary>Rows of both tables with equal keys, combined. Both must have the same number of partitions.</summary>
    public KTable<K, VR> Join<VO, VR>(KTable<K, VO> other, Func<V, VO, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null) =>
        TableJoin<K, V, VO, VR>.Add(this, other, Joiners.Of<K, V, VO, VR>(joiner), JoinKind.Inner, materialized, named);

    /// <summary>Rows of both tables with equal keys, combined, seeing the key.</summary>
    public KTable<K, VR> Join<VO, VR>(KTable<K, VO> other, Func<K, V, VO, VR> joiner, Materialized<K, VR>? materialized = null, Named? named = null) =>
        TableJoin<K, V, VO, VR>.Add(this, other, Joiners.Of(joiner), JoinKind.Inner, materialized, named);

    /// <summary>
    /// Rows of this table combined with the row of the other table whose key they name. A change of either side updates the result; a row without such
    /// a key, or whose key the other table does not have, has no result.
    /// </summary>
    /// <remarks>Results of different rows may come in any order. The value's serializer must give equal bytes for equal values. Source: KIP-213.</remarks>
    /// <param name="other">The other table.</param>
    /// <param name="foreignKeyExtractor">Gives the other table's key for a row's key and value; <c>null</c> when there is none.</param>
    /// <param name="joiner">Combines both rows.</param>
    /// <param name="joined">Names and partitioners.</param>
    /// <param name="materialized">How the result is kept.</param>
    public KTable<K, VR> Join<KO, VO, VR>(
        KTable<KO, VO> other,
        Func<K, V, KO> foreignKeyExtractor,
        Func<V, VO, VR> joiner,
        TableJoined<K, KO>? joined = null,
        Materialized<K, VR>? materialized = null) =>
        ForeignKeyJoiner.Join(this, other, foreignKeyExtractor, Joiners.Of<K, V, VO, VR>(joiner), isLeft: false, joined, materialized);

    /// <summary>The same with a foreign key that is taken from the value alone.</summary>
    /// <inheritdoc cref="Join{KO, VO, VR}(KTable{KO, VO}, Func{K, V, KO}, Func{V, VO, VR}, TableJoined{K, KO}, Materialized{K, VR})"/>
    public KTable<K, VR> Join<KO, VO, VR>(
        KTable<KO, VO> other,
        Func<V, KO> foreignKeyExtractor,
        Func<V, VO, VR> joiner,
        TableJoined<K, KO>? joined = null,
        Materialized<K, VR>? materialized = null)
    {
        ArgumentNullException.ThrowIfNull(foreignKeyExtractor);
        return Join(other, (_, value) => foreignKeyExtractor(value), joiner, joined, materialized);
    }

    internal KTable<K, V> AddSuppress(Suppressed suppressed, Func<K, long>? windowEnd, long waitMs, bool dropsDeletions)
    {
        if (Table.IsVersioned) throw new TopologyException($"'{Name}' is versioned and cannot be suppressed; suppress needs one value per key.");
        var name = suppressed.Name ?? Graph.NewProcessorName("KTABLE-SUPPRESS-");
        var storeName = suppressed.Name is null ? Graph.NewStoreName("KTABLE-SUPPRESS-") : suppressed.Name + "-store";
        var buffer = suppressed.Buffer;
        var store = StoreFactory.Suppression(Graph, buffer, storeName, name, KeySerde, ValueSerde);

        // What is held back is, for look-ups, what it was before.
        Table.EnableSendingOldValues(forceMaterialization: true);
        var table = new SuppressedTable<K, V>(Table, storeName);
        var node = new ProcessorGraphNode<K, Change<V>>(
            name,
            () => new TableSuppress<K, V>(storeName, windowEnd, waitMs, buffer, dropsDeletions, table.SendsOldValues))
        {
            Stores = [store],
        };
        Graph.Add(Node, node);
        return new KTable<K, V>(Graph, node, KeySerde, ValueSerde, Sources, table, null);
    }

    internal void ThrowIfForeign(GraphBuilder other)
    {
        if (other != Graph) throw new TopologyException($"'{Name}' is combined with a stream or table of another StreamsBuilder; both must come from the same one.");
    }

    private KTable<K, V> Filter(Func<K, V, bool> predicate, bool keep, Materialized<K, V>? materialized, Named? named)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        var name = ReserveNames("KTABLE-FILTER-", materialized, named);
        var table = new TableFilter<K, V>(Table, predicate, keep, materialized?.StoreName);
        return Derive(name, table, table.CreateProcessor, materialized, materialized?.ValueSerde ?? ValueSerde);
    }

    // A nameless materialisation makes no store, but uses a number up.
    private string ReserveNames<VR>(string prefix, Materialized<K, VR>? materialized, Named? named)
    {
        if (materialized is not null && materialized.StoreName is null) Graph.NewStoreName(prefix);
        return Graph.NameOf(named, prefix);
    }

    private KTable<K, VR> Derive<VR>(
        string name,
        TableOperator<K, VR> table,
        Func<Processor<K, Change<V>>> supplier,
        Materialized<K, VR>? materialized,
        ISerde<VR>? valueSerde)
    {
        StoreFactory.RefuseTimeToLive(materialized?.Settings, name);
        var keySerde = materialized?.KeySerde ?? KeySerde;
        IStoreBuilder[] stores = materialized?.StoreName is { } storeName
            ? [StoreFactory.KeyValue(Graph, materialized.Settings, storeName, name, keySerde, valueSerde)]
            : [];
        var node = new ProcessorGraphNode<K, Change<V>>(name, supplier) { Stores = stores };
        Graph.Add(Node, node);
        return new KTable<K, VR>(Graph, node, keySerde, valueSerde, Sources, table, materialized?.StoreName);
    }
}
