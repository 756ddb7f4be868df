namespace Streams.Core;

/// <summary>Root of what this library throws on its own account; a caller's mistake throws the BCL's argument exceptions instead.</summary>
public abstract class StreamsException : Exception
{
    /// <summary>Creates the exception.</summary>
    protected StreamsException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
