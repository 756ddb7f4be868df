namespace Kafka.Protocol.Records;

/// <summary>
/// A codec needs a native library that is not on this machine; the message says what to install. A broker answers
/// <c>UNSUPPORTED_COMPRESSION_TYPE</c> (76).
/// </summary>
public sealed class CompressionUnavailableException : Exception
{
    /// <summary>Creates the exception for a codec.</summary>
    public CompressionUnavailableException(CompressionType compression, string message)
        : base(message) => Compression = compression;

    /// <summary>The codec that cannot be used.</summary>
    public CompressionType Compression { get; }
}
