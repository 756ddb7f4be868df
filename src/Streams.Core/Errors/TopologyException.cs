namespace Streams.Core;

/// <summary>The topology cannot be built or run as it is written; the message names the node, store or topic. Source: Kafka's <c>TopologyException</c>.</summary>
public sealed class TopologyException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public TopologyException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
