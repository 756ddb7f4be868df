using Streams.Core;
using Streams.Kafka.Wire;
using Streams.Protocol;

namespace Streams.Kafka.Consuming;

/// <summary>What the managed consumer knows of an assigned partition besides what waits to be polled.</summary>
internal sealed class FetchPosition(TopicPartition partition, long offset) : FetchedPartition(partition, offset)
{
    /// <summary>Leader epoch of the last batch that was fetched; -1 before the first.</summary>
    public int FetchedEpoch { get; set; } = -1;

    /// <summary>Leader epoch in which the log is known to have what was fetched.</summary>
    public int CheckedEpoch { get; set; } = -1;

    /// <summary>A nearer replica that the leader has sent us to (KIP-392); <c>null</c> for the leader itself.</summary>
    public BrokerAddress? Replica { get; set; }

    /// <summary>Until when it is read from there, in the clock's ticks.</summary>
    public long ReplicaUntil { get; set; }

    /// <summary>Whether a fetch of it is on its way, or it waits for its leader to be found.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Attempts that have failed since the last answer.</summary>
    public int FailedAttempts { get; set; }

    /// <summary>Whether it may be fetched now.</summary>
    public bool MayBeAsked => !IsPaused && !IsLost && !IsBusy && Failure is null;
}

/// <summary>A fetch that is on its way to a broker.</summary>
/// <param name="Address">The broker.</param>
/// <param name="Lane">Which of the connections to it.</param>
/// <param name="Positions">What is asked for, with the leader epoch that is known of each.</param>
/// <param name="Share">Bytes that each partition may have.</param>
internal sealed record Fetch(BrokerAddress Address, int Lane, List<(FetchPosition Position, int LeaderEpoch)> Positions, int Share);
