namespace Streams.Core;

/// <summary>
/// Decides which instance of an application gets which tasks, in place of the library: <see cref="StreamsConfig.TaskAssignor"/>. Every instance should have the same one, since any of
/// them may be the one that divides.
/// </summary>
/// <remarks>
/// What it says is where tasks are to be in the end. One that runs elsewhere is let go of there first, and moves one rebalance later. Unlike the library's own, which warms an instance up
/// before a task with state moves to it, it is obeyed at once: give the instance a standby first, and look at <see cref="InstanceState.LagOf"/> in a later rebalance
/// (<see cref="TaskAssignment.FollowUpAfter"/>). Called on the thread that keeps the membership; it should take no longer than a heartbeat interval. Source: KIP-924's <c>TaskAssignor</c>.
/// </remarks>
public interface ITaskAssignor
{
    /// <summary>Divides the tasks. An exception ends the application.</summary>
    /// <param name="state">The tasks and the instances.</param>
    TaskAssignment Assign(ApplicationState state);

    /// <summary>Told how the answer was taken; after any but <see cref="TaskAssignmentError.None"/> the application ends with a <see cref="TaskAssignmentException"/>.</summary>
    void OnAssignmentComputed(TaskAssignment assignment, TaskAssignmentError error)
    {
    }
}

/// <summary>What is wrong with a <see cref="TaskAssignment"/>. Source: KIP-924's <c>AssignmentError</c>.</summary>
public enum TaskAssignmentError
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Two instances, or one twice, are to process a task.</summary>
    ActiveTaskAssignedMultipleTimes,

    /// <summary>An instance is to process a task and keep a copy of it.</summary>
    ActiveAndStandbyTaskAssignedToSameInstance,

    /// <summary>A copy of a task that has no state.</summary>
    InvalidStandbyTask,

    /// <summary>There is no such instance, or it is named twice.</summary>
    UnknownInstance,

    /// <summary>There is no such task.</summary>
    UnknownTask,

    /// <summary>Nobody is to process a task: its records would wait for ever. Kafka lets that pass.</summary>
    ActiveTaskNotAssigned,
}
