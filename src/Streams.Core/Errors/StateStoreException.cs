namespace Streams.Core;

/// <summary>A state store cannot be opened, read or written; the message names the store and what to do.</summary>
public sealed class StateStoreException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public StateStoreException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
