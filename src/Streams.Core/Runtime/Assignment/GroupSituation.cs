namespace Streams.Core;

/// <summary>What the leader knows when it divides the tasks.</summary>
internal sealed record GroupSituation
{
    /// <summary>The members, by member id, and what they said of themselves.</summary>
    public required IReadOnlyDictionary<string, MemberMetadata> Members { get; init; }

    /// <summary>All tasks there are.</summary>
    public required IReadOnlyCollection<TaskId> Tasks { get; init; }

    /// <summary>Of the tasks with state that can be copied, how far their changelogs reach: the sum of end offsets. Tasks without are not in it.</summary>
    public IReadOnlyDictionary<TaskId, long> EndPositions { get; init; } = new Dictionary<TaskId, long>();

    /// <summary>Copies of each task's state beside the active one. <c>num.standby.replicas</c></summary>
    public int StandbyReplicas { get; init; }

    /// <summary>Changelog records that a member may be behind and still be given the task. <c>acceptable.recovery.lag</c></summary>
    public long AcceptableRecoveryLag { get; init; } = 10_000;

    /// <summary>How many tasks may be warming up at a time, in the whole group. <c>max.warmup.replicas</c></summary>
    public int MaxWarmupReplicas { get; init; } = 2;

    /// <summary>After what time warm-ups are looked at again. <c>probing.rebalance.interval.ms</c></summary>
    public TimeSpan ProbingRebalanceInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What reading costs where; <c>null</c> for nobody cares. <c>rack.aware.assignment.strategy</c></summary>
    public RackTraffic? Traffic { get; init; }

    /// <summary>Names of the tags in whose values active task and standbys are to differ. <c>rack.aware.assignment.tags</c></summary>
    public IReadOnlyList<string> RackAwareTags { get; init; } = [];
}

/// <summary>What the leader decided. Every member is in both tables.</summary>
/// <param name="Active">Tasks to process, by member id.</param>
/// <param name="Standby">Tasks to keep a copy of: standbys and warm-ups.</param>
/// <param name="Withheld">Tasks that nobody has in this generation, because their owner has to let go of them first; it joins again when it has.</param>
/// <param name="FollowUpAfter">When to look again, because some task is not where it is to be while its state has to get there first; <c>null</c> for never.</param>
internal sealed record GroupDivision(
    IReadOnlyDictionary<string, List<TaskId>> Active,
    IReadOnlyDictionary<string, List<TaskId>> Standby,
    IReadOnlyCollection<TaskId> Withheld,
    TimeSpan? FollowUpAfter)
{
    public bool NeedsProbe => FollowUpAfter is not null;

    /// <summary>What can be given out now of where tasks are to be.</summary>
    public static GroupDivision Of(GroupSituation group, AssignmentPlan plan)
    {
        var claims = new TaskClaims(group);
        var active = group.Members.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var standby = group.Members.Keys.ToDictionary(member => member, member => new List<TaskId>(plan.Standby[member]));
        var withheld = new List<TaskId>();
        foreach (var (member, metadata) in group.Members.OrderBy(member => member.Key, StringComparer.Ordinal))
        {
            foreach (var task in plan.Active[member])
            {
                if (!claims.IsHeldByAnother(task, member))
                {
                    active[member].Add(task);
                    continue;
                }

                withheld.Add(task);

                // What it has of the task's state stays, and goes on following, until the task itself comes.
                if (metadata.Positions.ContainsKey(task) && group.EndPositions.ContainsKey(task)) standby[member].Add(task);
            }
        }

        foreach (var list in active.Values.Concat(standby.Values)) list.Sort();
        return new GroupDivision(active, standby, withheld, plan.FollowUpAfter);
    }
}
