namespace Streams.Core;

/// <summary>A task, as an <see cref="ITaskAssignor"/> sees it. Source: Kafka's <c>TaskInfo</c> (KIP-924).</summary>
/// <param name="Id">The task.</param>
/// <param name="IsStateful">Whether it has state that a changelog restores: such a task can have standbys, and moving it costs a restore.</param>
/// <param name="StateStoreNames">Its stores.</param>
/// <param name="Partitions">What it reads: its input, and its changelogs when it has to restore.</param>
public sealed record TaskInfo(TaskId Id, bool IsStateful, IReadOnlyCollection<string> StateStoreNames, IReadOnlyCollection<TaskTopicPartition> Partitions);

/// <summary>A partition that a task reads. Source: Kafka's <c>TaskTopicPartition</c> (KIP-924).</summary>
/// <param name="Partition">The partition.</param>
/// <param name="IsSource">Whether it is input.</param>
/// <param name="IsChangelog">Whether it is the changelog of a store; a table's source topic may be both.</param>
/// <param name="Racks">Racks of the brokers that have a replica; empty when the cluster does not say, or was not asked because no strategy needs it.</param>
public sealed record TaskTopicPartition(TopicPartition Partition, bool IsSource, bool IsChangelog, IReadOnlyCollection<string> Racks);
