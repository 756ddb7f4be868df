using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// A table regrouped by another key, waiting to be aggregated. When a row changes, its old value is subtracted from the group it was in, then its new
/// value added to the group it is in now, so adder and subtractor must undo each other. Source: Kafka's <c>KGroupedTable</c>.
/// </summary>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class KGroupedTable<K, V>
{
    private readonly GraphBuilder _graph;
    private readonly GraphNode _node;
    private readonly string? _groupName;
    private readonly ISerde<K>? _keySerde;
    private readonly ISerde<V>? _valueSerde;
    private TableRepartitionNode<K, V>? _repartition;

    internal KGroupedTable(GraphBuilder graph, GraphNode node, string? groupName, ISerde<K>? keySerde, ISerde<V>? valueSerde)
    {
        _graph = graph;
        _node = node;
        _groupName = groupName;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    internal GraphBuilder Graph => _graph;

    internal ISerde<K>? KeySerde => _keySerde;

    internal ISerde<V>? ValueSerde => _valueSerde;

    /// <summary>Counts the rows of each group.</summary>
    public KTable<K, long> Count(Materialized<K, long>? materialized = null, Named? named = null) => Aggregate(
        "KTABLE-AGGREGATE-",
        materialized,
        Serdes.Int64,
        named,
        static (storeName, sendsOldValues) => new TableAggregate<K, V, long>(
            storeName, static () => 0, static (_, _, count) => count + 1, static (_, _, count) => count - 1, sendsOldValues));

    /// <summary>Combines the rows of each group. A result of <c>null</c> deletes the group's row.</summary>
    /// <param name="adder">Gives the new result for the old one and a row that joins the group.</param>
    /// <param name="subtractor">Gives the new result for the old one and a row that leaves the group; not called when there is no result.</param>
    /// <param name="materialized">How the result is kept.</param>
    /// <param name="named">Name of the operator.</param>
    public KTable<K, V> Reduce(Func<V, V, V> adder, Func<V, V, V> subtractor, Materialized<K, V>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(adder);
        ArgumentNullException.ThrowIfNull(subtractor);
        return Aggregate(
            "KTABLE-REDUCE-",
            materialized,
            _valueSerde,
            named,
            (storeName, sendsOldValues) => new TableReduce<K, V>(storeName, adder, subtractor, sendsOldValues));
    }

    /// <summary>Folds the rows of each group into an aggregate. An aggregate of <c>null</c> deletes the group's row.</summary>
    /// <param name="initializer">Gives the aggregate of a group that has none.</param>
    /// <param name="adder">Gives the new aggregate for key, a row that joins the group, and old aggregate.</param>
    /// <param name="subtractor">Gives the new aggregate for key, a row that leaves the group, and old aggregate; not called when there is none.</param>
    /// <param name="materialized">How the result is kept.</param>
    /// <param name="named">Name of the operator.</param>
    public KTable<K, VR> Aggregate<VR>(
        Func<VR> initializer,
        Func<K, V, VR, VR> adder,
        Func<K, V, VR, VR> subtractor,
        Materialized<K, VR>? materialized = null,
        Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        ArgumentNullException.ThrowIfNull(adder);
        ArgumentNullException.ThrowIfNull(subtractor);
        return Aggregate(
            "KTABLE-AGGREGATE-",
            materialized,
            null,
            named,
            (storeName, sendsOldValues) => new TableAggregate<K, V, VR>(storeName, initializer, adder, subtractor, sendsOldValues));
    }

    /// <summary>Adds an aggregation by the processor given here, with stores of its own beside the result's.</summary>
    internal KTable<K, VR> Aggregate<VR>(
        string prefix,
        Materialized<K, VR>? materialized,
        ISerde<VR>? valueSerde,
        Named? named,
        Func<string, bool, Processor<K, Change<V>>> processor,
        Func<StoreSettings, string, IReadOnlyList<IStoreBuilder>>? furtherStores = null)
    {
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? _graph.NewStoreName(prefix);
        var sinkName = _graph.NameOf(named, "-sink", "KSTREAM-SINK-");
        var sourceName = _graph.NameOf(named, "-source", "KSTREAM-SOURCE-");
        var name = _graph.NameOf(named, prefix);
        var keySerde = materialized?.KeySerde ?? _keySerde;
        valueSerde = materialized?.ValueSerde ?? valueSerde;

        // A named grouping has one topic, however often it is aggregated; otherwise each store has its own.
        if (_repartition is null || _groupName is null)
        {
            _repartition = new TableRepartitionNode<K, V>(
                sinkName,
                sourceName,
                (_groupName ?? storeName) + "-repartition",
                _graph.Serde(_keySerde, sinkName, "key", "Grouped.With"),
                _graph.Serde(_valueSerde, sinkName, "value", "Grouped.With"));
        }

        _graph.Add(_node, _repartition);
        var table = new KeyValueTable<K, VR>(storeName);
        var store = StoreFactory.KeyValue(_graph, settings, storeName, name, keySerde, valueSerde);
        var node = new ProcessorGraphNode<K, Change<V>>(name, () => processor(storeName, table.SendsOldValues)) 
        {
            Stores = furtherStores is null ? [store] : [store, .. furtherStores(settings, storeName)],
        };
        _graph.Add(_repartition, node);
        return new KTable<K, VR>(_graph, node, keySerde, valueSerde, KStream<K, V>.Single(_repartition.Name), table, settings.Name);
    }
}
