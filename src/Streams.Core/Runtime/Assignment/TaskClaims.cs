namespace Streams.Core;

/// <summary>Who has which task now, by what the members say. Of two that claim one, the later generation is right (KIP-792).</summary>
internal sealed class TaskClaims
{
    private readonly GroupSituation _group;
    private readonly Dictionary<TaskId, string> _owners = [];

    public TaskClaims(GroupSituation group)
    {
        _group = group;
        var tasks = group.Tasks.ToHashSet();
        foreach (var (member, metadata) in group.Members.OrderBy(member => member.Key, StringComparer.Ordinal))
        {
            foreach (var task in metadata.OwnedTasks)
            {
                if (!tasks.Contains(task)) continue;
                if (!_owners.TryGetValue(task, out var other) || group.Members[other].Generation < metadata.Generation) _owners[task] = member;
            }
        }
    }

    public string? OwnerOf(TaskId task) => _owners.GetValueOrDefault(task);

    /// <summary>Whether somebody else has to let go of a task before a member may have it.</summary>
    public bool IsHeldByAnother(TaskId task, string member)
    {
        if (!_owners.TryGetValue(task, out var owner)) return false;
        if (owner != member) return true;

        // Two of the same generation cannot both be right, and only letting go of it by all but one makes it safe.
        return _group.Members.Any(other => other.Key != member && other.Value.Generation == _group.Members[member].Generation && other.Value.OwnedTasks.Contains(task));
    }
}
