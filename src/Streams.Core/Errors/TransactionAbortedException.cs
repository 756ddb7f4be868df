namespace Streams.Core;

/// <summary>
/// The open transaction cannot be committed any more. Handled by the runtime, which gives up what was done since the last commit and processes those
/// records again; users do not see it.
/// </summary>
/// <remarks>Thrown by adapters for errors after which a producer can only abort, and for a commit whose outcome is not known. Source: Kafka's abortable errors.</remarks>
public sealed class TransactionAbortedException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public TransactionAbortedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
