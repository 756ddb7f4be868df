namespace Broker.Lite.Coordination;

/// <summary>All groups of the broker by id. Owned by the loop.</summary>
internal sealed class GroupDirectory
{
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);

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
}
