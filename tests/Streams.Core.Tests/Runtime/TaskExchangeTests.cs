using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class TaskExchangeTests
{
    /// <summary>Against trying everything: as cheap as can be, with everybody having as many as before.</summary>
    [Fact]
    public void Random_placements_become_as_cheap_as_any_with_the_same_counts()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("EXCHANGE_SEED") ?? "925", System.Globalization.CultureInfo.InvariantCulture);
        for (var round = 0; round < 400; round++)
        {
            var random = new Random(seed + round);
            var members = random.Next(1, 5);
            var tasks = Enumerable.Range(0, random.Next(0, 7)).Select(number => new TaskId(0, number)).ToList();
            var costs = tasks.ToDictionary(task => task, _ => Enumerable.Range(0, members).Select(_ => (long)random.Next(0, 12)).ToArray());
            var before = tasks.ConvertAll(_ => random.Next(members)).ToArray();
            var after = (int[])before.Clone();
            TaskExchange.Reduce(tasks, after, members, (task, member) => costs[task][member]);
            Assert.True(before.Order().SequenceEqual(after.Order()), $"EXCHANGE_SEED={seed + round}: counts changed");
            var least = Cheapest(tasks, costs, [.. Enumerable.Range(0, members).Select(member => before.Count(of => of == member))], 0);
            Assert.True(Sum(tasks, costs, after) == least, $"EXCHANGE_SEED={seed + round}: {Sum(tasks, costs, after)} instead of {least}");

            // What cannot be made cheaper is left as it is.
            var again = (int[])after.Clone();
            TaskExchange.Reduce(tasks, again, members, (task, member) => costs[task][member]);
            Assert.Equal(after, again);
        }
    }

    [Fact]
    public void A_large_group_is_done_in_a_moment()
    {
        var random = new Random(7);
        var tasks = Enumerable.Range(0, 2000).Select(number => new TaskId(number % 5, number / 5)).ToList();
        var racks = Enumerable.Range(0, 60).Select(_ => random.Next(3)).ToArray();
        var of = tasks.ConvertAll(_ => random.Next(3)).ToArray();
        var memberOf = Enumerable.Range(0, tasks.Count).Select(number => number % racks.Length).ToArray();
        var index = tasks.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        TaskExchange.Reduce(tasks, memberOf, racks.Length, (task, member) => racks[member] == of[index[task]] ? 0 : 10);
        var local = tasks.Index().Count(entry => racks[memberOf[entry.Index]] == of[entry.Index]);
        var possible = Enumerable.Range(0, 3).Sum(rack => Math.Min(of.Count(other => other == rack), racks.Index().Where(member => member.Item == rack).Sum(member => memberOf.Count(at => at == member.Index))));
        Assert.Equal(possible, local);
    }

    private static long Sum(List<TaskId> tasks, Dictionary<TaskId, long[]> costs, int[] memberOf) => tasks.Index().Sum(entry => costs[entry.Item][memberOf[entry.Index]]);

    private static long Cheapest(List<TaskId> tasks, Dictionary<TaskId, long[]> costs, int[] room, int next)
    {
        if (next == tasks.Count) return 0;
        var least = long.MaxValue;
        for (var member = 0; member < room.Length; member++)
        {
            if (room[member] == 0) continue;
            room[member]--;
            least = Math.Min(least, costs[tasks[next]][member] + Cheapest(tasks, costs, room, next + 1));
            room[member]++;
        }

        return least;
    }
}
