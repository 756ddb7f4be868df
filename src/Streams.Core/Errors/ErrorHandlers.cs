namespace Streams.Core;

/// <summary>What a failure handler decides.</summary>
public enum ErrorResponse
{
    /// <summary>Stop the thread with the error; nothing after the last commit is kept.</summary>
    Fail,

    /// <summary>Leave the record out (it is counted as dropped) and go on.</summary>
    Continue,

    /// <summary>Try again; production handlers only, for errors the broker calls retriable.</summary>
    Retry,
}

/// <summary>What a failure handler is told: where it happened and the bytes that were read.</summary>
/// <param name="NodeName">The operator.</param>
/// <param name="TaskId">The task.</param>
/// <param name="Record">Coordinates of the source record, <c>null</c> in a punctuator.</param>
/// <param name="Timestamp">Event time, Unix milliseconds.</param>
/// <param name="Headers">The record's headers.</param>
/// <param name="SourceRawKey">Bytes of the source record's key as read, <c>null</c> when absent or not known. Source: KIP-1034.</param>
/// <param name="SourceRawValue">Bytes of the source record's value as read, <c>null</c> when absent or not known.</param>
public sealed record ErrorHandlerContext(
    string NodeName,
    TaskId TaskId,
    RecordMetadata? Record,
    long Timestamp,
    Headers Headers,
    ReadOnlyMemory<byte>? SourceRawKey,
    ReadOnlyMemory<byte>? SourceRawValue);

/// <summary>Decides about records that cannot be deserialised. Default: <see cref="ErrorResponse.Fail"/>. Source: Kafka's <c>deserialization.exception.handler</c>.</summary>
public delegate ErrorResponse DeserializationExceptionHandler(ErrorHandlerContext context, Exception failure);

/// <summary>Decides about records on which a processor or user function threw. Default: <see cref="ErrorResponse.Fail"/>. Source: <c>processing.exception.handler</c> (KIP-1033).</summary>
public delegate ErrorResponse ProcessingExceptionHandler(ErrorHandlerContext context, Exception failure);

/// <summary>Decides about records that could not be serialised or written. Default: <see cref="ErrorResponse.Fail"/>. Source: <c>production.exception.handler</c> (KIP-210).</summary>
public delegate ErrorResponse ProductionExceptionHandler(ErrorHandlerContext context, string topic, Exception failure);
