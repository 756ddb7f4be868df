namespace Streams.Core;

/// <summary>Divides the tasks among the members of the group.</summary>
/// <remarks>
/// Every member gets a share in proportion to its threads, to within one task. Within that, a task stays where it runs, else goes where its
/// state lies on disk, else to the least loaded member. The same input gives the same answer. Source: Kafka's <c>StickyTaskAssignor</c>.
/// </remarks>
internal static class TaskAssignor
{
    public static IReadOnlyDictionary<string, List<TaskId>> Assign(IReadOnlyDictionary<string, MemberMetadata> members, IReadOnlyCollection<TaskId> tasks)
    {
        var result = members.Keys.ToDictionary(member => member, _ => new List<TaskId>());
        if (members.Count == 0) return result;
        var order = members.Keys.Order(StringComparer.Ordinal).ToList();
        var quotas = Quotas(members, order, tasks.Count);

        var open = new SortedSet<TaskId>(tasks);
        Keep(metadata => metadata.OwnedTasks);
        Keep(metadata => metadata.TasksOnDisk);
        foreach (var task in open)
        {
            // Quotas add up to the number of tasks, so somebody has room; going by load alone could give a large member more than its share.
            var target = order.Where(member => result[member].Count < quotas[member]).MinBy(member => (double)(result[member].Count + 1) / members[member].Threads)!;
            result[target].Add(task);
        }

        foreach (var assigned in result.Values) assigned.Sort();
        return result;

        void Keep(Func<MemberMetadata, IReadOnlyList<TaskId>> claims)
        {
            foreach (var member in order)
            {
                foreach (var task in claims(members[member]).Order())
                {
                    if (result[member].Count < quotas[member] && open.Remove(task)) result[member].Add(task);
                }
            }
        }
    }

    // Whole tasks in proportion to threads; what division leaves over goes to the largest remainders, so quotas add up to the number of tasks.
    // Of equal remainders those count first that hold one more already, so that dividing again moves nothing.
    private static Dictionary<string, int> Quotas(IReadOnlyDictionary<string, MemberMetadata> members, List<string> order, int taskCount)
    {
        var threads = members.Values.Sum(member => (long)member.Threads);
        var quotas = order.ToDictionary(member => member, member => (int)(taskCount * (long)members[member].Threads / threads));
        var left = taskCount - quotas.Values.Sum();
        foreach (var member in order.OrderByDescending(member => taskCount * (long)members[member].Threads % threads)
                     .ThenByDescending(member => members[member].OwnedTasks.Count > quotas[member]).Take(left).ToList())
        {
            quotas[member]++;
        }

        return quotas;
    }
}
