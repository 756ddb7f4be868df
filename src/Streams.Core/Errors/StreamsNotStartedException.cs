namespace Streams.Core;

/// <summary>The application has not been started: start it and ask again.</summary>
public sealed class StreamsNotStartedException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public StreamsNotStartedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
