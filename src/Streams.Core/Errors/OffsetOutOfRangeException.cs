namespace Streams.Core;

/// <summary>A consumer's position is not in the log: records were deleted before they were read, or the topic was made anew.</summary>
public sealed class OffsetOutOfRangeException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public OffsetOutOfRangeException(TopicPartition partition, long offset)
        : base($"Offset {offset} of {partition} is not in the log any more: records were deleted before they were read, or the topic was made anew.")
    {
        Partition = partition;
        Offset = offset;
    }

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; }

    /// <summary>The offset asked for.</summary>
    public long Offset { get; }
}
