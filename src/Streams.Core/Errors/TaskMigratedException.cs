namespace Streams.Core;

/// <summary>This instance no longer owns the task (fenced, or its generation is over). Handled by the runtime, which closes the task and rejoins; users do not see it.</summary>
public sealed class TaskMigratedException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public TaskMigratedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
