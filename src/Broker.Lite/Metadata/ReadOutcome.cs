using Kafka.Protocol;

namespace Broker.Lite.Metadata;

/// <summary>What a read found: whole batches, borrowed until the request's leases are released.</summary>
internal readonly record struct ReadOutcome(
    ErrorCode Error,
    long HighWatermark,
    long LastStableOffset,
    long LogStartOffset,
    ReadOnlyMemory<byte> Records,
    IReadOnlyList<(long ProducerId, long FirstOffset)> Aborted);
