using System.Globalization;
using Streams.Dsl.Optimization;
using Streams.Dsl.Serialization;

namespace Streams.Dsl.Nodes;

/// <summary>
/// Owns the logical graph, the counter behind generated names, and the compilation of the graph to a <see cref="Topology"/>.
/// </summary>
/// <remarks>Source: Kafka's <c>InternalStreamsBuilder</c>; names and their numbers are the same, because topics and state are named after them.</remarks>
internal sealed class GraphBuilder(StreamsBuilderOptions options)
{
    private readonly Root _root = new();
    private readonly List<GraphNode> _added = [];
    private readonly List<IReadOnlyCollection<string>> _copartitioned = [];
    private readonly Dictionary<string, string> _sourceAliases = [];
    private readonly List<ITopologyCompanion> _companions = [];
    private Topology? _topology;
    private int _nextName;
    private int _nextPriority;

    public StreamsBuilderOptions Options { get; } = options;

    /// <summary>Parent of all sources.</summary>
    public GraphNode RootNode => _root;

    /// <summary>All nodes, in the order of adding.</summary>
    public IReadOnlyList<GraphNode> Nodes => _added;

    public string NewProcessorName(string prefix) => prefix + NextNumber();

    public string NewStoreName(string prefix) => prefix + "STATE-STORE-" + NextNumber();

    /// <summary>The given name, or a generated one. The number is used up either way, so that naming an operator renames no other.</summary>
    public string NameOf(Named? named, string prefix)
    {
        var generated = NewProcessorName(prefix);
        return named?.Name ?? generated;
    }

    /// <summary>The given name with a suffix, or a generated one. The number is used up either way.</summary>
    public string NameOf(Named? named, string suffix, string prefix)
    {
        var generated = NewProcessorName(prefix);
        return named is null ? generated : named.Name + suffix;
    }

    public void Add(GraphNode parent, GraphNode child)
    {
        if (_topology is not null)
        {
            throw new TopologyException(
                $"Operator '{child.Name}' is added after Build; the topology has been made already. Write all operators first, then call Build once.");
        }

        parent.AddChild(child);
        child.BuildPriority = _nextPriority++;
        if (!_added.Contains(child)) _added.Add(child);
    }

    public void Add(IReadOnlyList<GraphNode> parents, GraphNode child)
    {
        foreach (var parent in parents) Add(parent, child);
    }

    /// <summary>Demands that the topics of these sources have the same number of partitions.</summary>
    public void Copartition(IReadOnlyCollection<string> sources) => _copartitioned.Add(sources);

    /// <summary>Adds something that starts and ends with every application that runs the topology.</summary>
    public void Accompany(ITopologyCompanion companion)
    {
        if (_topology is not null) throw new TopologyException("The topology has been made already. Write all operators first, then call Build once.");
        _companions.Add(companion);
    }

    /// <summary>The serde to use: the given one, or the one registered or built in for the type.</summary>
    /// <param name="serde">Set explicitly or inherited; <c>null</c> when neither.</param>
    /// <param name="node">Operator that needs it.</param>
    /// <param name="role">What for: "key" or "value".</param>
    /// <param name="remedy">Where it can be set.</param>
    public ISerde<T> Serde<T>(ISerde<T>? serde, string node, string role, string remedy)
    {
        if (serde is not null || Options.Serdes.TryGet(out serde)) return serde;

        // Keys that are tuples or records have a format of ours. Values have it in internal topics and stores only: what a topic that others read
        // or write contains is for the user to say.
        if ((role != "value" || remedy is not ("Consumed.With" or "Produced.With")) && ComponentSerdes.TryMake(Options.Serdes, out serde)) return serde;
        var type = TypeNames.Of(typeof(T));
        throw new TopologyException(
            $"Operator '{node}' has no serde for its {role} type {type}. Give one with {remedy}, or register one for {type} in StreamsBuilderOptions.Serdes.");
    }

    public SourceOptions<K, V> SourceOptions<K, V>(Consumed<K, V> consumed, string node) => new()
    {
        KeyDeserializer = Serde(consumed.KeySerde, node, "key", "Consumed.With"),
        ValueDeserializer = Serde(consumed.ValueSerde, node, "value", "Consumed.With"),
        TimestampExtractor = consumed.TimestampExtractor,
        TimestampPolicy = consumed.TimestampPolicy,
        OffsetReset = consumed.OffsetReset,
    };

    public Topology Build()
    {
        if (_topology is not null) return _topology;
        MergeSources();
        Optimize();
        DropNullKeysWhereNobodyWantsThem();

        var topology = new Topology();
        var written = new HashSet<GraphNode> { _root };
        var waiting = new PriorityQueue<GraphNode, (int Priority, int Order)>();
        var order = 0;
        foreach (var child in _root.Children) waiting.Enqueue(child, (child.BuildPriority, order++));
        while (waiting.TryDequeue(out var node, out _))
        {
            // A node with several parents comes once per parent; the last of them finds all parents written.
            if (written.Contains(node) || !node.Parents.All(written.Contains)) continue;
            node.WriteTo(topology);
            written.Add(node);
            foreach (var child in node.Children) waiting.Enqueue(child, (child.BuildPriority, order++));
        }

        var names = _added.Select(node => node.Name).ToHashSet();
        foreach (var companion in _companions) topology.Accompany(companion);
        foreach (var group in _copartitioned) topology.Copartition([.. group.Select(source => CurrentName(source, names)).Distinct()]);
        if (Options.EnsureExplicitInternalResourceNaming) ExplicitNames.Demand(topology);
        return _topology = topology;
    }

    /// <summary>Takes a node that has been replaced out of the graph; who waits for its name waits for the other's.</summary>
    public void Forget(GraphNode node, GraphNode replacedBy)
    {
        _added.Remove(node);
        _sourceAliases.TryAdd(node.Name, replacedBy.Name);
    }

    /// <summary>Takes a node in that an optimisation has made and connected.</summary>
    public void Adopt(GraphNode node) => _added.Add(node);

    private void Optimize()
    {
        if (Options.Optimization.HasFlag(TopologyOptimization.ReuseTableSourceTopics)) TableSourceReuse.Apply(this);
        if (Options.Optimization.HasFlag(TopologyOptimization.MergeRepartitionTopics)) RepartitionMerge.Apply(this);
        if (Options.Optimization.HasFlag(TopologyOptimization.SingleStoreSelfJoin)) SelfJoin.Apply(this);
    }

    // A merged repartition with a topic name of the user's own is called what the first of those it replaces was called: a name that is in use stands for itself.
    private string CurrentName(string source, HashSet<string> names)
    {
        for (var followed = 0; !names.Contains(source) && _sourceAliases.TryGetValue(source, out var other); followed++)
        {
            if (followed > _sourceAliases.Count) throw new InvalidOperationException($"The optimiser replaced source '{source}' by itself.");
            source = other;
        }

        return source;
    }

    // Two Stream calls on one topic read it once: the later source hands its children to the earlier one.
    private void MergeSources()
    {
        var byTopic = new Dictionary<string, StreamSourceNode>();
        var byPattern = new Dictionary<string, StreamSourceNode>();
        foreach (var source in _root.Children.OfType<StreamSourceNode>().ToArray())
        {
            StreamSourceNode? existing = null;
            if (source.Pattern is { } pattern)
            {
                if (!byPattern.TryAdd(pattern.ToString(), source)) existing = byPattern[pattern.ToString()];
            }
            else
            {
                foreach (var topic in source.Topics)
                {
                    if (byTopic.TryAdd(topic, source)) continue;
                    existing = byTopic[topic];
                    if (existing.Topics.Count == source.Topics.Count && source.Topics.All(existing.Topics.Contains)) break;
                    throw new TopologyException(
                        $"Topic '{topic}' is read by '{existing.Name}' together with [{string.Join(", ", existing.Topics)}] and by '{source.Name}' together with " +
                        $"[{string.Join(", ", source.Topics)}]; two sources may share all of their topics or none.");
                }
            }

            if (existing is null) continue;
            existing.Absorb(source);
            _root.RemoveChild(source);
            _added.Remove(source);
            _sourceAliases.Add(source.Name, existing.Name);
        }
    }

    private void DropNullKeysWhereNobodyWantsThem()
    {
        var wanting = new HashSet<GraphNode>();
        var visited = new HashSet<GraphNode>();
        Visit(_root);
        foreach (var node in visited.OfType<RepartitionNode>()) node.DropsNullKeys = !wanting.Contains(node);

        void Visit(GraphNode node)
        {
            if (!visited.Add(node)) return;
            foreach (var child in node.Children)
            {
                Visit(child);
                if (child.AcceptsNullKeys || wanting.Contains(child)) wanting.Add(node);
            }
        }
    }

    private string NextNumber() => _nextName++.ToString("D10", CultureInfo.InvariantCulture);

    private sealed class Root() : GraphNode("root")
    {
        public override void WriteTo(Topology topology)
        {
        }
    }
}
