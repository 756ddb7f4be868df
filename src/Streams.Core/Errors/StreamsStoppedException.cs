namespace Streams.Core;

/// <summary>The application is closing or closed: its stores cannot be asked any more.</summary>
public sealed class StreamsStoppedException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public StreamsStoppedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
