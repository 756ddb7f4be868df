using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>Makes the application's repartition and changelog topics, and checks those that exist.</summary>
/// <remarks>Names, counts and settings as Kafka Streams makes them. Source: Kafka's <c>InternalTopicManager</c>, <c>RepartitionTopicConfig</c>, <c>*ChangelogTopicConfig</c>.</remarks>
internal sealed class InternalTopics(TopologyPlan plan, IClusterAdmin admin, short replicationFactor, IReadOnlyDictionary<string, string> topicProperties, TimeSpan additionalRetention, ILogger logger)
{
    /// <summary>Looks the source topics up, and makes what is missing of the rest.</summary>
    /// <returns>Partition counts of every topic that tasks read.</returns>
    /// <exception cref="TopologyException">A source topic is missing, co-partitioned topics differ, or an internal topic has another number of partitions.</exception>
    public async Task<PartitionCounts> EnsureAsync(CancellationToken cancellationToken)
    {
        var counts = PartitionCounts.Resolve(plan, await SourcesAsync(cancellationToken).ConfigureAwait(false));
        var wanted = new List<NewTopic>();
        foreach (var topic in plan.InternalTopics.Values)
        {
            var name = plan.ResolveTopic(topic.Name);
            if (counts.ByTopic.TryGetValue(name, out var count)) wanted.Add(new NewTopic(name, count, replicationFactor, RepartitionConfig(topic)));
        }

        foreach (var subtopology in plan.Subtopologies)
        {
            var tasks = counts.TaskCount(subtopology);
            foreach (var store in subtopology.Stores.Where(store => store is { IsGlobal: false, SourceTopic: null, Builder.LoggingEnabled: true }))
                wanted.Add(new NewTopic(plan.ChangelogOf(store), tasks, replicationFactor, ChangelogConfig(store.Builder)));
        }

        await CreateOrCheckAsync(wanted, cancellationToken).ConfigureAwait(false);
        return counts;
    }

    /// <summary>Whether a pattern matches other topics than it did, or a source topic has more partitions, or none, than when the counts were worked out.</summary>
    public async Task<bool> HaveSourcesChangedAsync(PartitionCounts known, CancellationToken cancellationToken)
    {
        var now = await SourcesAsync(cancellationToken).ConfigureAwait(false);
        var before = known.ByTopic.Where(topic => plan.InternalTopicOf(topic.Key) is null).ToList();
        return now.Count != before.Count || before.Any(topic => !now.TryGetValue(topic.Key, out var count) || count != topic.Value);
    }

    // The topics that tasks read and that others write.
    private async Task<IReadOnlyDictionary<string, int>> SourcesAsync(CancellationToken cancellationToken)
    {
        var hasPattern = plan.Subtopologies.Any(subtopology => subtopology.Sources.Any(source => source.Pattern is not null));
        IReadOnlyCollection<string> existing = hasPattern
            ? [.. (await admin.ListTopicsAsync(cancellationToken).ConfigureAwait(false)).Where(topic => !IsBrokersOwn(topic))]
            : [];
        var external = plan.Subtopologies.SelectMany(subtopology => subtopology.SourceTopics(existing)).Where(topic => plan.InternalTopicOf(topic) is null).Distinct().ToList();
        return await admin.DescribeTopicsAsync(external, cancellationToken).ConfigureAwait(false);
    }

    // No pattern is meant to match them. Kafka's exclude.internal.topics.
    private static bool IsBrokersOwn(string topic) => topic is "__consumer_offsets" or "__transaction_state";

    private async Task CreateOrCheckAsync(List<NewTopic> wanted, CancellationToken cancellationToken)
    {
        if (wanted.Count == 0) return;
        var existing = await admin.DescribeTopicsAsync([.. wanted.Select(topic => topic.Name)], cancellationToken).ConfigureAwait(false);
        var missing = wanted.Where(topic => !existing.ContainsKey(topic.Name)).ToList();
        if (missing.Count > 0)
        {
            await admin.CreateTopicsAsync(missing, cancellationToken).ConfigureAwait(false);
            foreach (var topic in missing) Log.InternalTopicCreated(logger, topic.Name, topic.PartitionCount);
            existing = await admin.DescribeTopicsAsync([.. wanted.Select(topic => topic.Name)], cancellationToken).ConfigureAwait(false);
        }

        foreach (var topic in wanted)
        {
            if (!existing.TryGetValue(topic.Name, out var count))
                throw new ClusterUnavailableException($"Internal topic '{topic.Name}' was created, but the cluster does not show it yet.");
            if (count != topic.PartitionCount)
            {
                throw new TopologyException(
                    $"Internal topic '{topic.Name}' has {count} partition(s), but the topology needs {topic.PartitionCount}. Did the number of partitions of an input topic, " +
                    "or the topology, change? Reset the application (delete its internal topics and state), or set the counts back.");
            }
        }
    }

    private Dictionary<string, string> RepartitionConfig(InternalTopic topic) => Merge(
        new Dictionary<string, string>
        {
            ["cleanup.policy"] = "delete",
            ["segment.bytes"] = "52428800",
            ["retention.ms"] = "-1",
            ["message.timestamp.type"] = "CreateTime",
        },
        topic.Config);

    private Dictionary<string, string> ChangelogConfig(IStoreBuilder store)
    {
        var config = new Dictionary<string, string> { ["cleanup.policy"] = "compact", ["message.timestamp.type"] = "CreateTime" };
        switch (store.ChangelogCleanup)
        {
            case ChangelogCleanup.CompactAndDelete:
                config["cleanup.policy"] = "compact,delete";
                config["retention.ms"] = Milliseconds(PastRetention(store));
                break;
            case ChangelogCleanup.CompactWithLag:
                config["min.compaction.lag.ms"] = Milliseconds(PastRetention(store));
                break;
        }

        return Merge(config, store.LogConfig);
    }

    private Dictionary<string, string> Merge(Dictionary<string, string> defaults, IReadOnlyDictionary<string, string> own)
    {
        foreach (var (key, value) in topicProperties) defaults[key] = value;
        foreach (var (key, value) in own) defaults[key] = value;
        return defaults;
    }

    // Windows without end are kept for the longest time there is; nothing can be added to that.
    private TimeSpan PastRetention(IStoreBuilder store)
    {
        var retention = store.Retention.GetValueOrDefault();
        return retention > TimeSpan.MaxValue - additionalRetention ? TimeSpan.MaxValue : retention + additionalRetention;
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
