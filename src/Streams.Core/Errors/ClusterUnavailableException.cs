namespace Streams.Core;

/// <summary>The cluster did not answer in time; the call may be retried. Source: Kafka's <c>TimeoutException</c>.</summary>
public sealed class ClusterUnavailableException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ClusterUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
