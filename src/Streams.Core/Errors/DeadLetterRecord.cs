namespace Streams.Core;

/// <summary>A record for a dead-letter topic.</summary>
/// <param name="Topic">The topic, which has to exist.</param>
/// <param name="Key">Bytes of the key; <c>null</c> for none.</param>
/// <param name="Value">Bytes of the value; <c>null</c> for none.</param>
/// <param name="Timestamp">Unix milliseconds, 0 or more; <see cref="OutgoingRecord.TimeOfWriting"/> for the time of writing.</param>
/// <param name="Headers">Headers.</param>
/// <remarks>Goes to the partition that its key's bytes decide; without a key to partition 0.</remarks>
public sealed record DeadLetterRecord(string Topic, ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value, long Timestamp, Headers Headers)
{
    /// <summary>Header with the type of the exception.</summary>
    public const string ExceptionHeader = "__streams.errors.exception";

    /// <summary>Header with its message.</summary>
    public const string MessageHeader = "__streams.errors.message";

    /// <summary>Header with its stack trace, cut at 16 Ki characters.</summary>
    public const string StackTraceHeader = "__streams.errors.stacktrace";

    /// <summary>Header with the topic of the source record.</summary>
    public const string TopicHeader = "__streams.errors.topic";

    /// <summary>Header with its partition, as text.</summary>
    public const string PartitionHeader = "__streams.errors.partition";

    /// <summary>Header with its offset, as text.</summary>
    public const string OffsetHeader = "__streams.errors.offset";
}
