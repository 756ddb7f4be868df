namespace Streams.Core;

/// <summary>The task that had the store has moved: find out where it is now, and ask there.</summary>
public sealed class StateStoreMigratedException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public StateStoreMigratedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
