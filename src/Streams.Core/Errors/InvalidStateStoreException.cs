namespace Streams.Core;

/// <summary>A query of a state store cannot be answered here and now; the derived type says why. Source: KIP-216.</summary>
public abstract class InvalidStateStoreException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    protected InvalidStateStoreException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
