using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class TaskDivisionTests
{
    [Fact]
    public void Tasks_stay_on_their_threads_and_new_ones_go_to_the_one_with_the_fewest()
    {
        var shares = TaskDivision.Divide([Share([T(0)]), Share([T(3), T(1)])], [T(0), T(1), T(2), T(3)], []);
        Assert.Equal([T(0), T(2)], shares[0].Active);
        Assert.Equal([T(1), T(3)], shares[1].Active);
    }

    [Fact]
    public void Standby_becomes_active_on_the_thread_that_has_it_and_the_other_way_round()
    {
        var shares = TaskDivision.Divide([Share([T(0)], [T(1)]), Share([T(2)], [T(3)])], [T(1), T(3)], [T(0), T(2)]);
        Assert.Equal([T(1)], shares[0].Active);
        Assert.Equal([T(0)], shares[0].Standby);
    }

    [Fact]
    public void Random_divisions_are_complete_and_even_and_dividing_again_moves_nothing()
    {
        const int Seed = 77;
        for (var round = 0; round < 500; round++)
        {
            var random = new Random(Seed + round);
            var tasks = Enumerable.Range(0, random.Next(0, 30)).Select(T).ToList();
            var active = tasks.Where(_ => random.Next(2) == 0).ToList();
            var standby = tasks.Except(active).ToList();
            var threads = Enumerable.Range(0, random.Next(1, 6)).Select(_ => new ThreadShare([.. tasks.Where(_ => random.Next(5) == 0)], [.. tasks.Where(_ => random.Next(5) == 0)])).ToList();
            var shares = TaskDivision.Divide(threads, active, standby);
            Check(shares.Select(share => share.Active), active);
            Check(shares.Select(share => (IReadOnlyCollection<TaskId>)[.. share.Active, .. share.Standby]), tasks);
            Assert.True(shares.SelectMany(share => share.Standby).Order().SequenceEqual(standby.Order()), $"seed {Seed + round}");
            var again = TaskDivision.Divide(shares, active, standby);
            Assert.All(Enumerable.Range(0, threads.Count), thread => Assert.True(
                shares[thread].Active.Order().SequenceEqual(again[thread].Active.Order()) && shares[thread].Standby.Order().SequenceEqual(again[thread].Standby.Order()), $"seed {Seed + round}"));

            void Check(IEnumerable<IReadOnlyCollection<TaskId>> lists, List<TaskId> expected)
            {
                var all = lists.ToList();
                Assert.True(all.SelectMany(list => list).Order().SequenceEqual(expected.Order()), $"seed {Seed + round}");
                Assert.True(all.Max(list => list.Count) - all.Min(list => list.Count) <= 1, $"seed {Seed + round}");
            }
        }
    }

    private static TaskId T(int partition) => new(0, partition);

    private static ThreadShare Share(IReadOnlyCollection<TaskId> active, IReadOnlyCollection<TaskId>? standby = null) => new(active, standby ?? []);
}
