namespace Streams.Core;

/// <summary>The tasks of one thread, each with its input partitions.</summary>
/// <param name="Active">Tasks to process.</param>
/// <param name="Standby">Tasks to keep a copy of.</param>
/// <param name="PartitionCounts">Number of partitions of every topic that exists.</param>
/// <param name="Handover">Tasks on their way from one thread of the instance to another, their stores open.</param>
internal sealed record ThreadAssignment(IReadOnlyDictionary<TaskId, IReadOnlyCollection<TopicPartition>> Active, IReadOnlyDictionary<TaskId, IReadOnlyCollection<TopicPartition>> Standby, IReadOnlyDictionary<string, int> PartitionCounts, TaskHandover Handover)
{
    /// <summary>No tasks.</summary>
    public static ThreadAssignment None { get; } = new(new Dictionary<TaskId, IReadOnlyCollection<TopicPartition>>(), new Dictionary<TaskId, IReadOnlyCollection<TopicPartition>>(), new Dictionary<string, int>(), new TaskHandover(new HashSet<TaskId>()));

    /// <summary>Whether a partition is there, and not one of a topic that was deleted.</summary>
    public bool Exists(TopicPartition partition) => partition.Partition < PartitionCounts.GetValueOrDefault(partition.Topic);
}

/// <summary>What a task is doing on its thread.</summary>
internal enum ThreadTaskState
{
    /// <summary>It processes.</summary>
    Running,

    /// <summary>It is active, and its stores are being restored.</summary>
    Restoring,

    /// <summary>It follows its changelogs.</summary>
    Standby,
}
