namespace Streams.Core;

/// <summary>A record could not be written to its topic; the message names topic, partition and the broker's reason.</summary>
public sealed class ProductionException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ProductionException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>Whether it is about records that were handed over before the call that throws it; their senders are not known any more.</summary>
    public bool IsOfEarlierRecords { get; init; }
}
