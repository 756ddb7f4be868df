namespace Streams.Core;

/// <summary>What an instance of the application has. Source: Kafka's <c>StreamsMetadata</c>.</summary>
/// <param name="HostInfo">Where it can be asked; <see cref="HostInfo.Unavailable"/> when it did not say.</param>
/// <param name="StateStoreNames">Stores of which it has active partitions.</param>
/// <param name="ActiveTasks">Tasks it processes.</param>
/// <param name="StandbyStateStoreNames">Stores of which it has standbys.</param>
/// <param name="StandbyTasks">Tasks it keeps copies of.</param>
public sealed record StreamsMetadata(
    HostInfo HostInfo,
    IReadOnlyCollection<string> StateStoreNames,
    IReadOnlyCollection<TaskId> ActiveTasks,
    IReadOnlyCollection<string> StandbyStateStoreNames,
    IReadOnlyCollection<TaskId> StandbyTasks);

/// <summary>Who has a key. Source: Kafka's <c>KeyQueryMetadata</c> (KIP-535).</summary>
/// <param name="ActiveHost">Who processes it; <see cref="HostInfo.Unavailable"/> while its task is on its way from one instance to another, and for instances that did not say where they can be asked.</param>
/// <param name="StandbyHosts">Who has a copy, which may be behind.</param>
/// <param name="Partition">The store's partition that the key is in; -1 for a global store, all of which is on every instance.</param>
public sealed record KeyQueryMetadata(HostInfo ActiveHost, IReadOnlyCollection<HostInfo> StandbyHosts, int Partition)
{
    /// <summary>This instance knows nothing of the group yet: it has not been through a rebalance. Ask again in a moment.</summary>
    public static KeyQueryMetadata NotAvailable { get; } = new(HostInfo.Unavailable, [], -1);
}

/// <summary>How far a store of this instance is. Source: Kafka's <c>LagInfo</c> (KIP-535).</summary>
/// <param name="CurrentOffsetPosition">Offset of the next changelog record that it does not have.</param>
/// <param name="EndOffsetPosition">End of the changelog.</param>
public sealed record LagInfo(long CurrentOffsetPosition, long EndOffsetPosition)
{
    /// <summary>Records that it is behind.</summary>
    public long OffsetLag => Math.Max(0, EndOffsetPosition - CurrentOffsetPosition);
}

/// <summary>A thread of this instance. Source: Kafka's <c>ThreadMetadata</c>.</summary>
/// <param name="ThreadName">Its name.</param>
/// <param name="IsAlive">Whether it runs.</param>
/// <param name="ActiveTasks">Its tasks.</param>
/// <param name="StandbyTasks">Its standbys.</param>
public sealed record ThreadMetadata(string ThreadName, bool IsAlive, IReadOnlyCollection<TaskMetadata> ActiveTasks, IReadOnlyCollection<TaskMetadata> StandbyTasks);

/// <summary>A task of this instance. Source: Kafka's <c>TaskMetadata</c>.</summary>
/// <param name="TaskId">Which.</param>
/// <param name="TopicPartitions">What it reads.</param>
/// <param name="IsRestoring">Whether it is active and its stores are not up to date yet.</param>
public sealed record TaskMetadata(TaskId TaskId, IReadOnlyCollection<TopicPartition> TopicPartitions, bool IsRestoring);
