using Kafka.Protocol.Messages;
using Streams.Core;

namespace Simulation;

/// <summary>
/// What must hold of every generation, as the broker sees it go by: each task is given to one member at most, and never to another one than who still works on it.
/// </summary>
internal sealed class AssignmentRules
{
    private readonly Dictionary<int, List<(string Member, MemberMetadata Metadata)>> _members = [];

    public List<string> Violations { get; } = [];

    /// <summary>Generations in which tasks were given out.</summary>
    public int Generations { get; private set; }

    public void Learn(JoinGroupResponse joined)
    {
        if (joined.Members.Count > 0)
            _members[joined.GenerationId] = [.. joined.Members.Select(member => (member.MemberId, MemberMetadata.Decode(member.Metadata.Span)))];
    }

    public void Check(SyncGroupRequest sync)
    {
        if (sync.Assignments.Count == 0) return;
        Generations++;
        var owners = new Dictionary<TaskId, string>();
        foreach (var given in sync.Assignments)
        {
            foreach (var task in MemberAssignment.Decode(given.Assignment.Span).Tasks)
            {
                if (!owners.TryAdd(task, given.MemberId)) Violations.Add($"generation {sync.GenerationId} gives task {task} to {owners[task]} and to {given.MemberId}");
            }
        }

        if (!_members.Remove(sync.GenerationId, out var members)) return;
        foreach (var (task, owner) in owners)
        {
            // Of several that claim a task the one of the latest generation is right (KIP-792).
            var claims = members.Where(member => member.Metadata.OwnedTasks.Contains(task)).ToList();
            if (claims.Count == 0) continue;
            var latest = claims.Max(claim => claim.Metadata.Generation);
            if (claims.TrueForAll(claim => claim.Metadata.Generation != latest || claim.Member != owner))
                Violations.Add($"generation {sync.GenerationId} gives task {task} to {owner} while {claims.First(claim => claim.Metadata.Generation == latest).Member} works on it");
        }
    }
}
