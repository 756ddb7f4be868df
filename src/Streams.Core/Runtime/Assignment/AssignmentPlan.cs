namespace Streams.Core;

/// <summary>Where the tasks are to be in the end. Every member is in both tables.</summary>
/// <param name="Active">Tasks to process, by member id.</param>
/// <param name="Standby">Tasks to keep a copy of: standbys and warm-ups.</param>
/// <param name="FollowUpAfter">When to look again; <c>null</c> for never.</param>
internal sealed record AssignmentPlan(IReadOnlyDictionary<string, List<TaskId>> Active, IReadOnlyDictionary<string, List<TaskId>> Standby, TimeSpan? FollowUpAfter)
{
    /// <summary>Asks a user's assignor and checks what it says.</summary>
    /// <exception cref="TaskAssignmentException">It cannot be followed.</exception>
    public static AssignmentPlan Ask(ITaskAssignor assignor, ApplicationState state)
    {
        var assignment = assignor.Assign(state) ?? throw new InvalidOperationException($"The task assignor {assignor.GetType()} gave no assignment.");
        var active = state.Instances.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var standby = state.Instances.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        var error = Check(assignment, state, active, standby, out var what);
        assignor.OnAssignmentComputed(assignment, error);
        if (error != TaskAssignmentError.None) throw new TaskAssignmentException(error, $"The task assignor {assignor.GetType()} gave an assignment that cannot be followed: {what}.");
        if (assignment.FollowUpAfter is { } after && (after < TimeSpan.FromMilliseconds(1) || after.TotalMilliseconds > int.MaxValue))
            throw new InvalidOperationException($"The task assignor {assignor.GetType()} wants another look after {after.TotalMilliseconds} ms: 1 to {int.MaxValue} are allowed.");
        return new AssignmentPlan(active, standby, assignment.FollowUpAfter);
    }

    private static TaskAssignmentError Check(
        TaskAssignment assignment, ApplicationState state, Dictionary<string, List<TaskId>> active, Dictionary<string, List<TaskId>> standby, out string what)
    {
        var named = new HashSet<string>();
        var owners = new Dictionary<TaskId, string>();
        foreach (var instance in assignment.Instances)
        {
            what = $"'{instance.InstanceId}' is not an instance of this rebalance, or named twice";
            if (!active.TryGetValue(instance.InstanceId, out var itsActive) || !named.Add(instance.InstanceId)) return TaskAssignmentError.UnknownInstance;
            foreach (var task in instance.ActiveTasks)
            {
                what = $"task {task} of '{instance.InstanceId}' does not exist";
                if (!state.Tasks.ContainsKey(task)) return TaskAssignmentError.UnknownTask;
                what = $"task {task} is given to '{instance.InstanceId}' and to '{owners.GetValueOrDefault(task)}'";
                if (!owners.TryAdd(task, instance.InstanceId)) return TaskAssignmentError.ActiveTaskAssignedMultipleTimes;
                itsActive.Add(task);
            }

            foreach (var task in instance.StandbyTasks.Distinct())
            {
                what = $"task {task} of '{instance.InstanceId}' does not exist";
                if (!state.Tasks.TryGetValue(task, out var known)) return TaskAssignmentError.UnknownTask;
                what = $"task {task} has no state, and '{instance.InstanceId}' is to keep a copy of it";
                if (!known.IsStateful) return TaskAssignmentError.InvalidStandbyTask;
                what = $"'{instance.InstanceId}' is to process task {task} and to keep a copy of it";
                if (itsActive.Contains(task)) return TaskAssignmentError.ActiveAndStandbyTaskAssignedToSameInstance;
                standby[instance.InstanceId].Add(task);
            }
        }

        // Without a single thread there is nobody to give anything to.
        what = $"nobody is to process {string.Join(", ", state.Tasks.Keys.Where(task => !owners.ContainsKey(task)).Take(10))}";
        return owners.Count < state.Tasks.Count && state.Instances.Values.Any(instance => instance.NumProcessingThreads > 0) ? TaskAssignmentError.ActiveTaskNotAssigned : TaskAssignmentError.None;
    }
}
