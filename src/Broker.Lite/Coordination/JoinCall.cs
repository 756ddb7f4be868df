namespace Broker.Lite.Coordination;

/// <summary>What a JoinGroup request asks for, in the coordinator's terms.</summary>
internal sealed record JoinCall
{
    public required string GroupId { get; init; }

    /// <summary>Empty for a member that has no id yet.</summary>
    public required string MemberId { get; init; }

    /// <summary>Set for static members (KIP-345).</summary>
    public string? InstanceId { get; init; }

    public required string ClientId { get; init; }

    public required string ClientHost { get; init; }

    public required int RebalanceTimeoutMs { get; init; }

    public required int SessionTimeoutMs { get; init; }

    public required string ProtocolType { get; init; }

    /// <summary>In the member's order of preference. The bytes are the coordinator's to keep: not part of a request's frame.</summary>
    public required IReadOnlyList<MemberProtocol> Protocols { get; init; }

    /// <summary>True from JoinGroup v4 on: a dynamic member without id is told its id and must join again with it (KIP-394).</summary>
    public bool RequiresKnownMemberId { get; init; }

    /// <summary>True from JoinGroup v9 on: a static leader that came back may be told to skip the assignment (KIP-814).</summary>
    public bool SupportsSkippingAssignment { get; init; }
}
