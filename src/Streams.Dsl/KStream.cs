using Streams.Dsl.Joins;
using Streams.Dsl.Nodes;
using Streams.Dsl.TimeToLive;

namespace Streams.Dsl;

/// <summary>
/// A stream of records: each stands for itself, as a fact. Operators describe what happens to every record; nothing runs until an application
/// or a test driver runs the topology.
/// </summary>
/// <remarks>
/// <para>
/// Absent keys and values: functions are called with <c>null</c> where the type can be <c>null</c> (classes, <see cref="Nullable{T}"/>), as Kafka Streams
/// does. A struct that cannot be <c>null</c> is never shown as <c>default</c>; each operator says what it does then, and <see cref="Process{KOut, VOut}"/>
/// sees the record itself.
/// </para>
/// <para>Names: generated as Kafka Streams generates them, unless given. Source: Kafka's <c>KStream</c>.</para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class KStream<K, V>
{
    // Streams of one key change that are joined again and again share one repartition topic.
    private RepartitionNode? _joinRepartition;

    internal KStream(
        GraphBuilder graph,
        GraphNode node,
        ISerde<K>? keySerde,
        ISerde<V>? valueSerde,
        IReadOnlySet<string> sources,
        bool repartitionRequired)
    {
        Graph = graph;
        Node = node;
        KeySerde = keySerde;
        ValueSerde = valueSerde;
        Sources = sources;
        RepartitionRequired = repartitionRequired;
    }

    internal GraphBuilder Graph { get; }

    internal GraphNode Node { get; }

    internal string Name => Node.Name;

    internal ISerde<K>? KeySerde { get; }

    internal ISerde<V>? ValueSerde { get; }

    /// <summary>Source nodes that this stream's records come from within its sub-topology.</summary>
    internal IReadOnlySet<string> Sources { get; }

    /// <summary>Whether an operator changed the key since the last repartitioning, so that grouping or joining must repartition.</summary>
    internal bool RepartitionRequired { get; }

    /// <summary>Keeps the records for which the predicate is true. A record with an absent struct is dropped.</summary>
    public KStream<K, V> Filter(Func<K, V, bool> predicate, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return With(AddProcessor("KSTREAM-FILTER-", named, () => new StreamFilter<K, V>(predicate, keep: true)), RepartitionRequired);
    }

    /// <summary>Keeps the records for whose value the predicate is true. A record with an absent struct is dropped.</summary>
    public KStream<K, V> Filter(Func<V, bool> predicate, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return With(AddProcessor("KSTREAM-FILTER-", named, () => new StreamValueFilter<K, V>(predicate, keep: true)), RepartitionRequired);
    }

    /// <summary>Keeps the records for which the predicate is false. A record with an absent struct is kept.</summary>
    public KStream<K, V> FilterNot(Func<K, V, bool> predicate, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return With(AddProcessor("KSTREAM-FILTER-", named, () => new StreamFilter<K, V>(predicate, keep: false)), RepartitionRequired);
    }

    /// <summary>Keeps the records for whose value the predicate is false. A record with an absent struct is kept.</summary>
    public KStream<K, V> FilterNot(Func<V, bool> predicate, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        return With(AddProcessor("KSTREAM-FILTER-", named, () => new StreamValueFilter<K, V>(predicate, keep: false)), RepartitionRequired);
    }

    /// <summary>
    /// Gives each record another key. A record with an absent struct is dropped and counted. Grouping or joining the result repartitions it.
    /// </summary>
    public KStream<KR, V> SelectKey<KR>(Func<K, V, KR> selector, Named? named = null)
    {
        var node = SelectKeyNode(selector, named);
        Graph.Add(Node, node);
        return new KStream<KR, V>(Graph, node, null, ValueSerde, Sources, repartitionRequired: true);
    }

    /// <summary>
    /// Gives each record another key, made from the old one alone, also where the value is an absent struct. A record whose key is an absent struct is
    /// dropped and counted. Grouping or joining the result repartitions it.
    /// </summary>
    public KStream<KR, V> SelectKey<KR>(Func<K, KR> selector, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(selector);
        var node = AddProcessor("KSTREAM-KEY-SELECT-", named, () => new StreamMapKey<K, V, KR>(selector), changesKey: true);
        return new KStream<KR, V>(Graph, node, null, ValueSerde, Sources, repartitionRequired: true);
    }

    /// <summary>
    /// Gives each record another key and value. A record with an absent struct is dropped and counted. Grouping or joining the result repartitions
    /// it, even if the keys are the same: use <see cref="MapValues{VR}(Func{V, VR}, Named)"/> when they are.
    /// </summary>
    public KStream<KR, VR> Map<KR, VR>(Func<K, V, KeyValuePair<KR, VR>> mapper, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        var node = AddProcessor("KSTREAM-MAP-", named, () => new StreamMap<K, V, KR, VR>(mapper), changesKey: true);
        return new KStream<KR, VR>(Graph, node, null, null, Sources, repartitionRequired: true);
    }

    /// <summary>Gives each record another value. An absent struct stays absent.</summary>
    public KStream<K, VR> MapValues<VR>(Func<V, VR> mapper, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        return WithValues<VR>(AddProcessor("KSTREAM-MAPVALUES-", named, () => new StreamMapValues<K, V, VR>(mapper), changesValue: true));
    }

    /// <summary>Gives each record another value, seeing the key, which must not be changed. An absent struct makes the result absent.</summary>
    public KStream<K, VR> MapValues<VR>(Func<K, V, VR> mapper, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        return WithValues<VR>(AddProcessor("KSTREAM-MAPVALUES-", named, () => new StreamMapValuesWithKey<K, V, VR>(mapper), changesValue: true));
    }

    /// <summary>
    /// Turns each record into any number of records. A record with an absent struct is dropped and counted. Grouping or joining the result
    /// repartitions it.
    /// </summary>
    public KStream<KR, VR> FlatMap<KR, VR>(Func<K, V, IEnumerable<KeyValuePair<KR, VR>>> mapper, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        var node = AddProcessor("KSTREAM-FLATMAP-", named, () => new StreamFlatMap<K, V, KR, VR>(mapper), changesKey: true);
        return new KStream<KR, VR>(Graph, node, null, null, Sources, repartitionRequired: true);
    }

    /// <summary>Turns each record into one record per value, with the same key. An absent struct gives none.</summary>
    public KStream<K, VR> FlatMapValues<VR>(Func<V, IEnumerable<VR>> mapper, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        return WithValues<VR>(AddProcessor("KSTREAM-FLATMAPVALUES-", named, () => new StreamFlatMapValues<K, V, VR>(mapper), changesValue: true));
    }

    /// <summary>Turns each record into one record per value, seeing the key, which must not be changed. An absent struct gives none.</summary>
    public KStream<K, VR> FlatMapValues<VR>(Func<K, V, IEnumerable<VR>> mapper, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(mapper);
        return WithValues<VR>(AddProcessor("KSTREAM-FLATMAPVALUES-", named, () => new StreamFlatMapValuesWithKey<K, V, VR>(mapper), changesValue: true));
    }

    /// <summary>
    /// Shows each record to an action and goes on with it unchanged. The action runs again when a record is processed again, and is not called for
    /// an absent struct.
    /// </summary>
    public KStream<K, V> Peek(Action<K, V> action, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(action);
        return With(AddProcessor("KSTREAM-PEEK-", named, () => new StreamPeek<K, V>(action)), RepartitionRequired);
    }

    /// <summary>
    /// Shows each record to an action; the stream ends here. The action runs again when a record is processed again, and is not called for an absent
    /// struct.
    /// </summary>
    public void ForEach(Action<K, V> action, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(action);
        AddProcessor("KSTREAM-FOREACH-", named, () => new StreamForEach<K, V>(action));
    }

    /// <summary>Writes each record as a line <c>[label]: key, value</c>; the stream ends here.</summary>
    public void Print(Printed<K, V> printed)
    {
        ArgumentNullException.ThrowIfNull(printed);
        var named = printed.Name is null ? null : Named.As(printed.Name);
        var name = Graph.NameOf(named, "KSTREAM-PRINTER-");
        var print = printed.ToAction(Name);
        Graph.Add(Node, new ProcessorGraphNode<K, V>(name, () => new StreamForEach<K, V>(print)));
    }

    /// <summary>Starts to split the stream into branches.</summary>
    /// <param name="named">Prefix of the branches' names.</param>
    public BranchedKStream<K, V> Split(Named? named = null) => new(this, named);

    /// <summary>Both streams' records, in no particular order between the two.</summary>
    public KStream<K, V> Merge(KStream<K, V> other, Named? named = null)
    {
        ArgumentNullException.ThrowIfNull(other);
        ThrowIfForeign(other.Graph);
        var node = new ProcessorGraphNode<K, V>(Graph.NameOf(named, "KSTREAM-MERGE-"), static () => new PassThrough<K, V>()) { IsMerge = true };
        Graph.Add([Node, other.Node], node);
        return new KStream<K, V>(
            Graph,
            node,
            KeySerde == other.KeySerde ? KeySerde : null,
            ValueSerde == other.ValueSerde ? ValueSerde : null,
            Union(Sources, other.Sources),
            RepartitionRequired || other.RepartitionRequired);
    }

    /// <summary>Sends the stream through an internal topic that the application makes, and goes on with what it reads back.</summary>
    public KStream<K, V> Repartition(Repartitioned<K, V>? repartitioned = null)
    {
        var prefix = repartitioned?.Name ?? Graph.NewProcessorName("KSTREAM-REPARTITION-");
        var names = RepartitionNames.Reserve(Graph, prefix);
        var keySerde = Graph.Serde(repartitioned?.KeySerde ?? KeySerde, names.Source, "key", "Repartitioned.With");
        var valueSerde = Graph.Serde(repartitioned?.ValueSerde ?? ValueSerde, names.Source, "value", "Repartitioned.With");
        var node = new RepartitionNode<K, V>(names, keySerde, valueSerde)
        {
            IsOptimizable = false,
            PartitionCount = repartitioned?.NumberOfPartitions,
            Partitioner = repartitioned?.Partitioner,
        };
        Graph.Add(Node, node);
        return new KStream<K, V>(Graph, node, keySerde, valueSerde, Single(names.Source), repartitionRequired: false);
    }

    /// <summary>Writes the stream to a topic, which must exist.</summary>
    public void To(string topic, Produced<K, V>? produced = null)
    {
        ArgumentNullException.ThrowIfNull(topic);
        AddSink(topic, null, produced);
    }

    /// <summary>Writes each record to the topic that the function names; the topics must exist.</summary>
    public void To(TopicNameExtractor<K, V> topicExtractor, Produced<K, V>? produced = null)
    {
        ArgumentNullException.ThrowIfNull(topicExtractor);
        AddSink(null, topicExtractor, produced);
    }

    /// <summary>
    /// Reads the stream as a table: the latest value per key, a record without value deleting the row, a record without key dropped and counted.
    /// Repartitions first if the key has been changed.
    /// </summary>
    public KTable<K, V> ToTable(Materialized<K, V>? materialized = null, Named? named = null)
    {
        var name = Graph.NameOf(named, "KSTREAM-TOTABLE-");
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? Graph.NewStoreName("KSTREAM-TOTABLE-");
        var keySerde = materialized?.KeySerde ?? KeySerde;
        var valueSerde = materialized?.ValueSerde ?? ValueSerde;
        var parent = Node;
        var sources = Sources;
        if (RepartitionRequired)
        {
            var repartition = NewRepartition(name, keySerde, valueSerde);
            Graph.Add(Node, repartition);
            parent = repartition;
            sources = Single(repartition.Name);
        }

        var table = new TableSource<K, V>(storeName, settings.Name is not null, settings.HistoryRetention, settings.TimeToLive);
        table.Life = TimeToLiveSettings.Of(settings.TimeToLive, () => Graph.Serde(keySerde, name, "key", "Materialized.With"));
        var graph = Graph;
        var node = new ProcessorGraphNode<K, V>(name, table.CreateProcessor)
        {
            Store = () => table.StoreName is null
                ? null
                : settings.HistoryRetention is null
                    ? StoreFactory.KeyValue(graph, settings, storeName, name, keySerde, valueSerde, rowsExpire: true)
                    : StoreFactory.Versioned(graph, settings, storeName, name, keySerde, valueSerde),
            Stores = settings.TimeToLive is null ? [] : [StoreFactory.ExpiryIndex(graph, settings, storeName)],
        };
        Graph.Add(parent, node);
        return new KTable<K, V>(Graph, node, keySerde, valueSerde, sources, table, settings.Name);
    }

    /// <summary>Groups by the key. Repartitions only if the key has been changed before.</summary>
    public KGroupedStream<K, V> GroupByKey(Grouped<K, V>? grouped = null) =>
        new(Graph, Node, grouped?.Name, grouped?.KeySerde ?? KeySerde, grouped?.ValueSerde ?? ValueSerde, Sources, RepartitionRequired);

    /// <summary>
    /// Groups by another key, through a repartition topic. A record with an absent struct, or whose key is mapped to <c>null</c>, is in no group.
    /// </summary>
    public KGroupedStream<KR, V> GroupBy<KR>(Func<K, V, KR> selector, Grouped<KR, V>? grouped = null)
    {
        var node = SelectKeyNode(selector, grouped?.Name);
        Graph.Add(Node, node);
        return new KGroupedStream<KR, V>(Graph, node, grouped?.Name, grouped?.KeySerde, grouped?.ValueSerde ?? ValueSerde, Sources, repartitionRequired: true);
    }

    /// <summary>Runs a processor on each record. Grouping or joining the result repartitions it, because the processor may change keys.</summary>
    /// <param name="supplier">Makes an instance per task.</param>
    /// <param name="named">Name of the node.</param>
    /// <param name="stores">Stores that the processor brings along; several operators may bring the same builder and share the store.</param>
    /// <param name="storeNames">Names of stores, added to the builder or made by other operators, that it uses.</param>
    public KStream<KOut, VOut> Process<KOut, VOut>(
        Func<Processor<K, V, KOut, VOut>> supplier,
        Named? named = null,
        IReadOnlyList<IStoreBuilder>? stores = null,
        params string[] storeNames)
    {
        ArgumentNullException.ThrowIfNull(supplier);
        var node = ProcessorNode(named, "KSTREAM-PROCESSOR-", supplier, stores, storeNames, changesKey: true);
        Graph.Add(Node, node);
        return new KStream<KOut, VOut>(Graph, node, null, null, Sources, repartitionRequired: true);
    }

    /// <summary>Runs a processor that sends nothing on; the stream ends here.</summary>
    /// <inheritdoc cref="Process{KOut, VOut}"/>
    public void Process(
        Func<Processor<K, V>> supplier,
        Named? named = null,
        IReadOnlyList<IStoreBuilder>? stores = null,
        params string[] storeNames)
    {
        ArgumentNullException.ThrowIfNull(supplier);
        Graph.Add(Node, ProcessorNode(named, "KSTREAM-PROCESSOR-", supplier, stores, storeNames, changesKey: true));
    }

    /// <summary>Runs a processor that cannot change keys on each record, so that nothing is repartitioned because of it.</summary>
    /// <inheritdoc cref="Process{KOut, VOut}"/>
    public KStream<K, VOut> ProcessValues<VOut>(
        Func<FixedKeyProcessor<K, V, VOut>> supplier,
        Named? named = null,
        IReadOnlyList<IStoreBuilder>? stores = null,
        params string[] storeNames)
    {
        ArgumentNullException.ThrowIfNull(supplier);
        var name = named?.Name ?? Graph.NewProcessorName("KSTREAM-PROCESSVALUES-");
        var node = new ProcessorGraphNode<K, V>(
            name,
            () => new FixedKeyNode<K, V, VOut>(supplier() ?? throw new TopologyException($"The supplier of processor '{name}' returned null; it must return a new processor.")))
        {
            ChangesValue = true,
            Stores = stores ?? [],
            ConnectedStores = () => storeNames,
        };
        Graph.Add(Node, node);
        return new KStream<K, VOut>(Graph, node, KeySerde, null, Sources, RepartitionRequired);
    }

    /// <summary>
    /// Joins each record with the table's row of the same key, as it is when the record comes; a record without a row is dropped. Repartitions first
    /// if the key has been changed.
    /// </summary>
    public KStream<K, VR> Join<VT, VR>(KTable<K, VT> table, Func<V, VT, VR> joiner, Joined<K, V, VT>? joined = null) =>
        StreamTableJoiner.Join(this, table, Joiners.Of<K, V, VT, VR>(joiner), isLeft: false, joined);

    /// <summary>Joins each record with the table's row of the same key, seeing the key.</summary>
    /// <inheritdoc cref="Join{VT, VR}(KTable{K, VT}, Func{V, VT, VR}, Joined{K, V, VT})"/>
    public KStream<K, VR> Join<VT, VR>(KTable<K, VT> table, Func<K, V, VT, VR> joiner, Joined<K, V, VT>? joined = null) =>
        StreamTableJoiner.Join(this, table, Joiners.Of(joiner), isLeft: false, joined);

    /// <summary>
    /// Joins records of both streams with equal keys whose times are within the windows of each other. The result's time is the larger of both.
    /// Repartitions a stream first if its key has been changed; both must have the same number of partitions.
    /// </summary>
    public KStream<K, VR> Join<VO, VR>(KStream<K, VO> other, Func<V, VO, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null) =>
        StreamStreamJoiner.Join(this, other, Joiners.Of<K, V, VO, VR>(joiner), windows, JoinKind.Inner, joined);

    /// <summary>Joins records of both streams, seeing the key.</summary>
    /// <inheritdoc cref="Join{VO, VR}(KStream{K, VO}, Func{V, VO, VR}, JoinWindows, StreamJoined{K, V, VO})"/>
    public KStream<K, VR> Join<VO, VR>(KStream<K, VO> other, Func<K, V, VO, VR> joiner, JoinWindows windows, StreamJoined<K, V, VO>? joined = null) =>
        StreamStreamJoiner.Join(this, other, Joiners.Of(joiner), windows, JoinKind.Inner, joined);

    /// <summary>Joins each record with the row that the selected key has in a global table; a record without a row, or with no such key, is dropped.</summary>
    public KStream<K, VR> Join<KG, VG, VR>(GlobalKTable<KG, VG> table, Func<K, V, KG> keySelector, Func<V, VG, VR> joiner, Named? named = null) =>
        StreamTableJoiner.Join(this, table, keySelector, Joiners.Of<K, V, VG, VR>(joiner), isLeft: false, named);

    /// <summary>The same stream behind another node.</summary>
    internal KStream<K, V> With(GraphNode node, bool repartitionRequired) => new(Graph, node, KeySerde, ValueSerde, Sources, repartitionRequired);

    /// <summary>This stream, repartitioned if its key has been changed, with the serdes given or its own.</summary>
    internal KStream<K, V> RepartitionedForJoin(string? topicPrefix, ISerde<K>? keySerde, ISerde<V>? valueSerde)
    {
        if (!RepartitionRequired) return this;
        var prefix = topicPrefix ?? Name;

        // Names are reserved at each join, also when the topic of an earlier one serves.
        var repartition = NewRepartition(prefix, keySerde ?? KeySerde, valueSerde ?? ValueSerde);
        if (_joinRepartition is null || prefix != Name)
        {
            _joinRepartition = repartition;
            Graph.Add(Node, repartition);
        }

        return new KStream<K, V>(
            Graph, _joinRepartition, keySerde ?? KeySerde, valueSerde ?? ValueSerde, Single(_joinRepartition.Name), repartitionRequired: false);
    }

    internal void ThrowIfForeign(GraphBuilder other)
    {
        if (other != Graph) throw new TopologyException($"'{Name}' is combined with a stream or table of another StreamsBuilder; both must come from the same one.");
    }

    internal static HashSet<string> Single(string source) => [source];

    internal static HashSet<string> Union(IReadOnlySet<string> one, IReadOnlySet<string> other) => [.. one, .. other];

    private static ProcessorGraphNode<K, V> NewProcessorNode(string name, Func<Processor<K, V>> supplier, bool changesKey, bool changesValue) =>
        new(name, supplier) { ChangesKey = changesKey, ChangesValue = changesValue };

    private RepartitionNode<K, V> NewRepartition(string prefix, ISerde<K>? keySerde, ISerde<V>? valueSerde)
    {
        var names = RepartitionNames.Reserve(Graph, prefix);
        return new RepartitionNode<K, V>(
            names,
            Graph.Serde(keySerde, names.Source, "key", "Joined, StreamJoined or Materialized"),
            Graph.Serde(valueSerde, names.Source, "value", "Joined, StreamJoined or Materialized"))
        {
            IsOptimizable = true,
        };
    }

    private ProcessorGraphNode<K, V> AddProcessor(
        string prefix,
        Named? named,
        Func<Processor<K, V>> supplier,
        bool changesKey = false,
        bool changesValue = false)
    {
        var node = NewProcessorNode(Graph.NameOf(named, prefix), supplier, changesKey, changesValue);
        Graph.Add(Node, node);
        return node;
    }

    private ProcessorGraphNode<K, V> SelectKeyNode<KR>(Func<K, V, KR> selector, Named? named)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return NewProcessorNode(Graph.NameOf(named, "KSTREAM-KEY-SELECT-"), () => new StreamSelectKey<K, V, KR>(selector), changesKey: true, changesValue: false);
    }

    private ProcessorGraphNode<K, V> ProcessorNode(
        Named? named,
        string prefix,
        Func<Processor<K, V>> supplier,
        IReadOnlyList<IStoreBuilder>? stores,
        string[] storeNames,
        bool changesKey)
    {
        // Unlike other operators, a named processor uses no number up; Kafka Streams does the same.
        var name = named?.Name ?? Graph.NewProcessorName(prefix);

        // Found at a second task otherwise, so not before there are several partitions. Source: Kafka's ApiUtils.checkSupplier.
        var processor = supplier();
        if (processor is not null && ReferenceEquals(processor, supplier()))
            throw new TopologyException($"The supplier of processor '{name}' returned the same instance twice; each task needs its own: write () => new {processor.GetType().Name}(…).");
        return new ProcessorGraphNode<K, V>(name, supplier)
        {
            ChangesKey = changesKey,
            Stores = stores ?? [],
            ConnectedStores = () => storeNames,
        };
    }

    private KStream<K, VR> WithValues<VR>(GraphNode node) => new(Graph, node, KeySerde, null, Sources, RepartitionRequired);

    private void AddSink(string? topic, TopicNameExtractor<K, V>? extractor, Produced<K, V>? produced)
    {
        var name = Graph.NameOf(produced?.Name, "KSTREAM-SINK-");
        var options = new SinkOptions<K, V>
        {
            KeySerializer = Graph.Serde(produced?.KeySerde ?? KeySerde, name, "key", "Produced.With"),
            ValueSerializer = Graph.Serde(produced?.ValueSerde ?? ValueSerde, name, "value", "Produced.With"),
            Partitioner = produced?.Partitioner,
            TopicExtractor = extractor,
        };
        Graph.Add(Node, new StreamSinkNode<K, V>(name, topic, options));
    }
}
