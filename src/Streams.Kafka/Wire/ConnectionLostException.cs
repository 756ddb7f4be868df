using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>The connection broke, could not be made, or the broker did not answer on it in time. Another attempt may succeed; callers' retries turn it into <see cref="ClusterUnavailableException"/>.</summary>
internal sealed class ConnectionLostException : Exception
{
    public ConnectionLostException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
