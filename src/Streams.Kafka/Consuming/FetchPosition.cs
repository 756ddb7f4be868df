using Streams.Core;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Consuming;

/// <summary>One assigned partition: where it is read next and what waits to be polled. Guarded by its consumer's gate.</summary>
internal sealed class FetchPosition(TopicPartition partition, long offset)
{
    public TopicPartition Partition { get; } = partition;

    /// <summary>Offset of the next fetch.</summary>
    public long FetchOffset { get; set; } = offset;

    /// <summary>Leader epoch of the last batch that was fetched; -1 before the first.</summary>
    public int FetchedEpoch { get; set; } = -1;

    /// <summary>Leader epoch in which the log is known to have what was fetched.</summary>
    public int CheckedEpoch { get; set; } = -1;

    /// <summary>A nearer replica that the leader has sent us to (KIP-392); <c>null</c> for the leader itself.</summary>
    public BrokerAddress? Replica { get; set; }

    /// <summary>Until when it is read from there, in the clock's ticks.</summary>
    public long ReplicaUntil { get; set; }

    /// <summary>Where the log ended at the last fetch; <c>null</c> before the first.</summary>
    public long? EndOffset { get; set; }

    public bool IsPaused { get; set; }

    /// <summary>Whether a fetch of it is on its way, or it waits for its leader to be found.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Attempts that have failed since the last answer.</summary>
    public int FailedAttempts { get; set; }

    /// <summary>What the broker said instead of records, until the reader has been told.</summary>
    public StreamsException? Failure { get; set; }

    /// <summary>Whether there is nothing at its offset and will not be.</summary>
    public bool IsLost { get; set; }

    /// <summary>Whether it is in line for a poll.</summary>
    public bool HasTurn { get; set; }

    /// <summary>Whether it may be fetched now.</summary>
    public bool MayBeAsked => !IsPaused && !IsLost && !IsBusy && Failure is null;

    /// <summary>Bytes of what waits to be polled.</summary>
    public long ReadyBytes { get; set; }

    /// <summary>Fetched and not yet polled, in the order of the log.</summary>
    public Queue<RecordBatch> Ready { get; } = new();
}

/// <summary>A fetch that is on its way to a broker.</summary>
/// <param name="Address">The broker.</param>
/// <param name="Lane">Which of the connections to it.</param>
/// <param name="Positions">What is asked for, with the leader epoch that is known of each.</param>
/// <param name="Share">Bytes that each partition may have.</param>
internal sealed record Fetch(BrokerAddress Address, int Lane, List<(FetchPosition Position, int LeaderEpoch)> Positions, int Share);
