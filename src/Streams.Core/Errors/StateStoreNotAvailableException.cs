namespace Streams.Core;

/// <summary>The store is here but cannot be read now.</summary>
public sealed class StateStoreNotAvailableException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public StateStoreNotAvailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
