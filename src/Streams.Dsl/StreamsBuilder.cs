using System.Text.RegularExpressions;
using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>
/// Where a topology begins: name the topics to read, write down what happens to their records, and call <see cref="Build"/>.
/// </summary>
/// <remarks>Not safe for several threads. Source: Kafka's <c>StreamsBuilder</c>.</remarks>
public sealed class StreamsBuilder
{
    private readonly GraphBuilder _graph;

    /// <summary>The graph that the methods grow.</summary>
    internal GraphBuilder Graph => _graph;

    /// <summary>Creates a builder.</summary>
    public StreamsBuilder(StreamsBuilderOptions? options = null) => _graph = new GraphBuilder(options ?? new StreamsBuilderOptions());

    /// <summary>Reads a topic as a stream.</summary>
    public KStream<K, V> Stream<K, V>(string topic, Consumed<K, V>? consumed = null)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return Stream([topic], consumed);
    }

    /// <summary>Reads several topics as one stream. They are read by the same tasks, partition by partition.</summary>
    public KStream<K, V> Stream<K, V>(IReadOnlyCollection<string> topics, Consumed<K, V>? consumed = null)
    {
        ArgumentNullException.ThrowIfNull(topics);
        if (topics.Count == 0) throw new TopologyException("A stream needs at least one topic.");
        return AddStream([.. topics], null, consumed);
    }

    /// <summary>Reads every topic whose name matches as one stream, also those that come later.</summary>
    public KStream<K, V> Stream<K, V>(Regex topicPattern, Consumed<K, V>? consumed = null)
    {
        ArgumentNullException.ThrowIfNull(topicPattern);
        return AddStream([], topicPattern, consumed);
    }

    /// <summary>
    /// Reads a topic as a table: the latest value per key, a record without value deleting the row, a record without key dropped and counted. The
    /// rows are kept in a store when it is named or a downstream operator needs it.
    /// </summary>
    public KTable<K, V> Table<K, V>(string topic, Consumed<K, V>? consumed = null, Materialized<K, V>? materialized = null)
    {
        ArgumentNullException.ThrowIfNull(topic);
        consumed ??= new Consumed<K, V>();
        var settings = materialized?.Settings ?? new StoreSettings();
        var storeName = settings.Name ?? _graph.NewStoreName(topic + "-");
        var sourceName = _graph.NameOf(consumed.Name, "-source", "KSTREAM-SOURCE-");
        var name = _graph.NameOf(consumed.Name, "KTABLE-SOURCE-");
        consumed = consumed with
        {
            KeySerde = materialized?.KeySerde ?? consumed.KeySerde,
            ValueSerde = materialized?.ValueSerde ?? consumed.ValueSerde,
        };
        var table = new TableSource<K, V>(storeName, settings.Name is not null, settings.HistoryRetention, settings.TimeToLive);
        var node = new TableSourceGraphNode<K, V>(name, sourceName, topic, consumed, table, settings, _graph);
        _graph.Add(_graph.RootNode, node);
        return new KTable<K, V>(_graph, node, consumed.KeySerde, consumed.ValueSerde, KStream<K, V>.Single(sourceName), table, settings.Name);
    }

    /// <summary>Reads a topic as a table that every instance keeps in full.</summary>
    public GlobalKTable<K, V> GlobalTable<K, V>(string topic, Consumed<K, V>? consumed = null, Materialized<K, V>? materialized = null)
    {
        ArgumentNullException.ThrowIfNull(topic);
        consumed ??= new Consumed<K, V>();
        var settings = materialized?.Settings ?? new StoreSettings();
        if (settings.HistoryRetention is not null) throw new TopologyException($"The global table of topic '{topic}' cannot be versioned; leave WithHistoryRetention out.");
        var storeName = settings.Name ?? _graph.NewStoreName(topic + "-");
        var sourceName = _graph.NameOf(consumed.Name, "-source", "KSTREAM-SOURCE-");
        var name = _graph.NameOf(consumed.Name, "KTABLE-SOURCE-");
        consumed = consumed with
        {
            KeySerde = materialized?.KeySerde ?? consumed.KeySerde,
            ValueSerde = materialized?.ValueSerde ?? consumed.ValueSerde,
        };
        _graph.Add(_graph.RootNode, new GlobalTableNode<K, V>(name, sourceName, topic, consumed, settings, storeName, _graph));
        return new GlobalKTable<K, V>(_graph, storeName, settings.Name is not null);
    }

    /// <summary>Adds a store that every instance keeps in full, from all partitions of a topic, written only by the processor given here.</summary>
    /// <param name="store">The store; without a changelog, because the topic is its log.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="supplier">Makes the processor that keeps the store up to date.</param>
    /// <param name="consumed">How the topic is read.</param>
    public StreamsBuilder AddGlobalStore<K, V>(IStoreBuilder store, string topic, Func<Processor<K, V>> supplier, Consumed<K, V>? consumed = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentNullException.ThrowIfNull(supplier);
        consumed ??= new Consumed<K, V>();
        var sourceName = _graph.NewProcessorName("KSTREAM-SOURCE-");
        var name = _graph.NewProcessorName("KTABLE-SOURCE-");
        _graph.Add(_graph.RootNode, new GlobalStoreNode<K, V>(name, sourceName, topic, consumed, store, supplier, _graph));
        return this;
    }

    /// <summary>
    /// Adds a store whose topic is its changelog, kept up to date by the processor given here; other processors connect to it by name, and only read. Source: KIP-813.
    /// See <see cref="Topology.AddReadOnlyStateStore{K, V}"/>.
    /// </summary>
    /// <param name="store">The store; without a changelog, because the topic is its log.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="supplier">Makes the processor that keeps the store up to date: it writes what the topic has.</param>
    /// <param name="consumed">How the topic is read.</param>
    public StreamsBuilder AddReadOnlyStateStore<K, V>(IStoreBuilder store, string topic, Func<Processor<K, V>> supplier, Consumed<K, V>? consumed = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentNullException.ThrowIfNull(supplier);
        consumed ??= new Consumed<K, V>();
        var sourceName = _graph.NewProcessorName("KSTREAM-SOURCE-");
        var name = _graph.NewProcessorName("KTABLE-SOURCE-");
        _graph.Add(_graph.RootNode, new ReadOnlyStoreNode<K, V>(name, sourceName, topic, consumed, store, supplier, _graph));
        return this;
    }

    /// <summary>Adds a store for processors to connect to by name.</summary>
    public StreamsBuilder AddStateStore(IStoreBuilder store)
    {
        ArgumentNullException.ThrowIfNull(store);
        _graph.Add(_graph.RootNode, new StateStoreNode(store));
        return this;
    }

    /// <summary>Compiles what has been written to a topology. Further calls give the same one; operators can no longer be added.</summary>
    /// <exception cref="TopologyException">Something is wrong with it; the message says what and where.</exception>
    public Topology Build() => _graph.Build();

    private KStream<K, V> AddStream<K, V>(string[] topics, Regex? pattern, Consumed<K, V>? consumed)
    {
        consumed ??= new Consumed<K, V>();
        var node = new StreamSourceNode<K, V>(_graph.NameOf(consumed.Name, "KSTREAM-SOURCE-"), topics, pattern, _graph, consumed);
        _graph.Add(_graph.RootNode, node);
        return new KStream<K, V>(_graph, node, consumed.KeySerde, consumed.ValueSerde, KStream<K, V>.Single(node.Name), repartitionRequired: false);
    }
}
