namespace Streams.Core;

/// <summary>The partition asked for does not exist.</summary>
public sealed class InvalidStateStorePartitionException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public InvalidStateStorePartitionException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
