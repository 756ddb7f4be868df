using Kafka.Protocol;

namespace Broker.Lite.Logs;

/// <summary>What became of an append.</summary>
/// <param name="Error">
/// <see cref="ErrorCode.None"/>, also for a duplicate, which has its original offsets here; otherwise nothing was appended:
/// CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE,
/// OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE,
/// TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR.
/// </param>
/// <param name="BaseOffset">Offset of the first record; -1 on error.</param>
/// <param name="LastOffset">Offset of the last record; -1 on error.</param>
/// <param name="LogAppendTimestamp">Unix milliseconds given to all records, -1 where they keep the producer's.</param>
/// <param name="LogStartOffset">First offset of the log.</param>
/// <param name="IsDuplicate">Whether the batch was there already, and was not written again.</param>
internal readonly record struct AppendResult(
    ErrorCode Error,
    long BaseOffset,
    long LastOffset,
    long LogAppendTimestamp,
    long LogStartOffset,
    bool IsDuplicate)
{
    /// <summary>Bytes that were written, which the topic's codec may have made other than those that were sent; 0 when nothing was.</summary>
    public int WrittenBytes { get; init; }

    /// <summary>What is wrong, for the client's log; null without error.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>Indexes within the batch of the records at fault, where the fault is theirs; null otherwise.</summary>
    public IReadOnlyList<int>? InvalidRecordIndexes { get; init; }
}
