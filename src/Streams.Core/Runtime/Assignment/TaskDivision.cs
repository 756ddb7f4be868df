namespace Streams.Core;

/// <summary>What a thread has, or is to have.</summary>
/// <param name="Active">Tasks it processes.</param>
/// <param name="Standby">Tasks it keeps a copy of.</param>
internal sealed record ThreadShare(IReadOnlyCollection<TaskId> Active, IReadOnlyCollection<TaskId> Standby);

/// <summary>
/// Divides an instance's tasks among its threads: active ones evenly to within one, and with standbys all of them, so that standbys are where there is room for them to
/// become active. Each stays on its thread as far as that allows.
/// </summary>
internal static class TaskDivision
{
    /// <summary>Gives each thread its share, in the order of <paramref name="threads"/>.</summary>
    /// <param name="threads">What the threads have now. At least one, unless there is nothing to divide.</param>
    /// <param name="active">The instance's tasks.</param>
    /// <param name="standby">The instance's standbys.</param>
    public static IReadOnlyList<ThreadShare> Divide(IReadOnlyList<ThreadShare> threads, IReadOnlyCollection<TaskId> active, IReadOnlyCollection<TaskId> standby)
    {
        // A standby that becomes active stays where its stores are before anybody else gets anything, and an active task that becomes a standby likewise.
        var actives = Divide(active, [.. threads.Select(thread => thread.Active)], [.. threads.Select(thread => thread.Standby)], new int[threads.Count]);
        var standbys = Divide(standby, [.. threads.Select(thread => thread.Standby)], [.. threads.Select(thread => thread.Active)], [.. actives.Select(list => list.Count)]);
        return [.. threads.Select((_, thread) => new ThreadShare(actives[thread], standbys[thread]))];
    }

    // Load is what the threads have already.
    private static List<TaskId>[] Divide(IReadOnlyCollection<TaskId> tasks, IReadOnlyCollection<TaskId>[] first, IReadOnlyCollection<TaskId>[] second, int[] load)
    {
        var result = first.Select(_ => new List<TaskId>()).ToArray();
        if (result.Length == 0) return result;
        var total = tasks.Count + load.Sum();
        var most = (total + result.Length - 1) / result.Length;
        var full = total % result.Length == 0 ? result.Length : total % result.Length;
        var open = new SortedSet<TaskId>(tasks);
        foreach (var owned in new[] { first, second })
        {
            foreach (var task in open.ToList())
            {
                var thread = Array.FindIndex(owned, list => list.Contains(task));
                if (thread < 0 || !HasRoom(thread)) continue;
                result[thread].Add(task);
                open.Remove(task);
            }
        }

        foreach (var task in open) result[Enumerable.Range(0, result.Length).MinBy(Sum)].Add(task);
        return result;

        int Sum(int thread) => result[thread].Count + load[thread];

        // So many threads have one more than the others, and no more.
        bool HasRoom(int thread) => Sum(thread) < most - 1 || (Sum(thread) == most - 1 && Enumerable.Range(0, result.Length).Count(other => Sum(other) == most) < full);
    }
}
