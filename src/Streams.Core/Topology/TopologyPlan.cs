using System.Text.RegularExpressions;

namespace Streams.Core;

/// <summary>A topology made ready for one application: sub-topologies with the application's own topic names. Source: Kafka's <c>InternalTopologyBuilder.subtopologyToTopicsInfo</c>.</summary>
internal sealed class TopologyPlan
{
    private readonly Topology _topology;

    public TopologyPlan(Topology topology, string applicationId)
    {
        _topology = topology;
        ApplicationId = applicationId;
        var groups = NodeGroups.Of(topology);
        var all = new List<Subtopology>(groups.Count);
        for (var id = 0; id < groups.Count; id++)
        {
            var names = groups[id].Select(node => node.Name).ToHashSet();
            var nodes = topology.Nodes.Where(node => names.Contains(node.Name)).ToList();
            var stores = nodes.SelectMany(node => node.Stores).Distinct().Select(name => topology.Stores[name]).ToList();
            all.Add(new Subtopology(id, nodes, stores, this));
        }

        // A store that no processor uses belongs to no task; saying nothing would leave its user wondering where it is.
        if (topology.Stores.Values.FirstOrDefault(store => store.Users.Count == 0) is { } orphan)
            throw new TopologyException($"State store '{orphan.Name}' is connected to no processor; connect it or leave it out.");

        Subtopologies = [.. all.Where(subtopology => !subtopology.IsGlobal && subtopology.Sources.Count > 0)];
        Globals = [.. all.Where(subtopology => subtopology.IsGlobal)];
        if (all.FirstOrDefault(subtopology => subtopology.Sources.Count == 0) is { } unfed)
            throw new TopologyException($"Nothing feeds {string.Join(", ", unfed.Nodes.Select(node => $"'{node.Name}'"))}: the sub-topology has no source.");
        foreach (var global in Globals)
        {
            // Every instance runs it: what it wrote would be written once per instance.
            if (global.Nodes.FirstOrDefault(node => node is SinkDefinition || node.Stores.Any(name => !topology.Stores[name].IsGlobal)) is { } writer)
                throw new TopologyException($"Node '{writer.Name}' is fed by the source of global store '{global.Stores[0].Name}'; the processor of a global store may write to that store only. Read the topic with a source of its own instead.");
        }
    }

    public string ApplicationId { get; }

    /// <summary>Those that make tasks, by id.</summary>
    public IReadOnlyList<Subtopology> Subtopologies { get; }

    /// <summary>Those that keep a global store in every instance.</summary>
    public IReadOnlyList<Subtopology> Globals { get; }

    /// <summary>Checks that internal topics can have the names that they get of application and store.</summary>
    /// <exception cref="TopologyException">One cannot; store or node, topic and rule are named.</exception>
    public void DemandTopicNames()
    {
        foreach (var store in Subtopologies.SelectMany(subtopology => subtopology.Stores).Where(store => store is { IsGlobal: false, SourceTopic: null, Builder.LoggingEnabled: true }))
        {
            if (!TopicNames.IsLegal(ChangelogOf(store)))
                throw new TopologyException($"The changelog of store '{store.Name}' would be topic '{ChangelogOf(store)}', of {ChangelogOf(store).Length} characters: {TopicNames.Rule}. Choose another name for the store, or a shorter application.id.");
        }

        foreach (var topic in InternalTopics.Keys.Select(ResolveTopic).Where(topic => !TopicNames.IsLegal(topic)))
            throw new TopologyException($"Internal topic '{topic}' has {topic.Length} characters: {TopicNames.Rule}. Choose another name for what it is made for, or a shorter application.id.");
    }

    /// <summary>All sub-topologies that make tasks as if they were one: how Kafka's test driver runs a topology.</summary>
    public Subtopology Merged()
    {
        var ids = Subtopologies.SelectMany(subtopology => subtopology.Nodes).Select(node => node.Name).ToHashSet();
        var nodes = _topology.Nodes.Where(node => ids.Contains(node.Name)).ToList();
        return new Subtopology(0, nodes, [.. nodes.SelectMany(node => node.Stores).Distinct().Select(name => _topology.Stores[name])], this);
    }

    public IReadOnlyDictionary<string, InternalTopic> InternalTopics => _topology.InternalTopics;

    public IReadOnlyList<IReadOnlyList<string>> CopartitionedSources => _topology.CopartitionedSources;

    /// <summary>The name of a topic on the cluster: internal topics carry the application's id.</summary>
    public string ResolveTopic(string name) => _topology.InternalTopics.ContainsKey(name) ? $"{ApplicationId}-{name}" : name;

    /// <summary>The name as written of a resolved internal topic; <c>null</c> when the topic is not internal.</summary>
    public InternalTopic? InternalTopicOf(string resolved) =>
        resolved.StartsWith(ApplicationId + "-", StringComparison.Ordinal) ? _topology.InternalTopics.GetValueOrDefault(resolved[(ApplicationId.Length + 1)..]) : null;

    public string ChangelogOf(StoreDefinition store) =>
        store.SourceTopic is { } source ? ResolveTopic(source) : $"{ApplicationId}-{store.Name}-changelog";
}

/// <summary>Nodes that a task runs together, with the topics they read and the stores they keep.</summary>
internal sealed class Subtopology
{
    private readonly TopologyPlan _plan;

    public Subtopology(int id, IReadOnlyList<NodeDefinition> nodes, IReadOnlyList<StoreDefinition> stores, TopologyPlan plan)
    {
        _plan = plan;
        Id = id;
        Nodes = nodes;
        Stores = stores;
        Sources = [.. nodes.OfType<SourceDefinition>()];
        IsGlobal = stores.Any(store => store.IsGlobal);
    }

    public int Id { get; }

    public bool IsGlobal { get; }

    /// <summary>Parents before children.</summary>
    public IReadOnlyList<NodeDefinition> Nodes { get; }

    /// <summary>In the order in which nodes use them, so that flushing one before the next follows the data.</summary>
    public IReadOnlyList<StoreDefinition> Stores { get; }

    public IReadOnlyList<SourceDefinition> Sources { get; }

    /// <summary>Resolved names of the topics named by the sources; patterns are matched against <paramref name="existing"/>.</summary>
    public IReadOnlyList<string> SourceTopics(IReadOnlyCollection<string> existing) =>
        [.. Sources.SelectMany(source => TopicsOf(source, existing)).Distinct()];

    public IEnumerable<string> TopicsOf(SourceDefinition source, IReadOnlyCollection<string> existing) => source.Pattern is { } pattern
        ? existing.Where(topic => IsWholeMatch(pattern, topic))
        : source.Topics.Select(_plan.ResolveTopic);

    /// <summary>Resolved names of the internal topics that the sinks write.</summary>
    public IEnumerable<string> InternalSinkTopics() => Nodes.OfType<SinkDefinition>()
        .Where(sink => sink.Topic is not null && _plan.InternalTopics.ContainsKey(sink.Topic))
        .Select(sink => _plan.ResolveTopic(sink.Topic!));

    /// <summary>The source that reads a resolved topic.</summary>
    public SourceDefinition? SourceOf(string topic) =>
        Sources.FirstOrDefault(source => source.Pattern is { } pattern ? IsWholeMatch(pattern, topic) : source.Topics.Any(name => _plan.ResolveTopic(name) == topic));

    /// <summary>Resolved names of changelogs by store; stores without logging are left out.</summary>
    public IReadOnlyDictionary<string, string> Changelogs() => Stores
        .Where(store => !store.IsGlobal && (store.Builder.LoggingEnabled || store.SourceTopic is not null))
        .ToDictionary(store => store.Name, _plan.ChangelogOf);

    public string ResolveTopic(string name) => _plan.ResolveTopic(name);

    // Kafka matches a pattern against the whole name (Java's Matcher.matches).
    private static bool IsWholeMatch(Regex pattern, string topic)
    {
        var match = pattern.Match(topic);
        return match.Success && match.Index == 0 && match.Length == topic.Length;
    }
}
