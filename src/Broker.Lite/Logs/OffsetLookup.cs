using Kafka.Protocol;

namespace Broker.Lite.Logs;

/// <summary>A record found by its timestamp.</summary>
/// <param name="Error">NONE, or KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE where the log could not be read.</param>
/// <param name="Offset">Its offset; -1 when there is none.</param>
/// <param name="Timestamp">Its timestamp in Unix milliseconds; -1 when there is none.</param>
/// <param name="LeaderEpoch">Leader epoch of its batch; -1 when there is none.</param>
internal readonly record struct OffsetLookup(ErrorCode Error, long Offset, long Timestamp, int LeaderEpoch)
{
    /// <summary>There is no such record.</summary>
    public static OffsetLookup None => new(ErrorCode.None, -1, -1, -1);
}
