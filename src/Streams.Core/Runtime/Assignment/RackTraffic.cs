namespace Streams.Core;

/// <summary>What reading costs, by where a task runs. Source: Kafka's <c>RackAwareTaskAssignor</c> (KIP-925).</summary>
internal sealed record RackTraffic
{
    /// <summary>The tag in which a member says its rack.</summary>
    public const string RackTag = StreamsConfig.RackTag;

    public required RackAwareAssignmentStrategy Strategy { get; init; }

    /// <summary>Cost of a partition that is read from another rack. <c>rack.aware.assignment.traffic_cost</c></summary>
    public int TrafficCost { get; init; } = 10;

    /// <summary>Cost of a task with state that does not stay where it is. <c>rack.aware.assignment.non_overlap_cost</c></summary>
    public int NonOverlapCost { get; init; } = 1;

    /// <summary>The tasks and the racks of what they read.</summary>
    public required IReadOnlyDictionary<TaskId, TaskInfo> Tasks { get; init; }

    /// <summary>
    /// The costs of a group, or <c>null</c> when nothing is to be done about them: no strategy, or somebody's rack is not known, without which a sum would say nothing.
    /// </summary>
    public static RackTraffic? Of(StreamsConfig config, IEnumerable<MemberMetadata> members, IReadOnlyDictionary<TaskId, TaskInfo> tasks, out bool isUnknown)
    {
        isUnknown = false;
        if (config.RackAwareAssignmentStrategy == RackAwareAssignmentStrategy.None) return null;
        isUnknown = members.Any(member => member.Threads > 0 && !member.Tags.ContainsKey(RackTag)) || tasks.Values.Any(task => task.Partitions.Any(partition => partition.Racks.Count == 0));
        return isUnknown ? null : new RackTraffic
        {
            Strategy = config.RackAwareAssignmentStrategy,
            TrafficCost = config.RackAwareAssignmentTrafficCost,
            NonOverlapCost = config.RackAwareAssignmentNonOverlapCost,
            Tasks = tasks,
        };
    }

    /// <summary>Partitions of a task that have no replica in the member's rack.</summary>
    public int Crossing(TaskId task, MemberMetadata member, bool changelogsOnly)
    {
        var rack = member.Tags.GetValueOrDefault(RackTag, "");
        var count = 0;
        foreach (var partition in Tasks[task].Partitions)
        {
            if ((partition.IsChangelog || !changelogsOnly) && !partition.Racks.Contains(rack)) count++;
        }

        return count;
    }
}
