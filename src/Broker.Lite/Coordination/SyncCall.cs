namespace Broker.Lite.Coordination;

/// <summary>What a SyncGroup request asks for, in the coordinator's terms.</summary>
internal sealed record SyncCall
{
    public required string GroupId { get; init; }

    public required string MemberId { get; init; }

    public string? InstanceId { get; init; }

    public required int GenerationId { get; init; }

    /// <summary>Null when the request's version does not carry it.</summary>
    public string? ProtocolType { get; init; }

    /// <summary>Null when the request's version does not carry it.</summary>
    public string? ProtocolName { get; init; }

    /// <summary>Member id to opaque assignment; only the leader's counts. The bytes are the coordinator's to keep.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Assignments { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();
}
