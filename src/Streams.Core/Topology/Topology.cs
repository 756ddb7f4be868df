using System.Text.RegularExpressions;

namespace Streams.Core;

/// <summary>
/// A graph of sources, processors, sinks and stores: what the DSL compiles to, and what can be written by hand. It is a description; each task
/// makes its own nodes from it.
/// </summary>
/// <remarks>
/// Nodes are added parents first, so the graph has no cycle. Every mistake is a <see cref="TopologyException"/> that names the node, store or
/// topic. Not safe for several threads while it is being built; not changed after an application has been started with it.
/// Source: Kafka's <c>Topology</c> and <c>InternalTopologyBuilder</c>.
/// </remarks>
public sealed class Topology
{
    private readonly Dictionary<string, NodeDefinition> _nodesByName = [];
    private readonly List<NodeDefinition> _nodes = [];
    private readonly Dictionary<string, StoreDefinition> _stores = [];
    private readonly Dictionary<string, SourceDefinition> _sourceByTopic = [];
    private readonly Dictionary<string, InternalTopic> _internalTopics = [];
    private readonly List<IReadOnlyList<string>> _copartitionedSources = [];
    private readonly List<ITopologyCompanion> _companions = [];

    internal IReadOnlyList<NodeDefinition> Nodes => _nodes;

    internal IReadOnlyDictionary<string, StoreDefinition> Stores => _stores;

    internal IReadOnlyDictionary<string, InternalTopic> InternalTopics => _internalTopics;

    /// <summary>What starts and ends with an application that runs the topology.</summary>
    internal IReadOnlyList<ITopologyCompanion> Companions => _companions;

    /// <summary>Groups of source nodes whose topics must have the same number of partitions.</summary>
    internal IReadOnlyList<IReadOnlyList<string>> CopartitionedSources => _copartitionedSources;

    /// <summary>Adds a source that reads topics.</summary>
    /// <param name="name">Name of the node, unique in the topology.</param>
    /// <param name="options">How it reads.</param>
    /// <param name="topics">One or more topics; no other source may read them.</param>
    public Topology AddSource<K, V>(string name, SourceOptions<K, V> options, params string[] topics)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(topics);
        if (topics.Length == 0) throw new TopologyException($"Source '{name}' has no topic; name at least one.");
        foreach (var topic in topics)
        {
            TopicNames.Validate(topic);
            if (_sourceByTopic.TryGetValue(topic, out var other))
                throw new TopologyException($"Topic '{topic}' is already read by source '{other.Name}'; source '{name}' cannot read it too. Use one source for both.");
            if (_nodes.OfType<SourceDefinition>().FirstOrDefault(source => source.Pattern?.IsMatch(topic) == true) is { } pattern)
                throw new TopologyException($"Topic '{topic}' of source '{name}' matches the pattern '{pattern.Pattern}' of source '{pattern.Name}'; a topic has one source.");
        }

        if (topics.Distinct().Count() != topics.Length)
            throw new TopologyException($"Source '{name}' names a topic twice: {string.Join(", ", topics)}.");
        var definition = new SourceDefinition<K, V>(name, topics, null, options);
        Add(definition);
        foreach (var topic in topics) _sourceByTopic.Add(topic, definition);
        return this;
    }

    /// <summary>Adds a source that reads every topic whose name matches, also those that come later.</summary>
    public Topology AddSource<K, V>(string name, SourceOptions<K, V> options, Regex pattern)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pattern);
        if (_sourceByTopic.FirstOrDefault(entry => pattern.IsMatch(entry.Key)) is { Key: { } topic, Value: { } other })
            throw new TopologyException($"The pattern '{pattern}' of source '{name}' matches topic '{topic}', which source '{other.Name}' reads; a topic has one source.");
        Add(new SourceDefinition<K, V>(name, [], pattern, options));
        return this;
    }

    /// <summary>Adds a processor.</summary>
    /// <param name="name">Name of the node, unique in the topology.</param>
    /// <param name="supplier">Makes an instance per task; called again for every task.</param>
    /// <param name="parents">Nodes it receives from; they exist already.</param>
    public Topology AddProcessor<KIn, VIn>(string name, Func<Processor<KIn, VIn>> supplier, params string[] parents)
    {
        ArgumentNullException.ThrowIfNull(supplier);
        ArgumentNullException.ThrowIfNull(parents);
        if (parents.Length == 0) throw new TopologyException($"Processor '{name}' has no parent; name at least one node that it receives from.");
        Add(new ProcessorDefinition(name, supplier, parents));
        return this;
    }

    /// <summary>Adds a sink that writes to a topic.</summary>
    public Topology AddSink<K, V>(string name, string topic, SinkOptions<K, V> options, params string[] parents)
    {
        ArgumentNullException.ThrowIfNull(options);
        TopicNames.Validate(topic);
        return AddSink(name, topic, options, parents, nameof(topic));
    }

    /// <summary>Adds a sink whose <see cref="SinkOptions{K, V}.TopicExtractor"/> chooses the topic of each record; the topics must exist.</summary>
    public Topology AddSink<K, V>(string name, SinkOptions<K, V> options, params string[] parents)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.TopicExtractor is null) throw new TopologyException($"Sink '{name}' has neither a topic nor a TopicExtractor; give one of them.");
        return AddSink(name, null, options, parents, nameof(options));
    }

    /// <summary>Adds a store and connects processors to it.</summary>
    public Topology AddStateStore(IStoreBuilder builder, params string[] processors)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(processors);
        if (_stores.TryGetValue(builder.Name, out var existing))
        {
            // Two processors may bring the same builder; two builders of one name are two stores that would share a changelog.
            if (!ReferenceEquals(existing.Builder, builder))
                throw new TopologyException($"A state store named '{builder.Name}' has been added already; store names are unique. Choose another name.");
        }
        else
        {
            _stores.Add(builder.Name, new StoreDefinition(builder));
        }

        foreach (var processor in processors) ConnectProcessorAndStateStores(processor, builder.Name);
        return this;
    }

    /// <summary>Gives a processor access to stores.</summary>
    public Topology ConnectProcessorAndStateStores(string processor, params string[] stores)
    {
        ArgumentNullException.ThrowIfNull(stores);
        var node = Find(processor);
        if (node is SourceDefinition or SinkDefinition)
            throw new TopologyException($"Node '{processor}' is a {(node is SourceDefinition ? "source" : "sink")}; only processors can have state stores.");
        foreach (var name in stores)
        {
            if (!_stores.TryGetValue(name, out var store))
                throw new TopologyException($"Processor '{processor}' is to be connected to state store '{name}', which has not been added. Call AddStateStore first.");
            if (store.IsGlobal)
                continue;
            if (!node.Stores.Contains(name)) node.Stores.Add(name);
            if (!store.Users.Contains(processor)) store.Users.Add(processor);
        }

        return this;
    }

    /// <summary>
    /// Adds a store that every instance keeps in full, from all partitions of a topic, written only by the processor given here. Source: KIP-99, KIP-233.
    /// </summary>
    /// <remarks>Read by the tasks of all threads while it is written. The stores of Streams.State take care of that; a store of your own making has to be safe for several threads.</remarks>
    /// <param name="store">The store; without a changelog, because the topic is its log.</param>
    /// <param name="sourceName">Name of the source node.</param>
    /// <param name="options">How the topic is read.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="processorName">Name of the processor that keeps the store up to date.</param>
    /// <param name="supplier">Makes that processor.</param>
    public Topology AddGlobalStore<K, V>(
        IStoreBuilder store,
        string sourceName,
        SourceOptions<K, V> options,
        string topic,
        string processorName,
        Func<Processor<K, V>> supplier)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (store.LoggingEnabled)
            throw new TopologyException($"Global store '{store.Name}' has logging enabled; its topic '{topic}' is its log already. Turn logging off.");
        if (_stores.ContainsKey(store.Name))
            throw new TopologyException($"A state store named '{store.Name}' has been added already; store names are unique. Choose another name.");
        if (sourceName == processorName)
            throw new TopologyException($"The source and the processor of global store '{store.Name}' have the same name '{sourceName}'.");
        AddSource(sourceName, options, topic);
        AddProcessor(processorName, supplier, sourceName);
        var definition = new StoreDefinition(store) { IsGlobal = true, SourceTopic = topic };
        definition.Users.Add(processorName);
        _stores.Add(store.Name, definition);
        Find(processorName).Stores.Add(store.Name);
        return this;
    }

    /// <summary>
    /// Adds a store whose topic is its changelog: each task reads its partition of the topic into it with the processor given here, and restores it from the
    /// topic. Other processors connect to it by name, and only read. Source: KIP-813.
    /// </summary>
    /// <remarks>
    /// The processor has to write what the topic has, unchanged, since that is what a restore brings. Whoever reads the store sees the keys of his task: topics that are
    /// looked up by key need as many partitions as this one.
    /// </remarks>
    /// <param name="store">The store; without a changelog, because the topic is its log.</param>
    /// <param name="sourceName">Name of the source node.</param>
    /// <param name="options">How the topic is read.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="processorName">Name of the processor that keeps the store up to date.</param>
    /// <param name="supplier">Makes that processor.</param>
    /// <exception cref="TopologyException">The store has logging enabled, or a name is taken.</exception>
    public Topology AddReadOnlyStateStore<K, V>(
        IStoreBuilder store,
        string sourceName,
        SourceOptions<K, V> options,
        string topic,
        string processorName,
        Func<Processor<K, V>> supplier)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (store.LoggingEnabled)
            throw new TopologyException($"Read-only store '{store.Name}' has logging enabled; its topic '{topic}' is its log already. Turn logging off.");
        if (sourceName == processorName)
            throw new TopologyException($"The source and the processor of read-only store '{store.Name}' have the same name '{sourceName}'.");
        AddSource(sourceName, options, topic);
        AddProcessor(processorName, supplier, sourceName);
        AddStateStore(store, processorName);
        UseSourceAsChangelog(store.Name, topic);
        return this;
    }

    /// <summary>The graph as text, sub-topology by sub-topology: the same text as Kafka Streams' <c>Topology.describe()</c>.</summary>
    public TopologyDescription Describe() => TopologyDescriber.Describe(this);

    /// <summary>Declares that a topic belongs to the application: its name gets the application's prefix and the runtime makes it.</summary>
    /// <param name="name">Name without prefix.</param>
    /// <param name="partitionCount">Number of partitions wanted; <c>null</c> to take the count of what it is joined with or fed from.</param>
    /// <param name="config">Topic settings by their Kafka names.</param>
    internal void AddInternalTopic(string name, int? partitionCount = null, IReadOnlyDictionary<string, string>? config = null)
    {
        TopicNames.Validate(name);
        _internalTopics[name] = new InternalTopic(name, partitionCount, config ?? new Dictionary<string, string>());
    }

    /// <summary>Adds something that starts and ends with every application that runs the topology.</summary>
    internal void Accompany(ITopologyCompanion companion) => _companions.Add(companion);

    /// <summary>Demands that the topics of these sources have the same number of partitions.</summary>
    internal void Copartition(IReadOnlyList<string> sourceNodes) => _copartitionedSources.Add(sourceNodes);

    /// <summary>Makes a source topic serve as a store's changelog (read-only stores; tables under the optimiser).</summary>
    internal void UseSourceAsChangelog(string store, string topic) => _stores[store].SourceTopic = topic;

    internal NodeDefinition Find(string name) => _nodesByName.TryGetValue(name, out var node)
        ? node
        : throw new TopologyException($"There is no node named '{name}'. Nodes so far: {(_nodes.Count == 0 ? "none" : string.Join(", ", _nodes.Select(known => known.Name)))}.");

    internal bool Contains(string name) => _nodesByName.ContainsKey(name);

    private Topology AddSink<K, V>(string name, string? topic, SinkOptions<K, V> options, string[] parents, string parameter)
    {
        ArgumentNullException.ThrowIfNull(parents, parameter);
        if (parents.Length == 0) throw new TopologyException($"Sink '{name}' has no parent; name at least one node that it receives from.");
        Add(new SinkDefinition<K, V>(name, topic, parents, options));
        return this;
    }

    private void Add(NodeDefinition node)
    {
        ArgumentException.ThrowIfNullOrEmpty(node.Name);
        if (_nodesByName.ContainsKey(node.Name))
            throw new TopologyException($"A node named '{node.Name}' has been added already; node names are unique. Choose another name.");
        foreach (var parent in node.Parents)
        {
            if (parent == node.Name) throw new TopologyException($"Node '{node.Name}' names itself as parent; a topology has no cycles.");
            if (Find(parent) is SinkDefinition) throw new TopologyException($"Sink '{parent}' cannot be the parent of '{node.Name}': sinks send nothing on.");
        }

        _nodesByName.Add(node.Name, node);
        _nodes.Add(node);
    }
}

/// <summary>A store as written in the topology.</summary>
internal sealed class StoreDefinition(IStoreBuilder builder)
{
    public IStoreBuilder Builder { get; } = builder;

    public string Name => Builder.Name;

    /// <summary>Kept in full by every instance.</summary>
    public bool IsGlobal { get; init; }

    /// <summary>The topic that serves as the changelog instead of one of its own.</summary>
    public string? SourceTopic { get; set; }

    /// <summary>Processors connected to it.</summary>
    public List<string> Users { get; } = [];
}

/// <summary>A topic that the application makes for itself to send records to another of its sub-topologies.</summary>
internal sealed record InternalTopic(string Name, int? PartitionCount, IReadOnlyDictionary<string, string> Config);
