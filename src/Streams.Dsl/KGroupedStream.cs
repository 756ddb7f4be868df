using Streams.Dsl.Dropped;
using Streams.Dsl.Nodes;
using Streams.Dsl.TimeToLive;
using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// A stream grouped by key, waiting to be aggregated. Records without key or value are in no group: they are dropped and counted. Results go out on
/// each update, or once per commit and key when the record cache is on. Source: Kafka's <c>KGroupedStream</c>.
/// </summary>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class KGroupedStream<K, V>
{
    // Shared by the grouping and what WithDropped makes of it: a named grouping has one topic.
    private readonly SharedRepartition _repartition;

    internal KGroupedStream(
        GraphBuilder graph,
        GraphNode node,
        string? groupName,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        IReadOnlySet<string> sources,
        bool repartitionRequired)
        : this(graph, node, groupName, keySerde, valueSerde, sources, repartitionRequired, new SharedRepartition(), null)
    {
    }

    private KGroupedStream(
        GraphBuilder graph,
        GraphNode node,
        string? groupName,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        IReadOnlySet<string> sources,
        bool repartitionRequired,
        SharedRepartition repartition,
        DroppedOutput<K, V>? dropped)
    {
        _repartition = repartition;
        Dropped = dropped;
        Graph = graph;
        Node = node;
        GroupName = groupName;
        KeySerde = keySerde;
        ValueSerde = valueSerde;
        Sources = sources;
        RepartitionRequired = repartitionRequired;
    }

    internal GraphBuilder Graph { get; }

    internal GraphNode Node { get; }

    internal string? GroupName { get; }

    internal ISerde<K>? KeySerde { get; }

    internal ISerde<V>? ValueSerde { get; }

    internal IReadOnlySet<string> Sources { get; }

    internal bool RepartitionRequired { get; }

    internal DroppedOutput<K, V>? Dropped { get; }

    /// <summary>
    /// Gives the records that the aggregation leaves out a way of their own: those without key or value and, in windows, those that come too late.
    /// </summary>
    /// <remarks>
    /// They are records like any other: written in the same transaction as the results, and seen by the test driver. They are counted as dropped all the
    /// same. Records without key then travel through the repartition topic, if there is one, instead of being left out before it. Said again, it replaces what
    /// was said before.
    /// </remarks>
    /// <param name="use">Called with their stream when the aggregation is added; once per aggregation.</param>
    /// <param name="named">Name of the node that gives them.</param>
    public KGroupedStream<K, V> WithDropped(Action<KStream<K, DroppedRecord<V>>> use, Named? named = null) =>
        new(Graph, Node, GroupName, KeySerde, ValueSerde, Sources, RepartitionRequired, _repartition, DroppedOutput<K, V>.Of(use, named));

    /// <summary>Counts the records of each group.</summary>
    public KTable<K, long> Count(Materialized<K, long>? materialized = null, Named? named = null)
    {
        // A number that an early version used for a name nobody sees; later names depend on it.
        if (materialized?.StoreName is null) Graph.NewStoreName("KSTREAM-AGGREGATE-");
        return Aggregate(
            "KSTREAM-AGGREGATE-",
            materialized,
            Serdes.Int64,
            named,
            static (storeName, sendsOldValues, life) => new StreamCount<K, V>(storeName, sendsOldValues, life));
    }

    /// <summary>Combines the values of each group; the first one is the result until the second comes. A result of <c>null</c> deletes the row.</summary>
    public KTable<K, V> Reduce(Func<V, V, V> reducer, Materialized<K, V>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(reducer);
        return Aggregate(
            "KSTREAM-REDUCE-",
            materialized,
            ValueSerde,
            named,
            (storeName, sendsOldValues, life) => new StreamReduce<K, V>(storeName, reducer, sendsOldValues, life));
    }

    /// <summary>Folds the values of each group into an aggregate. An aggregate of <c>null</c> deletes the row, and the next value starts anew.</summary>
    /// <param name="initializer">Gives the aggregate of a group that has none.</param>
    /// <param name="aggregator">Gives the new aggregate for key, value and old aggregate.</param>
    /// <param name="materialized">How the table is kept.</param>
    /// <param name="named">Name of the operator.</param>
    public KTable<K, VR> Aggregate<VR>(
        Func<VR> initializer,
        Func<K, V, VR, VR> aggregator,
        Materialized<K, VR>? materialized = null,
        Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        ArgumentNullException.ThrowIfNull(aggregator);
        return Aggregate(
            "KSTREAM-AGGREGATE-",
            materialized,
            null,
            named,
            (storeName, sendsOldValues, life) => new StreamAggregate<K, V, VR>(storeName, initializer, aggregator, sendsOldValues, life));
    }

    /// <summary>Aggregates in tumbling or hopping windows.</summary>
    public TimeWindowedKStream<K, V> WindowedBy(TimeWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new TimeWindowedKStream<K, V>(this, new TimeWindowSpec(FixedWindows.Of(windows)), Emission.OnUpdate);
    }

    /// <summary>Aggregates in one window without end.</summary>
    public TimeWindowedKStream<K, V> WindowedBy(UnlimitedWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new TimeWindowedKStream<K, V>(this, new TimeWindowSpec(FixedWindows.Of(windows)), Emission.OnUpdate);
    }

    /// <summary>Aggregates in sliding windows.</summary>
    public TimeWindowedKStream<K, V> WindowedBy(SlidingWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new TimeWindowedKStream<K, V>(this, new SlidingWindowSpec(windows), Emission.OnUpdate);
    }

    /// <summary>Aggregates in sessions.</summary>
    public SessionWindowedKStream<K, V> WindowedBy(SessionWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new SessionWindowedKStream<K, V>(this, new SessionWindowSpec(windows), Emission.OnUpdate);
    }

    /// <summary>Begins an aggregation of several grouped streams into one table.</summary>
    public CogroupedKStream<K, VR> Cogroup<VR>(Func<K, V, VR, VR> aggregator) => new CogroupedKStream<K, VR>(Graph, KeySerde).Cogroup(this, aggregator);

    /// <summary>The node to aggregate behind: this stream, or its repartition topic, which is named after the grouping, else after the store.</summary>
    internal (GraphNode Parent, IReadOnlySet<string> Sources) Repartitioned(string storeName)
    {
        if (!RepartitionRequired) return (Node, Sources);
        var names = RepartitionNames.Reserve(Graph, GroupName ?? storeName);

        // A named grouping has one topic, however often it is aggregated; otherwise each store has its own.
        if (_repartition.Node is null || GroupName is null)
        {
            _repartition.Node = new RepartitionNode<K, V>(
                names,
                Graph.Serde(KeySerde, names.Source, "key", "Grouped.With"),
                Graph.Serde(ValueSerde, names.Source, "value", "Grouped.With"))
            {
                IsOptimizable = true,
            };
        }

        Graph.Add(Node, _repartition.Node);
        return (_repartition.Node, KStream<K, V>.Single(_repartition.Node.Name));
    }

    /// <summary>Adds an aggregation by the processor given here.</summary>
    internal KTable<K, VR> Aggregate<VR>(
        string prefix,
        Materialized<K, VR>? materialized,
        ISerde<VR>? valueSerde,
        Named? named,
        Func<string, bool, RowLife<K>?, Processor<K, V>> processor)
    {
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? Graph.NewStoreName(prefix);
        var name = Graph.NameOf(named, prefix);
        var keySerde = materialized?.KeySerde ?? KeySerde;
        valueSerde = materialized?.ValueSerde ?? valueSerde;
        var (parent, sources) = Repartitioned(storeName);
        var table = new KeyValueTable<K, VR>(storeName, settings.TimeToLive);
        var store = StoreFactory.KeyValue(Graph, settings, storeName, name, keySerde, valueSerde, rowsExpire: true);
        var life = TimeToLiveSettings.Of(settings.TimeToLive, () => Graph.Serde(keySerde, name, "key", "Materialized.With"));
        var node = new ProcessorGraphNode<K, V>(name, () => processor(storeName, table.SendsOldValues, life))
        {
            Stores = life is null ? [store] : [store, StoreFactory.ExpiryIndex(Graph, settings, storeName)],
            AcceptsNullKeys = Dropped is not null,
        };
        Graph.Add(parent, node);
        Dropped?.AddTo(Graph, node, keySerde, sources);
        return new KTable<K, VR>(Graph, node, keySerde, valueSerde, sources, table, settings.Name);
    }

    private sealed class SharedRepartition
    {
        public RepartitionNode? Node { get; set; }
    }
}
