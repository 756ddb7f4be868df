namespace Streams.Core;

/// <summary>Who is to have what. Source: KIP-924's <c>TaskAssignment</c>.</summary>
/// <param name="Instances">At most one entry per instance; who is not named gets nothing.</param>
public sealed record TaskAssignment(IReadOnlyCollection<InstanceAssignment> Instances)
{
    /// <summary>Time after which the tasks are to be divided again though nobody has come or gone, at least 1 ms; <c>null</c> (default) for never.</summary>
    public TimeSpan? FollowUpAfter { get; init; }
}

/// <summary>What one instance is to have. Source: KIP-924's <c>KafkaStreamsAssignment</c>.</summary>
/// <param name="InstanceId">Which one: <see cref="InstanceState.InstanceId"/>.</param>
/// <param name="ActiveTasks">Tasks to process.</param>
/// <param name="StandbyTasks">Tasks to keep a copy of.</param>
public sealed record InstanceAssignment(string InstanceId, IReadOnlyCollection<TaskId> ActiveTasks, IReadOnlyCollection<TaskId> StandbyTasks);
