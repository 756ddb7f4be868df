using System.Globalization;

namespace Streams.Core;

/// <summary>What a failure handler is told: where it happened and the bytes that were read.</summary>
/// <param name="NodeName">The operator; empty for records that the cluster refused after they were sent.</param>
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
    ReadOnlyMemory<byte>? SourceRawValue)
{
    private const int MaxStackTraceLength = 16 << 10;

    /// <summary>The application's dead-letter topic (<see cref="StreamsConfig.DeadLetterTopic"/>); <c>null</c> without one, and in global stores, which write nothing.</summary>
    public string? DeadLetterTopic { get; init; }

    /// <summary>The source record as it was read, with what went wrong in headers after its own. Source: KIP-1034.</summary>
    public DeadLetterRecord ToDeadLetter(string topic, Exception failure)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        ArgumentNullException.ThrowIfNull(failure);
        var trace = failure.ToString();
        var headers = Headers
            .Add(DeadLetterRecord.ExceptionHeader, failure.GetType().FullName ?? failure.GetType().Name)
            .Add(DeadLetterRecord.MessageHeader, failure.Message)
            .Add(DeadLetterRecord.StackTraceHeader, trace.Length > MaxStackTraceLength ? trace[..MaxStackTraceLength] : trace);
        if (Record is { } source)
        {
            headers = headers
                .Add(DeadLetterRecord.TopicHeader, source.Topic)
                .Add(DeadLetterRecord.PartitionHeader, source.Partition.ToString(CultureInfo.InvariantCulture))
                .Add(DeadLetterRecord.OffsetHeader, source.Offset.ToString(CultureInfo.InvariantCulture));
        }

        return new DeadLetterRecord(topic, SourceRawKey, SourceRawValue, Timestamp < 0 ? OutgoingRecord.TimeOfWriting : Timestamp, headers);
    }
}
