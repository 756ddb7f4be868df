using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>The answer to a sync: the member's assignment, byte for byte as the leader sent it.</summary>
internal sealed record SyncResult(ErrorCode Error, string? ProtocolType, string? ProtocolName, ReadOnlyMemory<byte> Assignment)
{
    public static SyncResult Failed(ErrorCode error) => new(error, null, null, ReadOnlyMemory<byte>.Empty);
}
