namespace Streams.Core;

/// <summary>The topology has no such store, or it is not of the type asked for.</summary>
public sealed class UnknownStateStoreException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public UnknownStateStoreException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
