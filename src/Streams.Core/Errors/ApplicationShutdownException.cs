namespace Streams.Core;

/// <summary>Another instance of the application met an error and asked all of them to close (<see cref="StreamThreadExceptionResponse.ShutdownApplication"/>). The cause is in that instance's log. Source: KIP-671.</summary>
public sealed class ApplicationShutdownException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ApplicationShutdownException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
