namespace Broker.Lite.Coordination;

/// <summary>All groups of the broker by id, and which of them have offsets in transactions. Owned by the loop.</summary>
internal sealed class GroupDirectory
{
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);

    // Without it the end of each transaction would look through all groups.
    private readonly Dictionary<long, HashSet<string>> _groupsByProducer = [];

    public IReadOnlyCollection<Group> All => _groups.Values;

    public Group? Find(string groupId) => _groups.GetValueOrDefault(groupId);

    public Group Create(string groupId, long nowMs)
    {
        var group = new Group(groupId) { StateTimestampMs = nowMs };
        _groups.Add(groupId, group);
        return group;
    }

    public void Remove(Group group)
    {
        group.State = GroupState.Dead;
        group.JoinTimer?.Cancel();
        group.SyncTimer?.Cancel();
        foreach (var timer in group.PendingMembers.Values)
            timer.Cancel();
        group.PendingMembers.Clear();
        _groups.Remove(group.Id);
    }

    /// <summary>Keeps a commit aside until the producer's transaction ends.</summary>
    public void AddPending(Group group, long producerId, OffsetPartition partition, in CommittedOffset offset)
    {
        if (!group.PendingOffsets.TryGetValue(producerId, out var pending))
            group.PendingOffsets.Add(producerId, pending = []);
        pending[partition] = offset;
        if (!_groupsByProducer.TryGetValue(producerId, out var groupIds))
            _groupsByProducer.Add(producerId, groupIds = new(StringComparer.Ordinal));
        groupIds.Add(group.Id);
    }

    /// <summary>A producer's transaction has ended: what it committed counts now, or never. Only for the groups that are asked for.</summary>
    public void CompleteTransaction(long producerId, bool isCommit, Func<string, bool> isConcerned)
    {
        if (!_groupsByProducer.TryGetValue(producerId, out var groupIds))
            return;
        foreach (var groupId in groupIds.Where(isConcerned).ToList())
        {
            groupIds.Remove(groupId);
            Find(groupId)?.CompleteTransaction(producerId, isCommit);
        }

        if (groupIds.Count == 0)
            _groupsByProducer.Remove(producerId);
    }
}
