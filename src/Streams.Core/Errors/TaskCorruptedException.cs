namespace Streams.Core;

/// <summary>A task's local state no longer agrees with its changelog; the runtime wipes the state and restores it.</summary>
public sealed class TaskCorruptedException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public TaskCorruptedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
