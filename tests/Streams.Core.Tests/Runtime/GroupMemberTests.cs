using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

/// <summary>The member's loop against a coordinator that plays a script, on a clock on which waiting takes no time.</summary>
public sealed class GroupMemberTests
{
    private static readonly PartitionCounts _twoPartitions = PartitionCounts.Resolve(
        new TopologyPlan(new Topology().AddSource("s", Options.Texts, "in").AddProcessor("p", () => new PassOn<string, string>(), "s"), "app"),
        new Dictionary<string, int> { ["in"] = 2 });

    [Fact]
    public async Task Member_joins_stays_and_joins_again_when_the_group_rebalances()
    {
        var play = new Play(Joined(1), Synced(0), GroupError.None, GroupError.RebalanceInProgress, Joined(2), Synced(1));
        await play.RunAsync();
        Assert.Equal(
            ["join /-1", "sync m/1", "assign 0_0", "heartbeat m/1", "heartbeat m/1", "join m/1", "sync m/2", "assign 0_1", "heartbeat m/2"],
            play.Log);
    }

    [Fact]
    public async Task Tasks_are_lost_with_the_generation_and_the_member_keeps_its_id()
    {
        var play = new Play(Joined(1), Synced(0), GroupError.IllegalGeneration, Joined(5), Synced(0));
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "assign 0_0", "heartbeat m/1", "lose", "join m/-1", "sync m/5", "assign 0_0", "heartbeat m/5"], play.Log);
    }

    [Fact]
    public async Task Tasks_and_id_are_lost_when_the_coordinator_does_not_know_the_member()
    {
        var play = new Play(Joined(1), Synced(0), GroupError.UnknownMemberId, Joined(2), Synced(0));
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "assign 0_0", "heartbeat m/1", "lose", "join /-1", "sync m/2", "assign 0_0", "heartbeat m/2"], play.Log);
    }

    [Fact]
    public async Task Rebalance_during_the_sync_is_joined_again_without_an_assignment()
    {
        var play = new Play(Joined(1), new SyncGroupResult(GroupError.RebalanceInProgress, default), Joined(2), Synced(0));
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "join m/1", "sync m/2", "assign 0_0", "heartbeat m/2"], play.Log);
    }

    [Fact]
    public async Task Coordinator_that_is_away_is_asked_again_with_growing_pauses()
    {
        var play = new Play(Away(), Away(), Away(), Joined(1), Synced(0));
        await play.RunAsync();
        Assert.Equal(["join /-1", "join /-1", "join /-1", "join /-1", "sync m/1", "assign 0_0", "heartbeat m/1"], play.Log);

        // 100, 200 and 400 ms, and one heartbeat interval.
        Assert.Equal(TimeSpan.FromMilliseconds(700 + 3000), play.Clock.Elapsed);
    }

    [Fact]
    public async Task Pauses_stop_growing_at_ten_seconds()
    {
        var play = new Play([.. Enumerable.Range(0, 20).Select(_ => Away()), Joined(1), Synced(0)]);
        await play.RunAsync();
        var doublings = Enumerable.Range(0, 7).Sum(power => 100 << power);
        Assert.Equal(TimeSpan.FromMilliseconds(doublings + 13 * 10_000 + 3000), play.Clock.Elapsed);
    }

    [Fact]
    public async Task Silent_coordinator_is_borne_for_the_session_and_then_joined_again()
    {
        var play = new Play([Joined(1), Synced(0), .. Enumerable.Range(0, 15).Select(_ => Away()), Joined(2), Synced(0)]);
        await play.RunAsync();
        Assert.Equal(
            ["join /-1", "sync m/1", "assign 0_0", .. Enumerable.Repeat("heartbeat m/1", 15), "join m/1", "sync m/2", "assign 0_0", "heartbeat m/2"],
            play.Log);
    }

    [Fact]
    public async Task Static_member_whose_place_was_taken_ends_with_an_error_that_names_it()
    {
        var play = new Play(Joined(1), Synced(0), GroupError.FencedInstanceId) { InstanceId = "box-7" };
        var failure = await Assert.ThrowsAsync<TaskMigratedException>(play.RunAsync);
        Assert.Contains("'box-7'", failure.Message, StringComparison.Ordinal);
        Assert.Equal("lose", play.Log[^1]);
    }

    [Fact]
    public async Task Refused_commit_makes_the_member_join_again()
    {
        var play = new Play(Joined(1), Synced(0), GroupError.None, Joined(2), Synced(0));
        play.OnAssigned = member =>
        {
            play.OnAssigned = null;
            member.RequestRejoin();
            member.RequestRejoin();
        };
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "assign 0_0", "heartbeat m/1", "join m/1", "sync m/2", "assign 0_0", "heartbeat m/2"], play.Log);
    }

    [Fact]
    public async Task Leader_divides_the_tasks_and_does_so_again_when_topics_have_changed()
    {
        var play = new Play(Leads(1), Synced(0), GroupError.None, GroupError.None, Leads(2), Synced(0)) { TopicsChange = true };
        await play.RunAsync();
        Assert.Equal(
            [
                "join /-1", "prepare", "sync m/1 m=[0_0] n=[0_1]", "assign 0_0", "heartbeat m/1", "heartbeat m/1", "look",
                "join m/1", "prepare", "sync m/2 m=[0_0] n=[0_1]", "assign 0_0", "heartbeat m/2",
            ],
            play.Log);
    }

    [Fact]
    public async Task Member_that_had_to_let_go_of_a_task_joins_again_at_once()
    {
        var play = new Play(Joined(1), Synced(0), Joined(2), Synced(0)) { LetsGo = true };
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "assign 0_0", "join m/1", "sync m/2", "assign 0_0", "heartbeat m/2"], play.Log);
    }

    [Fact]
    public async Task Member_that_is_to_look_again_joins_again_when_the_time_has_come()
    {
        var play = new Play(Joined(1), Synced(0, probeAfterMs: 8000), GroupError.None, GroupError.None, GroupError.None, Joined(2), Synced(0));
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "assign 0_0", .. Enumerable.Repeat("heartbeat m/1", 3), "join m/1", "sync m/2", "assign 0_0", "heartbeat m/2"], play.Log);
    }

    [Fact]
    public async Task Member_whose_threads_are_slow_to_take_an_assignment_stays_alive()
    {
        var slow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var play = new Play(Joined(1), Synced(0), GroupError.None, GroupError.RebalanceInProgress, GroupError.None) { SlowAssignment = slow };
        play.OnHeartbeat = count =>
        {
            if (count == 3) slow.SetResult();
        };
        await play.RunAsync();
        Assert.Equal(["join /-1", "sync m/1", "assign 0_0", "heartbeat m/1", "heartbeat m/1", "heartbeat m/1"], play.Log.Take(6));
    }

    [Fact]
    public async Task Member_that_does_not_lead_leaves_looking_at_topics_to_the_leader()
    {
        var play = new Play([Joined(1), Synced(0), .. Enumerable.Repeat<object>(GroupError.None, 10)]) { TopicsChange = true };
        await play.RunAsync();
        Assert.DoesNotContain("look", play.Log);
    }

    [Fact]
    public async Task Malformed_assignment_ends_the_application()
    {
        var play = new Play(Joined(1), new SyncGroupResult(GroupError.None, new byte[] { 0, 0, 127, 255, 255, 255 }));
        await Assert.ThrowsAsync<SerializationException>(play.RunAsync);
    }

    private static JoinGroupResult Joined(int generation) => new(GroupError.None, new GroupMembership("app", generation, "m", null), "stream", "n", []);

    private static JoinGroupResult Leads(int generation) => new(
        GroupError.None,
        new GroupMembership("app", generation, "m", null),
        "stream",
        "m",
        [new("m", Metadata(0)), new("n", Metadata(1))]);

    private static ReadOnlyMemory<byte> Metadata(int partition) => new MemberMetadata { ProcessId = Guid.Empty, Threads = 1, OwnedTasks = [new TaskId(0, partition)] }.Encode(["in"]);

    private static SyncGroupResult Synced(int partition, long probeAfterMs = 0) => new(
        GroupError.None,
        new MemberAssignment { Tasks = [new TaskId(0, partition)], PartitionCounts = new Dictionary<string, int> { ["in"] = 2 }, ProbeAfterMs = probeAfterMs }.Encode([new TopicPartition("in", partition)]));

    private static ClusterUnavailableException Away() => new("away");

    /// <summary>A member, its owner and the script that is played to them.</summary>
    private sealed class Play(params object[] script) : IGroupMemberOwner
    {
        private GroupMember? _member;

        public InstantClock Clock { get; } = new();

        public List<string> Log { get; } = [];

        public string? InstanceId { get; init; }

        public bool TopicsChange { get; set; }

        /// <summary>Whether the next assignment takes something away.</summary>
        public bool LetsGo { get; set; }

        /// <summary>Keeps assignments from being done.</summary>
        public TaskCompletionSource? SlowAssignment { get; init; }

        public Action<GroupMember>? OnAssigned { get; set; }

        public Action<int>? OnHeartbeat { get; set; }

        public IReadOnlyCollection<string> SubscribedTopics => ["in"];

        /// <summary>Plays the script to its end, or to the member's failure.</summary>
        public async Task RunAsync()
        {
            var coordinator = new ScriptedCoordinator(script, Write);
            var config = new StreamsConfig
            {
                ApplicationId = "app",
                GroupInstanceId = InstanceId,
                TimeProvider = Clock,
                HeartbeatInterval = TimeSpan.FromSeconds(3),
                SessionTimeout = TimeSpan.FromSeconds(45),
                MetadataMaxAge = TimeSpan.FromSeconds(6),
            };
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var member = new GroupMember(coordinator, config, this, NullLogger.Instance);
            _member = member;
            var running = member.RunAsync(stop.Token);
            var first = await Task.WhenAny(running, coordinator.Played);
            await stop.CancelAsync();
            if (first == running) await running;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        public MemberMetadata Describe() => new() { ProcessId = Guid.Empty, Threads = 1 };

        public Task<PartitionCounts> PrepareTopicsAsync(CancellationToken cancellationToken)
        {
            Write("prepare");
            return Task.FromResult(_twoPartitions);
        }

        public Task<bool> HaveTopicsChangedAsync(PartitionCounts known, CancellationToken cancellationToken)
        {
            Write("look");
            return Task.FromResult(TopicsChange);
        }

        public IReadOnlyCollection<TaskId> AllTasks(PartitionCounts counts) => [new(0, 0), new(0, 1)];

        public IReadOnlyCollection<TopicPartition> InputsOf(TaskId task, PartitionCounts counts) => [new("in", task.Partition)];

        public Task<IReadOnlyDictionary<TaskId, long>> EndPositionsAsync(PartitionCounts counts, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<TaskId, long>>(new Dictionary<TaskId, long>());

        public Task<IReadOnlyDictionary<TaskId, TaskInfo>> DescribeTasksAsync(PartitionCounts counts, bool withRacks, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<TaskId, TaskInfo>>(
                AllTasks(counts).ToDictionary(task => task, task => new TaskInfo(task, false, [], [.. InputsOf(task, counts).Select(input => new TaskTopicPartition(input, true, false, withRacks ? ["r"] : []))])));

        public async Task<bool> AssignAsync(GroupMembership membership, MemberAssignment assignment)
        {
            OnAssigned?.Invoke(_member!);
            await Written($"assign {string.Join(',', assignment.Tasks)}");
            await (SlowAssignment?.Task ?? Task.CompletedTask);
            var letGo = LetsGo;
            LetsGo = false;
            return letGo;
        }

        public Task LoseAsync() => Written("lose");

        private Task Written(string line)
        {
            Write(line);
            return Task.CompletedTask;
        }

        private void Write(string line)
        {
            lock (Log) Log.Add(line);
            if (line.StartsWith("heartbeat", StringComparison.Ordinal)) OnHeartbeat?.Invoke(Log.Count(other => other.StartsWith("heartbeat", StringComparison.Ordinal)));
        }
    }
}
