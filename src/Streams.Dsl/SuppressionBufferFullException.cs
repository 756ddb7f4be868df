namespace Streams.Dsl;

/// <summary>A suppression buffer that was told to shut down when full is full. Source: KIP-328.</summary>
public sealed class SuppressionBufferFullException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public SuppressionBufferFullException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
