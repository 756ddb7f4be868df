namespace Streams.Core;

/// <summary>
/// How many partitions every topic that an application reads has, and so which tasks there are. What the real runtime makes its internal topics
/// with, and what the test driver pretends.
/// </summary>
/// <remarks>
/// A repartition topic has the number of partitions asked for, or else as many as the largest source topic of the sub-topologies that write it;
/// where that one is a repartition topic too, the rule goes on from there. After that, topics that are joined get the same number: that of the
/// topics that exist already, or else the number asked for, or else the largest of the group. Source: Kafka's <c>RepartitionTopics</c> and
/// <c>CopartitionedTopicsEnforcer</c>.
/// </remarks>
internal sealed class PartitionCounts
{
    private readonly TopologyPlan _plan;
    private readonly IReadOnlyCollection<string> _existing;
    private readonly Dictionary<string, int> _counts;

    private PartitionCounts(TopologyPlan plan, IReadOnlyCollection<string> existing, Dictionary<string, int> counts)
    {
        _plan = plan;
        _existing = existing;
        _counts = counts;
    }

    /// <summary>Counts of the topics that sub-topologies read, by resolved name; topics of global stores are not among them.</summary>
    public IReadOnlyDictionary<string, int> ByTopic => _counts;

    /// <summary>Works the counts out.</summary>
    /// <param name="plan">The application.</param>
    /// <param name="existing">Topics of the cluster that are not internal to the application, and how many partitions each has.</param>
    /// <exception cref="TopologyException">A source topic does not exist, or topics that are joined differ; the message names topics and counts.</exception>
    public static PartitionCounts Resolve(TopologyPlan plan, IReadOnlyDictionary<string, int> existing)
    {
        var names = existing.Keys.ToHashSet();
        var result = new PartitionCounts(plan, names, []);
        var missing = new List<string>();
        foreach (var topic in plan.Subtopologies.SelectMany(subtopology => subtopology.SourceTopics(names)).Where(topic => plan.InternalTopicOf(topic) is null))
        {
            if (existing.TryGetValue(topic, out var count)) result._counts[topic] = count;
            else missing.Add(topic);
        }

        if (missing.Count > 0)
            throw new TopologyException($"Source topics do not exist: {string.Join(", ", missing.Distinct().Select(topic => $"'{topic}'"))}. They are not made by the application; create them first.");

        foreach (var topic in plan.InternalTopics.Values) result.ResolveInternal(topic, []);
        foreach (var group in plan.CopartitionedSources) result.Enforce(group);
        return result;
    }

    /// <summary>Takes counts that were worked out before, by the leader of the group.</summary>
    public static PartitionCounts Known(TopologyPlan plan, IReadOnlyDictionary<string, int> counts) => new(
        plan,
        counts.Keys.Where(topic => plan.InternalTopicOf(topic) is null).ToHashSet(),
        new Dictionary<string, int>(counts));

    /// <summary>Number of tasks of a sub-topology: the partitions of its largest source topic; 0 while a pattern matches nothing.</summary>
    public int TaskCount(Subtopology subtopology) =>
        subtopology.SourceTopics(_existing).Select(topic => _counts[topic]).DefaultIfEmpty(0).Max();

    /// <summary>What a task reads: its partition of every source topic that has it.</summary>
    public IReadOnlyList<TopicPartition> Inputs(Subtopology subtopology, int partition) =>
        [.. subtopology.SourceTopics(_existing).Where(topic => partition < _counts[topic]).Select(topic => new TopicPartition(topic, partition))];

    private int ResolveInternal(InternalTopic topic, HashSet<string> underway)
    {
        var resolved = _plan.ResolveTopic(topic.Name);
        if (_counts.TryGetValue(resolved, out var known)) return known;
        if (topic.PartitionCount is { } wanted)
        {
            _counts.Add(resolved, wanted);
            return wanted;
        }

        // A topic that feeds itself in a circle adds nothing to the maximum; only a circle that nothing else feeds has no answer.
        if (!underway.Add(topic.Name)) return 0;
        var count = 0;
        foreach (var writer in _plan.Subtopologies.Where(subtopology => subtopology.InternalSinkTopics().Contains(resolved)))
        {
            foreach (var source in writer.SourceTopics(_existing))
            {
                count = Math.Max(count, _plan.InternalTopicOf(source) is { } upstream ? ResolveInternal(upstream, underway) : _counts[source]);
            }
        }

        underway.Remove(topic.Name);
        if (count == 0 && underway.Count == 0)
        {
            throw new TopologyException(
                $"The number of partitions of internal topic '{resolved}' cannot be told: no source topic feeds it. Give it a number with Repartitioned.");
        }

        if (count > 0 && underway.Count == 0) _counts.Add(resolved, count);
        return count;
    }

    private void Enforce(IReadOnlyList<string> sourceNodes)
    {
        var topics = _plan.Subtopologies
            .SelectMany(subtopology => subtopology.Sources.Where(source => sourceNodes.Contains(source.Name)).SelectMany(source => subtopology.TopicsOf(source, _existing)))
            .Distinct()
            .ToList();
        var external = topics.Where(topic => _plan.InternalTopicOf(topic) is null).ToList();
        var demanded = topics.Where(topic => _plan.InternalTopicOf(topic) is { PartitionCount: not null }).ToList();
        var fixedTopics = external.Concat(demanded).ToList();
        if (fixedTopics.Select(topic => _counts[topic]).Distinct().Count() > 1)
        {
            throw new TopologyException(
                $"Topics that are joined must have the same number of partitions, but have not: {string.Join(", ", fixedTopics.Select(topic => $"'{topic}' has {_counts[topic]}{(demanded.Contains(topic) ? " (asked for with Repartitioned)" : "")}"))}. " +
                "Repartition one of them.");
        }

        if (topics.Count == 0) return;
        var count = fixedTopics.Count > 0 ? _counts[fixedTopics[0]] : topics.Max(topic => _counts[topic]);
        foreach (var topic in topics) _counts[topic] = count;
    }
}
