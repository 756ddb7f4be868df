using Streams.Core;

namespace Streams.Client;

/// <summary>A record could not be turned into key and value. Reading again gives the same error, unless the consumer is moved past it with <see cref="Consumer{K, V}.SeekAsync(TopicPartition, long, CancellationToken)"/>.</summary>
public sealed class ConsumeException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    public ConsumeException(TopicPartition partition, long offset, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Partition = partition;
        Offset = offset;
    }

    /// <summary>Where the record is.</summary>
    public TopicPartition Partition { get; }

    /// <summary>Its offset.</summary>
    public long Offset { get; }
}
