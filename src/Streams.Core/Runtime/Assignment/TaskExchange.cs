namespace Streams.Core;

/// <summary>
/// Lets members exchange tasks until no exchange makes the whole cheaper. Everybody keeps as many as they have, and what is as cheap as can be is left alone.
/// </summary>
/// <remarks>
/// A round of exchanges is a negative cycle among the members, where the way from one to another costs what moving the best of the first one's tasks to the second costs; without such a
/// cycle the cost is the least there is. A cycle is found with Bellman and Ford's algorithm. Every round makes the sum of whole costs smaller, so there is an end, and a bound on
/// the steps keeps huge groups from thinking for long: where it stops, what has been found so far holds. Source: the minimum-cost flow of KIP-925.
/// </remarks>
internal static class TaskExchange
{
    private const long MaxSteps = 400_000_000;

    /// <summary>Exchanges tasks.</summary>
    /// <param name="tasks">The tasks to exchange.</param>
    /// <param name="memberOf">For each of them the number of its member; changed in place.</param>
    /// <param name="members">How many members there are.</param>
    /// <param name="cost">What a task costs at a member; not negative.</param>
    public static void Reduce(IReadOnlyList<TaskId> tasks, int[] memberOf, int members, Func<TaskId, int, long> cost)
    {
        if (members < 2 || tasks.Count < 2) return;
        var costs = new long[tasks.Count, members];
        for (var task = 0; task < tasks.Count; task++)
        {
            for (var member = 0; member < members; member++) costs[task, member] = cost(tasks[task], member);
        }

        var way = new long[members, members];
        var best = new int[members, members];
        var changed = Enumerable.Range(0, members).ToList();
        for (var steps = 0L; steps <= MaxSteps;)
        {
            foreach (var from in changed) FindWays(from, memberOf, members, costs, way, best);
            steps += (long)changed.Count * tasks.Count;
            if (NegativeCycle(members, way, ref steps) is not { } cycle) return;

            // From each member to the one after it; a cycle has no member twice, so no task moves twice.
            for (var index = 0; index < cycle.Count; index++)
            {
                var (from, to) = (cycle[index], cycle[(index + 1) % cycle.Count]);
                memberOf[best[from, to]] = to;
            }

            changed = cycle;
        }
    }

    private static void FindWays(int from, int[] memberOf, int members, long[,] costs, long[,] way, int[,] best)
    {
        for (var to = 0; to < members; to++) way[from, to] = long.MaxValue;
        for (var task = 0; task < memberOf.Length; task++)
        {
            if (memberOf[task] != from) continue;
            for (var to = 0; to < members; to++)
            {
                var moved = costs[task, to] - costs[task, from];
                if (to == from || moved >= way[from, to]) continue;
                way[from, to] = moved;
                best[from, to] = task;
            }
        }
    }

    // All distances begin at 0, as if one more node led everywhere for nothing: that way a cycle is found wherever it is.
    private static List<int>? NegativeCycle(int members, long[,] way, ref long steps)
    {
        var distance = new long[members];
        var before = new int[members];
        Array.Fill(before, -1);
        while (true)
        {
            var shortened = false;
            steps += (long)members * members;
            for (var from = 0; from < members; from++)
            {
                for (var to = 0; to < members; to++)
                {
                    if (way[from, to] == long.MaxValue || distance[from] + way[from, to] >= distance[to]) continue;
                    distance[to] = distance[from] + way[from, to];
                    before[to] = from;
                    shortened = true;
                }
            }

            // Without a negative cycle nothing is shortened after as many rounds as there are members; with one, the predecessors form a circle by then, and mostly long before.
            if (!shortened) return null;
            if (CircleAmong(before) is { } circle) return circle;
        }
    }

    private static List<int>? CircleAmong(int[] before)
    {
        var seenFrom = new int[before.Length];
        for (var start = 0; start < before.Length; start++)
        {
            var member = start;
            while (member >= 0 && seenFrom[member] == 0)
            {
                seenFrom[member] = start + 1;
                member = before[member];
            }

            if (member < 0 || seenFrom[member] != start + 1) continue;
            var circle = new List<int> { member };
            for (var next = before[member]; next != member; next = before[next]) circle.Add(next);
            circle.Reverse();
            return circle;
        }

        return null;
    }
}
