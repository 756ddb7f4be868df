namespace Streams.Core;

/// <summary>The group is rebalancing, and the task that has the store is not here yet: ask again in a moment.</summary>
public sealed class StreamsRebalancingException : InvalidStateStoreException
{
    /// <summary>Creates the exception.</summary>
    public StreamsRebalancingException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
