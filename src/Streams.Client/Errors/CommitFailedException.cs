using Streams.Core;

namespace Streams.Client;

/// <summary>Offsets were not committed because the group has given the partitions to others meanwhile; the records will be read again there. Source: Kafka's <c>CommitFailedException</c>.</summary>
public sealed class CommitFailedException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public CommitFailedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
