using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class TaskAssignorTests
{
    [Fact]
    public void Task_stays_where_it_runs_rather_than_where_its_state_lies()
    {
        var division = Assign(
            [T(0), T(1)],
            ("a", Member(owned: [T(0)], state: [(T(1), 0)])),
            ("b", Member(owned: [T(1)], state: [(T(0), 0)])));
        Assert.Equal([T(0)], division.Active["a"]);
        Assert.Equal([T(1)], division.Active["b"]);
    }

    [Fact]
    public void Task_that_runs_nowhere_goes_where_most_of_its_state_lies()
    {
        var division = Assign([T(0), T(1)], ("a", Member(state: [(T(0), 50_000)])), ("b", Member(state: [(T(0), 90_000)])));
        Assert.Equal([T(1)], division.Active["a"]);
        Assert.Equal([T(0)], division.Active["b"]);
    }

    [Fact]
    public void State_of_unknown_extent_is_better_than_none()
    {
        var division = Assign([T(0), T(1)], ("a", Member()), ("b", Member(state: [(T(0), MemberMetadata.UnknownPosition)])));
        Assert.Equal([T(0)], division.Active["b"]);
    }

    [Fact]
    public void Task_without_state_moves_in_two_steps_one_member_lets_go_before_the_other_gets_it()
    {
        var first = AssignStateless([T(0), T(1), T(2), T(3)], ("a", Member(owned: [T(0), T(1), T(2), T(3)])), ("b", Member()));
        Assert.Equal([T(0), T(1)], first.Active["a"]);
        Assert.Empty(first.Active["b"]);
        Assert.Equal([T(2), T(3)], first.Withheld);

        var second = AssignStateless([T(0), T(1), T(2), T(3)], ("a", Member(owned: [T(0), T(1)])), ("b", Member()));
        Assert.Equal([T(0), T(1)], second.Active["a"]);
        Assert.Equal([T(2), T(3)], second.Active["b"]);
        Assert.Empty(second.Withheld);
    }

    [Fact]
    public void Task_with_state_moves_when_its_new_owner_has_caught_up_and_warms_up_there_until_then()
    {
        // A new member: its share warms up there, as many at a time as are allowed, and runs on where it is.
        var cold = Assign([T(0), T(1), T(2), T(3)], ("a", Member(owned: [T(0), T(1), T(2), T(3)])), ("b", Member()));
        Assert.Equal([T(0), T(1), T(2), T(3)], cold.Active["a"]);
        Assert.Equal([T(2), T(3)], cold.Standby["b"]);
        Assert.True(cold.NeedsProbe);

        // One of them has caught up: it moves, and the other goes on warming up.
        var warm = Assign([T(0), T(1), T(2), T(3)], ("a", Member(owned: [T(0), T(1), T(2), T(3)])), ("b", Member(state: [(T(2), 60_000), (T(3), 99_000)])));
        Assert.Equal([T(0), T(1), T(2)], warm.Active["a"]);
        Assert.Equal([T(3)], warm.Withheld);
        Assert.Equal([T(2), T(3)], warm.Standby["b"]);
        Assert.True(warm.NeedsProbe);

        var done = Assign([T(0), T(1), T(2), T(3)], ("a", Member(owned: [T(0), T(1)])), ("b", Member(owned: [T(3)], state: [(T(2), 99_000), (T(3), MemberMetadata.CaughtUp)])));
        Assert.Equal([T(0), T(1)], done.Active["a"]);
        Assert.Equal([T(2), T(3)], done.Active["b"]);
        Assert.Empty(done.Standby["b"]);
        Assert.False(done.NeedsProbe);
    }

    [Fact]
    public void No_more_tasks_warm_up_at_a_time_than_are_allowed()
    {
        var tasks = Enumerable.Range(0, 20).Select(T).ToList();
        var division = TaskAssignor.Assign(Situation(tasks, [("a", Member(owned: tasks)), ("b", Member())]) with { MaxWarmupReplicas = 3 });
        Assert.Equal(3, division.Standby["b"].Count);
        Assert.Equal(20, division.Active["a"].Count);
    }

    [Fact]
    public void Nobody_waits_for_state_that_nobody_has()
    {
        var division = Assign([T(0), T(1)], ("a", Member()), ("b", Member()));
        Assert.Equal([T(0)], division.Active["a"]);
        Assert.Equal([T(1)], division.Active["b"]);
        Assert.False(division.NeedsProbe);
    }

    [Fact]
    public void Standby_takes_over_from_a_member_that_is_gone()
    {
        var division = TaskAssignor.Assign(Situation([T(0), T(1), T(2), T(3)],
        [
            ("b", Member(owned: [T(1)], state: [(T(0), 99_990), (T(2), 99_990)])),
            ("c", Member(owned: [T(2)], state: [(T(1), 99_990), (T(3), 99_990)])),
        ]) with { StandbyReplicas = 1 });
        Assert.Equal([T(0), T(1)], division.Active["b"]);
        Assert.Equal([T(2), T(3)], division.Active["c"]);
        Assert.Equal([T(2), T(3)], division.Standby["b"]);
        Assert.Equal([T(0), T(1)], division.Standby["c"]);
        Assert.False(division.NeedsProbe);
    }

    [Fact]
    public void Standbys_are_kept_in_another_zone_than_the_task()
    {
        var tasks = Enumerable.Range(0, 12).Select(T).ToList();
        var division = TaskAssignor.Assign(Situation(tasks,
        [
            ("a1", Member(zone: "a")), ("a2", Member(zone: "a")), ("b1", Member(zone: "b")), ("b2", Member(zone: "b")), ("c1", Member(zone: "c")),
        ]) with { StandbyReplicas = 2, RackAwareTags = ["zone"] });
        foreach (var task in tasks)
        {
            var holders = division.Active.Concat(division.Standby).Where(entry => entry.Value.Contains(task)).Select(entry => entry.Key[0]).ToList();
            Assert.Equal(3, holders.Count);
            Assert.Equal(3, holders.Distinct().Count());
        }
    }

    [Fact]
    public void Standby_in_the_same_zone_is_better_than_none()
    {
        var division = TaskAssignor.Assign(Situation([T(0)], [("a", Member(zone: "x")), ("b", Member(zone: "x"))]) with { StandbyReplicas = 1, RackAwareTags = ["zone"] });
        Assert.Equal([T(0)], division.Standby["b"]);
    }

    [Fact]
    public void Member_without_threads_gets_nothing_and_a_group_without_threads_neither()
    {
        var division = Assign([T(0), T(1)], ("a", Member(threads: 0)), ("b", Member()));
        Assert.Empty(division.Active["a"]);
        Assert.Equal([T(0), T(1)], division.Active["b"]);
        Assert.Empty(Assign([T(0)], ("a", Member(threads: 0))).Active["a"]);
    }

    /// <summary>A member that closes has no threads to offer, and makes its last commit with the tasks it has: nobody else may have them until it is gone.</summary>
    [Fact]
    public void Tasks_of_a_member_that_is_closing_are_withheld_until_it_has_left()
    {
        var closing = Assign([T(0), T(1)], ("a", Member(threads: 0, owned: [T(0), T(1)])), ("b", Member()));
        Assert.Empty(closing.Active["a"]);
        Assert.Empty(closing.Active["b"]);
        Assert.Equal([T(0), T(1)], closing.Withheld.Order());

        var gone = Assign([T(0), T(1)], ("b", Member()));
        Assert.Equal([T(0), T(1)], gone.Active["b"]);
    }

    [Fact]
    public void No_members_and_no_tasks_give_nothing()
    {
        Assert.Empty(Assign([T(0)]).Active);
        Assert.Empty(Assign([], ("a", Member())).Active["a"]);
    }

    [Fact]
    public void Claims_of_tasks_that_do_not_exist_do_no_harm()
    {
        var division = Assign([T(0), T(1)], ("a", Member(owned: [T(0), T(0), T(77)])), ("b", Member(state: [(T(77), 0)])));
        Assert.Equal([T(0)], division.Active["a"]);
        Assert.Equal([T(1)], division.Active["b"]);
    }

    [Fact]
    public void Of_two_claims_the_later_generation_is_right_and_of_two_alike_neither()
    {
        var later = AssignStateless([T(0)], ("a", Member(owned: [T(0)], generation: 3)), ("b", Member(owned: [T(0)], generation: 4)));
        Assert.Equal([T(0)], later.Active["b"]);
        Assert.Empty(later.Withheld);

        var alike = AssignStateless([T(0)], ("a", Member(owned: [T(0)], generation: 4)), ("b", Member(owned: [T(0)], generation: 4)));
        Assert.Empty(alike.Active["a"]);
        Assert.Empty(alike.Active["b"]);
        Assert.Equal([T(0)], alike.Withheld);
    }

    /// <summary>
    /// Random groups in random states are divided again and again, as the runtime would do it: owners let go, warm-ups catch up. Until nothing moves any more,
    /// nothing has two owners, and in the end everything is in balance.
    /// </summary>
    [Theory]
    [InlineData(RackAwareAssignmentStrategy.None)]
    [InlineData(RackAwareAssignmentStrategy.MinTraffic)]
    [InlineData(RackAwareAssignmentStrategy.BalanceSubtopology)]
    public void Random_groups_settle_in_balance_and_no_task_ever_has_two_owners(RackAwareAssignmentStrategy strategy)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("ASSIGNOR_SEED") ?? "20261121", System.Globalization.CultureInfo.InvariantCulture);
        for (var round = 0; round < 250; round++)
        {
            var random = new Random(seed + round);
            var because = $"ASSIGNOR_SEED={seed + round}";
            var tasks = Enumerable.Range(0, random.Next(0, 40)).Select(number => new TaskId(number % 3, number / 3)).ToList();
            var ends = tasks.Where(task => task.Subtopology > 0).ToDictionary(task => task, _ => (long)random.Next(0, 100_000));
            var equal = random.Next(2) == 0;
            var standbys = random.Next(0, 3);
            var members = new SortedDictionary<string, MemberMetadata>(StringComparer.Ordinal);
            for (var member = random.Next(1, 8); member > 0; member--)
            {
                var state = ends.Where(_ => random.Next(4) == 0).Select(entry => (entry.Key, random.NextInt64(0, entry.Value + 1))).ToArray();
                members.Add($"m{member}", Member(threads: equal ? 2 : random.Next(1, 5), state: state));
            }

            foreach (var task in tasks.Where(_ => random.Next(3) > 0))
            {
                var owner = members.Keys.ElementAt(random.Next(members.Count));
                members[owner] = members[owner] with
                {
                    OwnedTasks = [.. members[owner].OwnedTasks, task],
                    Positions = ends.ContainsKey(task) ? new Dictionary<TaskId, long>(members[owner].Positions) { [task] = MemberMetadata.CaughtUp } : members[owner].Positions,
                };
            }

            var traffic = strategy == RackAwareAssignmentStrategy.None ? null : RandomTraffic(strategy, tasks, ends, members, random);
            var situation = new GroupSituation { Traffic = traffic, Members = members, Tasks = tasks, EndPositions = ends, StandbyReplicas = standbys, AcceptableRecoveryLag = 100, MaxWarmupReplicas = random.Next(1, 4) };
            var division = TaskAssignor.Assign(situation);
            for (var step = 0; ; step++)
            {
                Assert.True(step < 150, $"{because}: it does not settle");
                CheckSafe(situation, division, because);
                var next = Advance(situation, division, random);
                var after = TaskAssignor.Assign(next);
                if (!division.NeedsProbe && division.Withheld.Count == 0 && Same(division, after)) break;
                situation = next;
                division = after;
            }

            CheckSettled(situation, division, equal, because);
            if (traffic is not null) CheckTraffic(situation, division, equal, because);

            // The order in which members joined and tasks are listed does not matter.
            var shuffled = TaskAssignor.Assign(situation with { Members = members.Keys.OrderBy(_ => random.Next()).ToDictionary(name => name, name => situation.Members[name]), Tasks = [.. tasks.OrderBy(_ => random.Next())] });
            Assert.True(Same(TaskAssignor.Assign(situation), shuffled), because);
        }
    }

    // What members say after they have done what they were told: let go of what is not theirs, and caught up, or not yet quite, with what they copy.
    private static GroupSituation Advance(GroupSituation situation, GroupDivision division, Random random) => situation with
    {
        Members = situation.Members.ToDictionary(member => member.Key, member =>
        {
            var positions = new Dictionary<TaskId, long>(member.Value.Positions);
            foreach (var task in division.Standby[member.Key]) positions[task] = random.Next(3) == 0 ? situation.EndPositions[task] / 2 : situation.EndPositions[task];
            foreach (var task in member.Value.OwnedTasks.Where(situation.EndPositions.ContainsKey)) positions[task] = situation.EndPositions[task];
            foreach (var task in division.Active[member.Key].Where(situation.EndPositions.ContainsKey)) positions[task] = MemberMetadata.CaughtUp;
            return member.Value with { OwnedTasks = division.Active[member.Key], Positions = positions };
        }),
    };

    private static void CheckSafe(GroupSituation situation, GroupDivision division, string because)
    {
        var active = division.Active.Values.SelectMany(list => list).ToList();
        Assert.True(active.Concat(division.Withheld).Order().SequenceEqual(situation.Tasks.Order()), $"{because}: a task is missing, or there twice");
        foreach (var (member, tasks) in division.Active)
        {
            foreach (var task in tasks)
                Assert.False(situation.Members.Any(other => other.Key != member && other.Value.OwnedTasks.Contains(task)), $"{because}: {task} was given to {member} before its owner let go");
            Assert.False(tasks.Intersect(division.Standby[member]).Any(), $"{because}: {member} has a task and its standby");
        }

        Assert.All(division.Standby.Values, list => Assert.True(list.Count == list.Distinct().Count(), because));
    }

    private static void CheckSettled(GroupSituation situation, GroupDivision division, bool equal, string because)
    {
        var threads = situation.Members.Values.Sum(member => member.Threads);
        foreach (var (name, metadata) in situation.Members)
        {
            var share = (double)situation.Tasks.Count * metadata.Threads / threads;
            if (equal || situation.Traffic is not { Strategy: RackAwareAssignmentStrategy.BalanceSubtopology }) Assert.True(Math.Abs(division.Active[name].Count - share) < 1, $"{because}: {name} got {division.Active[name].Count} of {share}");
        }

        foreach (var task in situation.EndPositions.Keys)
            Assert.True(division.Standby.Values.Count(list => list.Contains(task)) == Math.Min(situation.StandbyReplicas, situation.Members.Count - 1), $"{because}: standbys of {task}");
        if (!equal) return;
        var stateful = division.Active.Values.Select(list => list.Count(situation.EndPositions.ContainsKey)).ToList();
        Assert.True(stateful.Max() - stateful.Min() <= 1, $"{because}: tasks with state {string.Join(' ', stateful)}");
        var standbys = division.Standby.Values.Select(list => list.Count).ToList();
        Assert.True(standbys.Max() - standbys.Min() <= 1, $"{because}: standbys {string.Join(' ', standbys)}");
    }

    // Every member says a rack, and every partition has replicas in one or two.
    private static RackTraffic RandomTraffic(
        RackAwareAssignmentStrategy strategy, List<TaskId> tasks, Dictionary<TaskId, long> ends, SortedDictionary<string, MemberMetadata> members, Random random)
    {
        foreach (var name in members.Keys.ToList()) members[name] = members[name] with { Tags = new Dictionary<string, string> { [RackTraffic.RackTag] = Rack() } };
        return new RackTraffic
        {
            Strategy = strategy,
            TrafficCost = random.Next(0, 4) * 5,
            NonOverlapCost = random.Next(0, 4),
            Tasks = tasks.ToDictionary(task => task, task => new TaskInfo(
                task,
                ends.ContainsKey(task),
                [],
                [.. Enumerable.Range(0, random.Next(1, 4)).Select(number => new TaskTopicPartition(new TopicPartition("t" + number, task.Partition), true, number == 0, random.Next(2) == 0 ? [Rack()] : [Rack(), Rack()]))])),
        };

        string Rack() => "r" + random.Next(3);
    }

    // Settled, so nothing that it could still gain by moving is worth the move: less traffic costs tasks with state their place.
    private static void CheckTraffic(GroupSituation situation, GroupDivision division, bool equal, string because)
    {
        var traffic = situation.Traffic!;
        if (traffic.Strategy == RackAwareAssignmentStrategy.BalanceSubtopology)
        {
            var threads = situation.Members.Values.Sum(member => member.Threads);
            foreach (var group in situation.Tasks.GroupBy(task => task.Subtopology))
            {
                foreach (var (name, metadata) in situation.Members)
                {
                    var share = (double)group.Count() * metadata.Threads / threads;
                    var got = division.Active[name].Count(task => task.Subtopology == group.Key);
                    Assert.True(got > share - 1 && got <= Math.Floor(share) + 1, $"{because}: {name} got {got} of {share} of sub-topology {group.Key}");
                }
            }

            return;
        }

        // Without it the same group, that is where the tasks run now, would keep everything: the traffic is that of the settled division at most.
        foreach (var isStateful in (bool[])[false, true])
        {
            var pairs = division.Active.SelectMany(entry => entry.Value.Where(task => situation.EndPositions.ContainsKey(task) == isStateful).Select(task => (task, member: entry.Key))).ToList();
            foreach (var (one, at) in pairs)
            {
                foreach (var (other, there) in pairs)
                {
                    var gain = Cost(one, at) + Cost(other, there) - Cost(one, there) - Cost(other, at);
                    Assert.True(at == there || gain <= (isStateful ? 2 * traffic.NonOverlapCost : 0), $"{because}: {one} at {at} and {other} at {there} should change places, for {gain}");
                }
            }
        }

        int Cost(TaskId task, string member) => traffic.TrafficCost * traffic.Crossing(task, situation.Members[member], changelogsOnly: false);
    }

    private static bool Same(GroupDivision one, GroupDivision other) =>
        one.Active.All(entry => entry.Value.SequenceEqual(other.Active[entry.Key])) && one.Standby.All(entry => entry.Value.SequenceEqual(other.Standby[entry.Key]));

    private static TaskId T(int partition) => new(0, partition);

    private static MemberMetadata Member(int threads = 1, IReadOnlyList<TaskId>? owned = null, (TaskId Task, long Position)[]? state = null, string? zone = null, int generation = 1)
    {
        var positions = (owned ?? []).Distinct().ToDictionary(task => task, _ => MemberMetadata.CaughtUp);
        foreach (var (task, position) in state ?? []) positions[task] = position;
        return new MemberMetadata
        {
            ProcessId = Guid.Empty,
            Threads = threads,
            Generation = generation,
            OwnedTasks = owned ?? [],
            Positions = positions,
            Tags = zone is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["zone"] = zone },
        };
    }

    private static GroupSituation Situation(IReadOnlyList<TaskId> tasks, (string Name, MemberMetadata Metadata)[] members) => new()
    {
        Members = members.ToDictionary(member => member.Name, member => member.Metadata),
        Tasks = tasks,
        EndPositions = tasks.ToDictionary(task => task, _ => 100_000L),
    };

    private static GroupDivision Assign(IReadOnlyList<TaskId> tasks, params (string Name, MemberMetadata Metadata)[] members) => TaskAssignor.Assign(Situation(tasks, members));

    private static GroupDivision AssignStateless(IReadOnlyList<TaskId> tasks, params (string Name, MemberMetadata Metadata)[] members) =>
        TaskAssignor.Assign(Situation(tasks, members) with { EndPositions = new Dictionary<TaskId, long>() });
}
