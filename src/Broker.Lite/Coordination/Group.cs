namespace Broker.Lite.Coordination;

/// <summary>
/// A classic consumer group: its members, generation and committed offsets. Pure state; <see cref="GroupCoordinator"/> makes the moves.
/// Owned by the loop.
/// </summary>
internal sealed class Group(string id)
{
    private readonly Dictionary<string, GroupMember> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _staticMemberIds = new(StringComparer.Ordinal);

    // Join order: the first member that joined leads, and the leader's list of members is stable between generations.
    private readonly List<GroupMember> _membersInOrder = [];

    public string Id { get; } = id;

    public GroupState State { get; set; } = GroupState.Empty;

    /// <summary>The members that use the consumer protocol; null for a group that is classic or only stores offsets.</summary>
    public ConsumerGroup? Consumer { get; set; }

    /// <summary>No members, of either protocol.</summary>
    public bool IsEmpty => State == GroupState.Empty && Consumer is null or { Members.Count: 0 };

    public int GenerationId { get; set; }

    /// <summary>"consumer" for consumers; null for a group that only ever stored offsets.</summary>
    public string? ProtocolType { get; set; }

    public string? ProtocolName { get; set; }

    public string? LeaderId { get; set; }

    /// <summary>Unix milliseconds of the last change to or from <see cref="GroupState.Empty"/>.</summary>
    public long StateTimestampMs { get; set; }

    public IReadOnlyList<GroupMember> Members => _membersInOrder;

    /// <summary>Ids given out with MEMBER_ID_REQUIRED that have not joined yet, with the timers that forget them.</summary>
    public Dictionary<string, LoopTimer> PendingMembers { get; } = new(StringComparer.Ordinal);

    public Dictionary<OffsetPartition, CommittedOffset> Offsets { get; } = [];

    /// <summary>Commits in transactions that have not ended, by producer id.</summary>
    public Dictionary<long, Dictionary<OffsetPartition, CommittedOffset>> PendingOffsets { get; } = [];

    /// <summary>Ends the join phase although members are missing.</summary>
    public LoopTimer? JoinTimer { get; set; }

    /// <summary>Removes the members that did not send SyncGroup.</summary>
    public LoopTimer? SyncTimer { get; set; }

    /// <summary>
    /// Milliseconds by which an initial join phase may still be extended (group.initial.rebalance.delay.ms); 0 outside one.
    /// </summary>
    public int InitialDelayRemainingMs { get; set; }

    /// <summary>True from the start of an initial join phase's last delay step if a member joined in it.</summary>
    public bool MemberJoinedInInitialDelay { get; set; }

    /// <summary>Whether a partition has a commit in a transaction that has not ended.</summary>
    public bool HasPendingOffset(OffsetPartition partition) => PendingOffsets.Values.Any(pending => pending.ContainsKey(partition));

    /// <summary>Forgets a commit, and those of transactions under way.</summary>
    public void RemoveOffset(OffsetPartition partition)
    {
        Offsets.Remove(partition);
        foreach (var pending in PendingOffsets.Values)
            pending.Remove(partition);
    }

    /// <summary>Makes the commits of a producer's transaction count, unless later ones do already; or forgets them.</summary>
    public void CompleteTransaction(long producerId, bool isCommit)
    {
        if (!PendingOffsets.Remove(producerId, out var pending) || !isCommit)
            return;
        foreach (var (partition, offset) in pending)
        {
            if (!Offsets.TryGetValue(partition, out var current) || current.JournalOffset < offset.JournalOffset)
                Offsets[partition] = offset;
        }
    }

    public bool IsLeader(GroupMember member) => member.Id == LeaderId;

    public GroupMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    /// <summary>The current member of a static instance, or null.</summary>
    public GroupMember? FindStatic(string instanceId) =>
        _staticMemberIds.TryGetValue(instanceId, out var memberId) ? _members.GetValueOrDefault(memberId) : null;

    public void Add(GroupMember member)
    {
        _members.Add(member.Id, member);
        _membersInOrder.Add(member);
        if (member.InstanceId is not null)
            _staticMemberIds[member.InstanceId] = member.Id;
        LeaderId ??= member.Id;
    }

    public void Remove(GroupMember member)
    {
        _members.Remove(member.Id);
        _membersInOrder.Remove(member);
        if (member.InstanceId is not null && _staticMemberIds.GetValueOrDefault(member.InstanceId) == member.Id)
            _staticMemberIds.Remove(member.InstanceId);
        if (LeaderId == member.Id)
            LeaderId = _membersInOrder.Count > 0 ? _membersInOrder[0].Id : null;
    }

    /// <summary>Puts a restarted static member in the place of its former self, keeping its rank and leadership.</summary>
    public void Replace(GroupMember old, GroupMember replacement)
    {
        _members.Remove(old.Id);
        _members.Add(replacement.Id, replacement);
        _membersInOrder[_membersInOrder.IndexOf(old)] = replacement;
        _staticMemberIds[replacement.InstanceId!] = replacement.Id;
        if (LeaderId == old.Id)
            LeaderId = replacement.Id;
    }

    /// <summary>True if a member with this type and these protocols could follow a protocol that all (other) members know.</summary>
    public bool Supports(string protocolType, IReadOnlyList<MemberProtocol> protocols, GroupMember? except = null)
    {
        if (protocolType.Length == 0 || protocols.Count == 0)
            return false;
        var others = _membersInOrder.Where(member => member != except).ToList();
        if (others.Count == 0)
            return true;
        return protocolType == ProtocolType
            && protocols.Any(protocol => others.TrueForAll(member => member.Protocols.Any(p => p.Name == protocol.Name)));
    }

    /// <summary>
    /// The protocol of the next generation: among those every member knows, the one most members prefer; on equal votes the one that the
    /// earliest member prefers.
    /// </summary>
    public string SelectProtocol()
    {
        var votes = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var member in _membersInOrder)
        {
            foreach (var protocol in member.Protocols)
            {
                if (!_membersInOrder.TrueForAll(other => other.Protocols.Any(p => p.Name == protocol.Name)))
                    continue;
                votes[protocol.Name] = votes.GetValueOrDefault(protocol.Name) + 1;
                break;
            }
        }

        // Every join was checked against Supports, so a common protocol exists. MaxBy keeps the first of equals: the insertion order.
        return votes.MaxBy(vote => vote.Value).Key;
    }

    public int MaxRebalanceTimeoutMs() => _membersInOrder.Count == 0 ? 0 : _membersInOrder.Max(member => member.RebalanceTimeoutMs);

    /// <summary>The leader's view of the members, under the selected protocol.</summary>
    public List<JoinedMember> JoinedMembers() =>
        _membersInOrder.ConvertAll(member => new JoinedMember(member.Id, member.InstanceId, member.MetadataFor(ProtocolName)));
}
