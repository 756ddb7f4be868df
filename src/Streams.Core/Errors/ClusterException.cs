namespace Streams.Core;

/// <summary>
/// The cluster refused a call for a reason that trying again will not cure: not authorised, an illegal topic name or setting, a protocol it
/// does not speak. Source: the non-retriable part of Kafka's <c>ApiException</c>s.
/// </summary>
public sealed class ClusterException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="errorCode">The protocol's error code; -1 when the refusal has none.</param>
    /// <param name="errorName">The protocol's name of it, such as <c>TOPIC_AUTHORIZATION_FAILED</c>.</param>
    /// <param name="message">What was asked, of whom, and the broker's reason.</param>
    /// <param name="innerException">What it was made from, if anything.</param>
    public ClusterException(short errorCode, string errorName, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorCode = errorCode;
        ErrorName = errorName;
    }

    /// <summary>The protocol's error code; -1 when the refusal has none.</summary>
    public short ErrorCode { get; }

    /// <summary>The protocol's name of the error.</summary>
    public string ErrorName { get; }
}
