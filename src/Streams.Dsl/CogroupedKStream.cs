using System.Globalization;
using Streams.Dsl.Nodes;
using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// Several grouped streams that are aggregated into one table, each with its own aggregator. All must have the same number of partitions.
/// Source: KIP-150.
/// </summary>
/// <typeparam name="K">Key type of the groups.</typeparam>
/// <typeparam name="VR">Type of the aggregate.</typeparam>
public sealed class CogroupedKStream<K, VR>
{
    private const string AggregatePrefix = "COGROUPKSTREAM-AGGREGATE-";

    private readonly List<CogroupInput<K, VR>> _inputs = [];

    internal CogroupedKStream(GraphBuilder graph, ISerde<K>? keySerde)
    {
        Graph = graph;
        KeySerde = keySerde;
    }

    internal GraphBuilder Graph { get; }

    internal ISerde<K>? KeySerde { get; private set; }

    internal IReadOnlyList<CogroupInput<K, VR>> Inputs => _inputs;

    /// <summary>Adds a grouped stream and how its values are folded into the aggregate.</summary>
    public CogroupedKStream<K, VR> Cogroup<V>(KGroupedStream<K, V> stream, Func<K, V, VR, VR> aggregator)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(aggregator);
        if (stream.Graph != Graph) throw new TopologyException("A grouped stream of another StreamsBuilder is cogrouped; all must come from the same one.");
        _inputs.Add(new CogroupInput<K, V, VR>(stream, aggregator));
        KeySerde ??= stream.KeySerde;
        return this;
    }

    /// <summary>Folds the values of all streams into one aggregate per key. An aggregate of <c>null</c> deletes the row.</summary>
    /// <param name="initializer">Gives the aggregate of a key that has none.</param>
    /// <param name="materialized">How the table is kept.</param>
    /// <param name="named">Prefix of the operators' names.</param>
    public KTable<K, VR> Aggregate(Func<VR> initializer, Materialized<K, VR>? materialized = null, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? Graph.NewStoreName(AggregatePrefix);
        var keySerde = materialized?.KeySerde ?? KeySerde;
        var valueSerde = materialized?.ValueSerde;
        var table = new KeyValueTable<K, VR>(storeName);
        var store = StoreFactory.KeyValue(Graph, settings, storeName, named?.Name ?? AggregatePrefix + "…", keySerde, valueSerde);
        var merge = Merge(storeName, named, static () => new PassThrough<K, Change<VR>>(), (input, name) => input.CreateNode(name, storeName, initializer, store, table));
        return new KTable<K, VR>(Graph, merge, keySerde, valueSerde, KStream<K, VR>.Single(merge.Name), table, settings.Name);
    }

    /// <summary>Aggregates in tumbling or hopping windows.</summary>
    public TimeWindowedCogroupedKStream<K, VR> WindowedBy(TimeWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new TimeWindowedCogroupedKStream<K, VR>(this, new TimeWindowSpec(FixedWindows.Of(windows)));
    }

    /// <summary>Aggregates in sliding windows.</summary>
    public TimeWindowedCogroupedKStream<K, VR> WindowedBy(SlidingWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new TimeWindowedCogroupedKStream<K, VR>(this, new SlidingWindowSpec(windows));
    }

    /// <summary>Aggregates in sessions.</summary>
    public SessionWindowedCogroupedKStream<K, VR> WindowedBy(SessionWindows windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new SessionWindowedCogroupedKStream<K, VR>(this, new SessionWindowSpec(windows));
    }

    internal KTable<Windowed<K>, VR> AggregateWindows(
        Func<VR> initializer, Func<K, VR, VR, VR>? merger, WindowSpec windows, Materialized<K, VR>? materialized, Named? named)
    {
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? Graph.NewStoreName(AggregatePrefix);
        var nodeName = named?.Name ?? AggregatePrefix + "…";
        var keySerde = Graph.Serde(materialized?.KeySerde ?? KeySerde, nodeName, "key", "Grouped.With");
        var valueSerde = materialized?.ValueSerde;
        var table = windows.CreateTable<K, VR>(storeName);
        var store = windows.CreateStore(Graph, settings, storeName, nodeName, keySerde, valueSerde, Emission.OnUpdate);
        var merge = Merge(
            storeName,
            named,
            static () => new PassThrough<Windowed<K>, Change<VR>>(),
            (input, name) => input.CreateWindowedNode(name, storeName, initializer, merger, windows, store, table));
        return new KTable<Windowed<K>, VR>(
            Graph, merge, windows.KeySerde(keySerde), valueSerde, KStream<K, VR>.Single(merge.Name), table, settings.Name);
    }

    /// <summary>Adds the repartition topics, the aggregating nodes and the node where they meet.</summary>
    internal GraphNode Merge<KOut>(
        string storeName,
        Named? named,
        Func<PassThrough<KOut, Change<VR>>> merge,
        Func<CogroupInput<K, VR>, string, GraphNode> createNode)
    {
        var parents = new List<(GraphNode Node, IReadOnlySet<string> Sources)>();
        var sources = new HashSet<string>();
        foreach (var input in _inputs)
        {
            var (parent, inputSources) = input.Repartitioned(storeName);
            parents.Add((parent, inputSources));
            sources.UnionWith(inputSources);
        }

        Graph.Copartition(sources);
        var nodes = new List<GraphNode>();
        for (var index = 0; index < _inputs.Count; index++)
        {
            var suffix = "-cogroup-agg-" + index.ToString(CultureInfo.InvariantCulture);
            var node = createNode(_inputs[index], Graph.NameOf(named, suffix, AggregatePrefix));
            nodes.Add(node);
            Graph.Add(parents[index].Node, node);
            _inputs[index].AddDropped(Graph, node, parents[index].Sources);
        }

        var mergeNode = new ProcessorGraphNode<KOut, Change<VR>>(Graph.NameOf(named, "-cogroup-merge", "COGROUPKSTREAM-MERGE-"), merge);
        Graph.Add(nodes, mergeNode);
        return mergeNode;
    }
}
