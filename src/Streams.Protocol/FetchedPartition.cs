using Streams.Core;

namespace Streams.Protocol;

/// <summary>One assigned partition: where it is fetched next and what waits to be polled. Guarded by its consumer's gate.</summary>
internal class FetchedPartition(TopicPartition partition, long offset)
{
    public TopicPartition Partition { get; } = partition;

    /// <summary>Offset of the next fetch.</summary>
    public long FetchOffset { get; set; } = offset;

    /// <summary>Where the log ended at the last fetch; <c>null</c> before the first.</summary>
    public long? EndOffset { get; set; }

    public bool IsPaused { get; set; }

    /// <summary>What the broker said instead of records, until the reader has been told.</summary>
    public StreamsException? Failure { get; set; }

    /// <summary>Whether there is nothing at its offset and will not be.</summary>
    public bool IsLost { get; set; }

    /// <summary>Whether it is in line for a poll.</summary>
    public bool HasTurn { get; set; }

    /// <summary>Bytes of what waits to be polled.</summary>
    public long ReadyBytes { get; set; }

    /// <summary>Fetched and not yet polled, in the order of the log.</summary>
    public Queue<RecordBatch> Ready { get; } = new();

    /// <summary>Gives back what waits to be polled.</summary>
    public void DropReady()
    {
        while (Ready.TryDequeue(out var batch)) batch.Dispose();
    }
}
