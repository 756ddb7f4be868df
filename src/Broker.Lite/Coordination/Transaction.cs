using System.Collections.Immutable;

namespace Broker.Lite.Coordination;

/// <summary>
/// What is known of a transactional id: its producer, and its transaction. Immutable: <see cref="TransactionCoordinator"/> makes the next
/// one, writes it, and only then puts it in the place of this one.
/// </summary>
internal sealed record Transaction
{
    /// <summary>From this epoch on the producer gets a new id instead of the next epoch; one is left for fencing it.</summary>
    public const short LastUsableEpoch = short.MaxValue - 1;

    public required string TransactionalId { get; init; }

    public required long ProducerId { get; init; }

    /// <summary>The only epoch that may do anything; -1 before the first producer has got one.</summary>
    public required short ProducerEpoch { get; init; }

    /// <summary>The id before this one, which was used up; -1 for none, and after a restart.</summary>
    public long LastProducerId { get; init; } = -1;

    /// <summary>
    /// The epoch with which the producer itself asked for the current one, so that it can ask again when the answer was lost (KIP-360); -1
    /// for none, and after a restart.
    /// </summary>
    public short LastProducerEpoch { get; init; } = -1;

    public required int TimeoutMs { get; init; }

    public TransactionState State { get; init; }

    /// <summary>The partitions of the transaction; while it is being completed, those whose marker is not written yet.</summary>
    public ImmutableHashSet<OffsetPartition> Partitions { get; init; } = [];

    /// <summary>Unix milliseconds at which the last transaction began; -1 for none.</summary>
    public long StartTimestampMs { get; init; } = -1;

    /// <summary>Unix milliseconds of the last change.</summary>
    public required long LastUpdateTimestampMs { get; init; }

    public bool IsDecided => State is TransactionState.PrepareCommit or TransactionState.PrepareAbort;

    public bool IsEpochExhausted => ProducerEpoch >= LastUsableEpoch;
}
