namespace Broker.Lite.Coordination;

/// <summary>A member of a classic group. Owned by the loop through its <see cref="Group"/>.</summary>
internal sealed class GroupMember(string id, JoinCall call)
{
    public string Id { get; } = id;

    public string? InstanceId { get; } = call.InstanceId;

    public string ClientId { get; private set; } = call.ClientId;

    public string ClientHost { get; private set; } = call.ClientHost;

    public int RebalanceTimeoutMs { get; private set; } = call.RebalanceTimeoutMs;

    public int SessionTimeoutMs { get; private set; } = call.SessionTimeoutMs;

    public IReadOnlyList<MemberProtocol> Protocols { get; private set; } = call.Protocols;

    public ReadOnlyMemory<byte> Assignment { get; set; }

    /// <summary>Set while a JoinGroup of this member is parked.</summary>
    public TaskCompletionSource<JoinResult>? PendingJoin { get; set; }

    /// <summary>Set while a SyncGroup of this member is parked.</summary>
    public TaskCompletionSource<SyncResult>? PendingSync { get; set; }

    /// <summary>True from the end of a join phase until this member has sent SyncGroup for that generation.</summary>
    public bool OwesSync { get; set; }

    /// <summary>True until the first generation with this member forms: it does not heartbeat yet and gets a longer, fixed time.</summary>
    public bool IsNew { get; set; } = true;

    public LoopTimer? SessionTimer { get; set; }

    /// <summary>While a request of the member is parked here it cannot heartbeat, so silence is no sign of death.</summary>
    public bool IsWaiting => PendingJoin is not null || PendingSync is not null;

    public void Update(JoinCall call)
    {
        ClientId = call.ClientId;
        ClientHost = call.ClientHost;
        RebalanceTimeoutMs = call.RebalanceTimeoutMs;
        SessionTimeoutMs = call.SessionTimeoutMs;
        Protocols = call.Protocols;
    }

    /// <summary>True if a join with these protocols says nothing new: same names, order and bytes.</summary>
    public bool HasSameProtocols(IReadOnlyList<MemberProtocol> protocols)
    {
        if (protocols.Count != Protocols.Count)
            return false;
        for (var i = 0; i < protocols.Count; i++)
        {
            if (protocols[i].Name != Protocols[i].Name || !protocols[i].Metadata.Span.SequenceEqual(Protocols[i].Metadata.Span))
                return false;
        }

        return true;
    }

    public ReadOnlyMemory<byte> MetadataFor(string? protocolName)
    {
        foreach (var protocol in Protocols)
        {
            if (protocol.Name == protocolName)
                return protocol.Metadata;
        }

        return ReadOnlyMemory<byte>.Empty;
    }
}
