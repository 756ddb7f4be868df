using Streams.Core;

namespace Streams.Client;

/// <summary>How a <see cref="Consumer{K, V}"/> reads.</summary>
public sealed record ConsumerSettings
{
    /// <summary>Name of the client in the broker's logs (default <c>consumer</c>).</summary>
    public string ClientId { get; init; } = "consumer";

    /// <summary>The consumer group; needed to subscribe and to commit. Kafka: <c>group.id</c>.</summary>
    public string? GroupId { get; init; }

    /// <summary>Makes the member static: it keeps its partitions over a restart within the session time-out. Kafka: <c>group.instance.id</c>.</summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>Where to begin in a partition without a committed offset (default latest, as Kafka's consumers). Kafka: <c>auto.offset.reset</c>.</summary>
    public OffsetReset AutoOffsetReset { get; init; } = OffsetReset.Latest;

    /// <summary>How the leader of the group divides partitions (default range). All members offer the same. Kafka: <c>partition.assignment.strategy</c>.</summary>
    public GroupAssignment Assignment { get; init; } = GroupAssignment.Range;

    /// <summary>How often processed offsets are committed without being asked (default 5 s; <c>null</c> for never). Kafka: <c>auto.commit.interval.ms</c>.</summary>
    /// <remarks>A record counts as processed when the next one is asked for, so one that is being worked on is never committed.</remarks>
    public TimeSpan? AutoCommitInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether records of open and aborted transactions are hidden (default yes). Kafka: <c>isolation.level</c>.</summary>
    public bool ReadCommitted { get; init; } = true;

    /// <summary>Bound on fetched bytes that wait to be read (default 32 MiB), besides two batches in hand.</summary>
    public int MaxBufferedBytes { get; init; } = 32 << 20;

    /// <summary>How long the member may be silent before the group goes on without it (default 45 s). Kafka: <c>session.timeout.ms</c>.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a rebalance waits for this member (default 5 min). Kafka: <c>max.poll.interval.ms</c>.</summary>
    public TimeSpan RebalanceTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between two signs of life (default 3 s; at most a third of the session time-out). Kafka: <c>heartbeat.interval.ms</c>.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the group's leader looks for new partitions of the topics (default 5 min). Kafka: <c>metadata.max.age.ms</c>.</summary>
    public TimeSpan MetadataMaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Further client settings by their Kafka names; the embedded broker has none.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>Clock of heartbeats and commits.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Checks everything.</summary>
    /// <exception cref="ConfigException">Names everything that is wrong.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(ClientId)) faults.Add($"{nameof(ClientId)} is empty");
        if (GroupId is { Length: 0 }) faults.Add($"{nameof(GroupId)} is empty; leave it null for a consumer without group");
        if (GroupInstanceId is not null && GroupId is null) faults.Add($"{nameof(GroupInstanceId)} is given without {nameof(GroupId)}");
        if (AutoCommitInterval is { } interval && interval <= TimeSpan.Zero) faults.Add($"{nameof(AutoCommitInterval)} is {interval}, not above 0; leave it null for no automatic commits");
        if (MaxBufferedBytes < 1) faults.Add($"{nameof(MaxBufferedBytes)} is {MaxBufferedBytes}, not at least 1");
        if (HeartbeatInterval <= TimeSpan.Zero || HeartbeatInterval > SessionTimeout / 3) faults.Add($"{nameof(HeartbeatInterval)} is {HeartbeatInterval}, not between 0 and a third of {nameof(SessionTimeout)} ({SessionTimeout})");
        if (RebalanceTimeout <= TimeSpan.Zero) faults.Add($"{nameof(RebalanceTimeout)} is {RebalanceTimeout}, not above 0");
        if (MetadataMaxAge <= TimeSpan.Zero) faults.Add($"{nameof(MetadataMaxAge)} is {MetadataMaxAge}, not above 0");
        if (faults.Count > 0) throw new ConfigException($"The settings of consumer '{ClientId}' are wrong: {string.Join("; ", faults)}.");
    }
}

/// <summary>How a group's leader divides the partitions of its topics.</summary>
public enum GroupAssignment
{
    /// <summary>Topic by topic: each member gets a run of partitions, so that partitions of the same number come together. Kafka: <c>range</c>.</summary>
    Range,

    /// <summary>All partitions one by one, so that numbers differ by one at most. Kafka: <c>roundrobin</c>.</summary>
    RoundRobin,
}

/// <summary>Where to begin in a partition without a committed offset, or whose position is not in the log any more.</summary>
public enum OffsetReset
{
    /// <summary>Only what comes from now on.</summary>
    Latest,

    /// <summary>The first record there is.</summary>
    Earliest,

    /// <summary>Nowhere: it is an error.</summary>
    None,
}
