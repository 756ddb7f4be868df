using Kafka.Protocol;

namespace Broker.Lite.Coordination;

/// <summary>The answer to a join: the generation that formed, or why the member is not in it.</summary>
internal sealed record JoinResult
{
    public ErrorCode Error { get; init; }

    public int GenerationId { get; init; } = -1;

    public string? ProtocolType { get; init; }

    public string? ProtocolName { get; init; }

    public string LeaderId { get; init; } = "";

    public string MemberId { get; init; } = "";

    public bool SkipAssignment { get; init; }

    /// <summary>All members with their subscriptions for the leader, empty for the others.</summary>
    public IReadOnlyList<JoinedMember> Members { get; init; } = [];

    public static JoinResult Failed(ErrorCode error, string memberId) => new() { Error = error, MemberId = memberId };
}

/// <summary>One member as its group's leader sees it.</summary>
internal sealed record JoinedMember(string MemberId, string? InstanceId, ReadOnlyMemory<byte> Metadata);
