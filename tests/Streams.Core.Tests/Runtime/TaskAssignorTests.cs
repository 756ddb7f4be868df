using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class TaskAssignorTests
{
    [Fact]
    public void Task_stays_where_it_runs_rather_than_where_its_state_lies()
    {
        var assigned = TaskAssignor.Assign(
            new Dictionary<string, MemberMetadata> { ["a"] = Member(1, owned: [T(0)], disk: [T(1)]), ["b"] = Member(1, owned: [T(1)], disk: [T(0)]) },
            [T(0), T(1)]);
        Assert.Equal([T(0)], assigned["a"]);
        Assert.Equal([T(1)], assigned["b"]);
    }

    [Fact]
    public void Task_that_runs_nowhere_goes_where_its_state_lies()
    {
        var assigned = TaskAssignor.Assign(
            new Dictionary<string, MemberMetadata> { ["a"] = Member(1), ["b"] = Member(1, disk: [T(0)]) },
            [T(0), T(1)]);
        Assert.Equal([T(1)], assigned["a"]);
        Assert.Equal([T(0)], assigned["b"]);
    }

    [Fact]
    public void New_member_takes_no_more_than_its_share()
    {
        var assigned = TaskAssignor.Assign(
            new Dictionary<string, MemberMetadata> { ["a"] = Member(1, owned: [T(0), T(1), T(2), T(3)]), ["b"] = Member(1) },
            [T(0), T(1), T(2), T(3)]);
        Assert.Equal([T(0), T(1)], assigned["a"]);
        Assert.Equal([T(2), T(3)], assigned["b"]);
    }

    [Fact]
    public void No_members_and_no_tasks_give_nothing()
    {
        Assert.Empty(TaskAssignor.Assign(new Dictionary<string, MemberMetadata>(), [T(0)]));
        Assert.Empty(TaskAssignor.Assign(new Dictionary<string, MemberMetadata> { ["a"] = Member(2) }, [])["a"]);
    }

    [Fact]
    public void Claims_of_tasks_that_do_not_exist_and_claims_of_two_members_do_no_harm()
    {
        var assigned = TaskAssignor.Assign(
            new Dictionary<string, MemberMetadata> { ["a"] = Member(1, owned: [T(0), T(0), T(77)]), ["b"] = Member(1, owned: [T(0), T(77)]) },
            [T(0), T(1)]);
        Assert.Equal([T(0)], assigned["a"]);
        Assert.Equal([T(1)], assigned["b"]);
    }

    [Fact]
    public void Random_groups_are_divided_fairly_completely_and_always_alike()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        for (var round = 0; round < 500; round++)
        {
            var tasks = Enumerable.Range(0, random.Next(0, 60)).Select(T).ToList();
            var members = new Dictionary<string, MemberMetadata>();
            for (var member = random.Next(1, 8); member > 0; member--) members.Add($"m{member}", Member(random.Next(1, 5), Some(), Some()));

            var first = TaskAssignor.Assign(members, tasks);
            var because = $"seed {Seed}, round {round}";
            Assert.True(tasks.Order().SequenceEqual(first.Values.SelectMany(list => list).Order()), because);
            var threads = members.Values.Sum(member => member.Threads);
            foreach (var (name, metadata) in members)
            {
                var share = (double)tasks.Count * metadata.Threads / threads;
                Assert.True(Math.Abs(first[name].Count - share) < 1, $"{because}: {name} got {first[name].Count} of {share}");
            }

            // Order in which members joined and tasks are listed does not matter.
            var second = TaskAssignor.Assign(members.OrderBy(_ => random.Next()).ToDictionary(), [.. tasks.OrderBy(_ => random.Next())]);
            Assert.All(members.Keys, name => Assert.True(first[name].SequenceEqual(second[name]), because));

            // Dividing again with what everybody got moves nothing.
            var settled = members.ToDictionary(member => member.Key, member => member.Value with { OwnedTasks = first[member.Key] });
            var third = TaskAssignor.Assign(settled, tasks);
            Assert.All(members.Keys, name => Assert.True(first[name].SequenceEqual(third[name]), $"{because}: tasks of {name} moved"));

            IReadOnlyList<TaskId> Some() => [.. tasks.Where(_ => random.Next(4) == 0)];
        }
    }

    private static TaskId T(int partition) => new(0, partition);

    private static MemberMetadata Member(int threads, IReadOnlyList<TaskId>? owned = null, IReadOnlyList<TaskId>? disk = null) => new(Guid.Empty, threads, owned ?? [], disk ?? []);
}
