namespace Broker.Lite.Logs;

/// <summary>An idempotent producer as the log knows it (DescribeProducers, KIP-664).</summary>
/// <param name="ProducerId">Its id.</param>
/// <param name="ProducerEpoch">Its latest epoch.</param>
/// <param name="LastSequence">Sequence number of its last record, -1 when there is none in this epoch.</param>
/// <param name="LastTimestamp">When its last batch was appended, in Unix milliseconds.</param>
/// <param name="CoordinatorEpoch">Epoch of the coordinator that last ended a transaction of it, -1 for none.</param>
/// <param name="CurrentTransactionStartOffset">First offset of its open transaction, -1 for none.</param>
internal readonly record struct ProducerDescription(
    long ProducerId,
    short ProducerEpoch,
    int LastSequence,
    long LastTimestamp,
    int CoordinatorEpoch,
    long CurrentTransactionStartOffset);
