using System.Collections.Immutable;

namespace Broker.Lite.Metadata;

/// <summary>
/// Everything the request handlers know of topics and settings, as one immutable picture. The loop publishes a new one after each change;
/// handlers on any thread read the current one without locks and see it whole.
/// </summary>
internal sealed record ClusterView
{
    public required string ClusterId { get; init; }

    public required BrokerConfig Config { get; init; }

    public required ImmutableDictionary<string, Topic> Topics { get; init; }

    public required ImmutableDictionary<Guid, Topic> TopicsById { get; init; }

    /// <summary>Settings of groups that have some of their own.</summary>
    public ImmutableDictionary<string, ImmutableSortedDictionary<string, string>> GroupConfigs { get; init; } =
        ImmutableDictionary.Create<string, ImmutableSortedDictionary<string, string>>(StringComparer.Ordinal);

    /// <summary>What is set on a group; empty if nothing is.</summary>
    public ImmutableSortedDictionary<string, string> ConfigsOfGroup(string groupId) =>
        GroupConfigs.GetValueOrDefault(groupId) ?? ImmutableSortedDictionary<string, string>.Empty;

    public Topic? Find(string name) => Topics.GetValueOrDefault(name);

    public Topic? Find(Guid id) => TopicsById.GetValueOrDefault(id);

    public Partition? Find(string topic, int partition) => Find(topic)?.Find(partition);

    public ClusterView With(Topic topic) => this with
    {
        Topics = Topics.SetItem(topic.Name, topic),
        TopicsById = TopicsById.SetItem(topic.Id, topic),
    };

    public ClusterView Without(Topic topic) => this with
    {
        Topics = Topics.Remove(topic.Name),
        TopicsById = TopicsById.Remove(topic.Id),
    };
}
