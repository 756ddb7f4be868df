namespace Streams.Core;

/// <summary>Reads partitions that are assigned by hand. Used from one thread, except <see cref="Wake"/>.</summary>
public interface IRecordConsumer : IDisposable
{
    /// <summary>Starts reading partitions from the given offsets; those already assigned are moved there, and stay paused if they are.</summary>
    void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions);

    /// <summary>Stops reading partitions; batches of them that wait to be polled are dropped.</summary>
    void Unassign(IReadOnlyCollection<TopicPartition> partitions);

    /// <summary>Stops fetching partitions without forgetting their position; already fetched batches are kept back.</summary>
    void Pause(IReadOnlyCollection<TopicPartition> partitions);

    /// <summary>Goes on with paused partitions.</summary>
    void Resume(IReadOnlyCollection<TopicPartition> partitions);

    /// <summary>The next batch of any assigned, unpaused partition, waiting up to the timeout; <c>null</c> when there is none or on <see cref="Wake"/>. The caller disposes it.</summary>
    /// <exception cref="OffsetOutOfRangeException">A position is not in the log any more: thrown once, after everything that was fetched before it, until the partition is assigned again.</exception>
    RecordBatch? Poll(TimeSpan timeout);

    /// <summary>Ends a waiting <see cref="Poll"/> early. May be called from any thread.</summary>
    void Wake();

    /// <summary>End offset of a partition as of the last fetch (last stable offset when reading committed); <c>null</c> when not known yet. Does not ask the broker.</summary>
    long? CachedEndOffset(TopicPartition partition);
}

/// <summary>A partition and an offset in it.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The offset.</param>
public readonly record struct TopicPartitionOffset(TopicPartition Partition, long Offset);
