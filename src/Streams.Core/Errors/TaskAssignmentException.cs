namespace Streams.Core;

/// <summary>An <see cref="ITaskAssignor"/> gave an answer that cannot be followed; the message names the task and the instance.</summary>
public sealed class TaskAssignmentException : StreamsException
{
    internal TaskAssignmentException(TaskAssignmentError error, string message)
        : base(message) => Error = error;

    /// <summary>What is wrong with it.</summary>
    public TaskAssignmentError Error { get; }
}
