namespace Streams.Core;

/// <summary>Bytes could not be turned into a value, or a value into bytes.</summary>
public sealed class SerializationException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public SerializationException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
