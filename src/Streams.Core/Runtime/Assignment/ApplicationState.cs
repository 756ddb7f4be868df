namespace Streams.Core;

/// <summary>What an <see cref="ITaskAssignor"/> decides by. Immutable. Source: KIP-924's <c>ApplicationState</c>.</summary>
public sealed class ApplicationState
{
    private readonly GroupSituation _group;

    internal ApplicationState(GroupSituation group, IReadOnlyDictionary<TaskId, TaskInfo> tasks, AssignmentSettings settings)
    {
        _group = group;
        Tasks = tasks;
        Settings = settings;
        var claims = new TaskClaims(group);
        Instances = group.Members.ToDictionary(
            member => member.Key,
            member => new InstanceState(member.Key, member.Value, [.. member.Value.OwnedTasks.Where(task => claims.OwnerOf(task) == member.Key).Distinct().Order()], group.EndPositions));
    }

    /// <summary>The tasks there are.</summary>
    public IReadOnlyDictionary<TaskId, TaskInfo> Tasks { get; }

    /// <summary>The instances, by <see cref="InstanceState.InstanceId"/>.</summary>
    public IReadOnlyDictionary<string, InstanceState> Instances { get; }

    /// <summary>The settings of this instance that matter here.</summary>
    public AssignmentSettings Settings { get; }

    /// <summary>What the library would do: to be changed in part, or to fall back on.</summary>
    public TaskAssignment DefaultAssignment()
    {
        var plan = TaskAssignor.Plan(_group);
        return new TaskAssignment([.. plan.Active.Keys.Select(member => new InstanceAssignment(member, plan.Active[member], plan.Standby[member]))]) { FollowUpAfter = plan.FollowUpAfter };
    }
}

/// <summary>Settings of <see cref="StreamsConfig"/> that are about dividing tasks. Source: KIP-924's <c>AssignmentConfigs</c>.</summary>
/// <param name="AcceptableRecoveryLag"><see cref="StreamsConfig.AcceptableRecoveryLag"/></param>
/// <param name="MaxWarmupReplicas"><see cref="StreamsConfig.MaxWarmupReplicas"/></param>
/// <param name="NumStandbyReplicas"><see cref="StreamsConfig.NumStandbyReplicas"/></param>
/// <param name="ProbingRebalanceInterval"><see cref="StreamsConfig.ProbingRebalanceInterval"/></param>
/// <param name="RackAwareAssignmentTags"><see cref="StreamsConfig.RackAwareAssignmentTags"/></param>
/// <param name="RackAwareAssignmentStrategy"><see cref="StreamsConfig.RackAwareAssignmentStrategy"/></param>
public sealed record AssignmentSettings(
    long AcceptableRecoveryLag,
    int MaxWarmupReplicas,
    int NumStandbyReplicas,
    TimeSpan ProbingRebalanceInterval,
    IReadOnlyList<string> RackAwareAssignmentTags,
    RackAwareAssignmentStrategy RackAwareAssignmentStrategy);
