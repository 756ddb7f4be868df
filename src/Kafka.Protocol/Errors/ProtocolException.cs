using System.Diagnostics.CodeAnalysis;

namespace Kafka.Protocol;

/// <summary>
/// Bytes that are not valid Kafka protocol, or a message that cannot be expressed in the version asked for. On a connection it means that
/// the peer and we no longer agree where a message ends, so the connection has to go.
/// </summary>
/// <remarks>It is the only exception that decoding throws, whatever the input.</remarks>
public sealed class ProtocolException : Exception
{
    /// <summary>Creates the exception with <see cref="ErrorCode.InvalidRequest"/>.</summary>
    public ProtocolException(string message)
        : this(ErrorCode.InvalidRequest, message)
    {
    }

    /// <summary>Creates the exception with the error code a broker would answer.</summary>
    public ProtocolException(ErrorCode errorCode, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorCode = errorCode;
    }

    /// <summary>The code that says it on the wire, where there is still something to answer to.</summary>
    public ErrorCode ErrorCode { get; }

    /// <summary>A field has a value, but the version to write has no place for it and it is too important to leave out.</summary>
    internal static ProtocolException NotInVersion(string field, short version) =>
        new(ErrorCode.UnsupportedVersion, $"{field} has a value that version {version} cannot carry");

    [DoesNotReturn]
    internal static void ThrowTruncated(int needed, int remaining, int position) =>
        throw new ProtocolException($"{needed} bytes needed at offset {position}, but only {remaining} remain");

    [DoesNotReturn]
    internal static void ThrowLength(string what, long length, int remaining, int position) =>
        throw new ProtocolException($"{what} of length {length} at offset {position} does not fit: {remaining} bytes remain");

    [DoesNotReturn]
    internal static void ThrowNull(string what, int position) =>
        throw new ProtocolException($"{what} at offset {position} is null where null is not allowed");

    [DoesNotReturn]
    internal static void ThrowNullField(string? field) =>
        throw new ProtocolException($"{field ?? "A field"} is null, which this version cannot carry");

    [DoesNotReturn]
    internal static void ThrowVarint(int position) =>
        throw new ProtocolException($"The variable-length integer at offset {position} has too many bits");
}
