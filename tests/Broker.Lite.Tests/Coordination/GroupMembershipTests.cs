using System.Text;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Coordination;

public sealed class GroupMembershipTests
{
    private const string Group = "g";

    [Fact]
    public async Task Member_without_id_is_told_one_and_must_join_with_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var member = new TestMember(broker, Group);

        var first = await member.JoinOnceAsync();
        Assert.Equal(ErrorCode.MemberIdRequired, first.ErrorCode);
        Assert.StartsWith("test-", first.MemberId, StringComparison.Ordinal);

        member.Id = first.MemberId;
        var second = await member.JoinOnceAsync();
        Assert.Equal(ErrorCode.None, second.ErrorCode);
        Assert.Equal(1, second.GenerationId);
        Assert.Equal(first.MemberId, second.Leader);
        Assert.Equal("range", second.ProtocolName);
        Assert.Equal("consumer", second.ProtocolType);
        Assert.Equal("range@", Encoding.UTF8.GetString(Assert.Single(second.Members).Metadata.Span));
    }

    [Fact]
    public async Task Leader_assigns_and_everybody_gets_the_bytes_meant_for_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await TwoMembersAsync(broker);

        var waiting = follower.SyncAsync();
        Assert.False(waiting.IsCompleted);
        var own = await leader.SyncAsync((leader.Id, "left"), (follower.Id, "right"));
        Assert.Equal("left", Encoding.UTF8.GetString(own.Assignment.Span));
        Assert.Equal("right", Encoding.UTF8.GetString((await waiting).Assignment.Span));
        Assert.Equal("right", Encoding.UTF8.GetString((await follower.SyncAsync()).Assignment.Span));
        Assert.Equal(ErrorCode.None, await follower.HeartbeatAsync());
    }

    [Fact]
    public async Task Second_member_starts_a_rebalance_that_the_first_learns_of_by_heartbeat()
    {
        await using var broker = await TestBroker.StartAsync();
        var first = new TestMember(broker, Group);
        await first.JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.None, await first.HeartbeatAsync());

        var second = new TestMember(broker, Group);
        var joining = second.JoinAsync();
        Assert.Equal(ErrorCode.RebalanceInProgress, await first.HeartbeatAsync());
        Assert.Equal(ErrorCode.RebalanceInProgress, (await first.SyncAsync()).ErrorCode);
        Assert.False(joining.IsCompleted);

        var rejoined = await first.JoinAsync();
        Assert.Equal(2, rejoined.GenerationId);
        Assert.Equal(first.Id, rejoined.Leader);
        Assert.Equal(2, rejoined.Members.Count);
        var joined = await joining;
        Assert.Equal(2, joined.GenerationId);
        Assert.Empty(joined.Members);
    }

    [Fact]
    public async Task Member_is_removed_when_its_session_times_out()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await StableTwoAsync(broker);

        broker.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(ErrorCode.None, await leader.HeartbeatAsync());
        broker.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(ErrorCode.RebalanceInProgress, await leader.HeartbeatAsync());
        Assert.Equal(ErrorCode.UnknownMemberId, await follower.HeartbeatAsync());
        Assert.Equal(3, (await leader.JoinAsync()).GenerationId);
    }

    [Fact]
    public async Task Heartbeats_keep_a_member_alive_for_ever()
    {
        await using var broker = await TestBroker.StartAsync();
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        for (var i = 0; i < 50; i++)
        {
            broker.Clock.Advance(TimeSpan.FromSeconds(9));
            Assert.Equal(ErrorCode.None, await member.HeartbeatAsync());
        }
    }

    [Fact]
    public async Task Rebalance_goes_on_without_members_that_do_not_rejoin_in_time()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await StableTwoAsync(broker);

        var third = new TestMember(broker, Group);
        var joining = third.JoinAsync();
        // The two old members go on with heartbeats, so only the rebalance time-out can end the wait.
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(ErrorCode.RebalanceInProgress, await leader.HeartbeatAsync());
            Assert.Equal(ErrorCode.RebalanceInProgress, await follower.HeartbeatAsync());
            Assert.False(joining.IsCompleted);
            broker.Clock.Advance(TimeSpan.FromSeconds(5));
        }

        var joined = await joining;
        Assert.Equal(3, joined.GenerationId);
        Assert.Equal(third.Id, joined.Leader);
        Assert.Equal(ErrorCode.UnknownMemberId, await leader.HeartbeatAsync());
    }

    [Fact]
    public async Task Waiting_for_others_does_not_count_as_silence()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await StableTwoAsync(broker);

        var rejoining = follower.JoinAsync(); // same subscription, Stable: answered at once
        Assert.Equal(2, (await rejoining).GenerationId);
        var leaderJoin = leader.JoinAsync(); // the leader asking again starts a rebalance and parks
        for (var i = 0; i < 4; i++)
        {
            broker.Clock.Advance(TimeSpan.FromSeconds(6));
            Assert.Equal(ErrorCode.RebalanceInProgress, await follower.HeartbeatAsync());
        }

        Assert.False(leaderJoin.IsCompleted);
        var followerJoin = follower.JoinAsync();
        Assert.Equal(3, (await leaderJoin).GenerationId);
        Assert.Equal(3, (await followerJoin).GenerationId);
    }

    [Fact]
    public async Task Member_that_joins_but_never_syncs_is_removed()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await TwoMembersAsync(broker);
        await leader.SyncAsync((leader.Id, "x"), (follower.Id, "y"));
        for (var i = 0; i < 6; i++)
        {
            await leader.HeartbeatAsync();
            await follower.HeartbeatAsync();
            broker.Clock.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(ErrorCode.UnknownMemberId, await follower.HeartbeatAsync());
        Assert.Equal(ErrorCode.RebalanceInProgress, await leader.HeartbeatAsync());
    }

    [Fact]
    public async Task Id_that_was_given_out_but_not_used_holds_up_a_rebalance_only_for_its_session_time()
    {
        await using var broker = await TestBroker.StartAsync();
        var ghost = await new TestMember(broker, Group).JoinOnceAsync();
        Assert.Equal(ErrorCode.MemberIdRequired, ghost.ErrorCode);

        var member = new TestMember(broker, Group);
        var joining = member.JoinAsync();
        Assert.False(joining.IsCompleted);
        broker.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, (await joining).GenerationId);
        Assert.Equal(ErrorCode.UnknownMemberId, (await new TestMember(broker, Group) { Id = ghost.MemberId }.JoinOnceAsync()).ErrorCode);
    }

    [Fact]
    public async Task Leaving_makes_room_at_once()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await StableTwoAsync(broker);
        Assert.Equal(ErrorCode.None, await leader.LeaveAsync());
        Assert.Equal(ErrorCode.UnknownMemberId, await leader.LeaveAsync());
        Assert.Equal(ErrorCode.RebalanceInProgress, await follower.HeartbeatAsync());
        var joined = await follower.JoinAsync();
        Assert.Equal(3, joined.GenerationId);
        Assert.Equal(follower.Id, joined.Leader);
    }

    [Fact]
    public async Task Last_member_leaving_leaves_an_empty_group_with_the_next_generation()
    {
        await using var broker = await TestBroker.StartAsync();
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        await member.LeaveAsync();

        var described = (await broker.SendAsync(new DescribeGroupsRequest { Groups = [Group] })).Groups[0];
        Assert.Equal("Empty", described.GroupState);
        Assert.Empty(described.Members);
        var next = new TestMember(broker, Group);
        Assert.Equal(3, (await next.JoinAsync()).GenerationId);
    }

    [Fact]
    public async Task Requests_of_an_old_generation_are_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var (leader, _) = await StableTwoAsync(broker);
        leader.Generation = 1;
        Assert.Equal(ErrorCode.IllegalGeneration, await leader.HeartbeatAsync());
        Assert.Equal(ErrorCode.IllegalGeneration, (await leader.SyncAsync()).ErrorCode);
        Assert.Equal(ErrorCode.IllegalGeneration, await leader.CommitAsync("t", 1));
    }

    [Fact]
    public async Task Requests_of_strangers_are_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var stranger = new TestMember(broker, Group) { Id = "nobody", Generation = 1 };
        Assert.Equal(ErrorCode.UnknownMemberId, (await stranger.JoinOnceAsync()).ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, await stranger.HeartbeatAsync());
        Assert.Equal(ErrorCode.UnknownMemberId, (await stranger.SyncAsync()).ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, await stranger.LeaveAsync());
        Assert.Equal(ErrorCode.GroupIdNotFound, await stranger.CommitAsync("t", 1)); // IllegalGeneration before version 9
        await new TestMember(broker, Group).JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.UnknownMemberId, await stranger.HeartbeatAsync());
        Assert.Equal(ErrorCode.UnknownMemberId, await stranger.CommitAsync("t", 1));
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1_800_001)]
    public async Task Session_timeout_out_of_range_is_refused(int sessionTimeoutMs)
    {
        await using var broker = await TestBroker.StartAsync();
        var response = await new TestMember(broker, Group) { SessionTimeoutMs = sessionTimeoutMs }.JoinOnceAsync();
        Assert.Equal(ErrorCode.InvalidSessionTimeout, response.ErrorCode);
    }

    [Fact]
    public async Task Empty_group_id_is_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(ErrorCode.InvalidGroupId, (await new TestMember(broker, "").JoinOnceAsync()).ErrorCode);
    }

    [Fact]
    public async Task Member_without_a_protocol_in_common_is_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await new TestMember(broker, Group).JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await new TestMember(broker, Group) { Protocols = ["sticky"] }.JoinOnceAsync()).ErrorCode);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await new TestMember(broker, Group) { ProtocolType = "connect" }.JoinOnceAsync()).ErrorCode);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await new TestMember(broker, "other") { Protocols = [] }.JoinOnceAsync()).ErrorCode);
    }

    [Fact]
    public async Task Protocol_that_all_know_and_most_prefer_is_chosen()
    {
        await using var broker = await TestBroker.StartAsync(("group.initial.rebalance.delay.ms", "1000"));
        var members = new[]
        {
            new TestMember(broker, Group) { Protocols = ["only-a", "range", "sticky"] },
            new TestMember(broker, Group) { Protocols = ["sticky", "range"] },
            new TestMember(broker, Group) { Protocols = ["sticky", "range"] },
        };
        var joins = members.Select(member => member.JoinAsync()).ToArray();
        for (var i = 0; i < 4; i++)
            broker.Clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var join in joins)
            Assert.Equal("sticky", (await join).ProtocolName);
    }

    [Fact]
    public async Task Initial_delay_collects_members_into_one_generation()
    {
        await using var broker = await TestBroker.StartAsync(("group.initial.rebalance.delay.ms", "3000"));
        var first = new TestMember(broker, Group).JoinAsync();
        broker.Clock.Advance(TimeSpan.FromSeconds(2));
        var second = new TestMember(broker, Group).JoinAsync();
        broker.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(first.IsCompleted); // the second one extended it
        broker.Clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(1, (await first).GenerationId);
        Assert.Equal(1, (await second).GenerationId);
    }

    [Fact]
    public async Task Static_member_comes_back_without_a_rebalance_and_its_former_self_is_fenced()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var leader = new TestMember(broker, Group);
        await leader.JoinAndSyncAloneAsync();
        var former = new TestMember(broker, Group, "instance");
        var joining = former.JoinAsync();
        await leader.JoinAsync();
        await joining;
        await leader.SyncAsync((leader.Id, "left"), (former.Id, "right"));
        await former.SyncAsync();

        var restarted = new TestMember(broker, Group, "instance");
        var joined = await restarted.JoinAsync();
        Assert.Equal(ErrorCode.None, joined.ErrorCode);
        Assert.Equal(2, joined.GenerationId);
        Assert.NotEqual(former.Id, restarted.Id);
        Assert.Equal("right", Encoding.UTF8.GetString((await restarted.SyncAsync()).Assignment.Span));
        Assert.Equal(ErrorCode.None, await leader.HeartbeatAsync());
        Assert.Equal(ErrorCode.FencedInstanceId, await former.HeartbeatAsync());
        Assert.Equal(ErrorCode.FencedInstanceId, await former.CommitAsync("t", 1));
        Assert.Equal(ErrorCode.FencedInstanceId, (await former.SyncAsync()).ErrorCode);
        Assert.Equal(ErrorCode.FencedInstanceId, (await former.JoinOnceAsync()).ErrorCode);
    }

    [Fact]
    public async Task Static_leader_that_comes_back_is_told_to_skip_the_assignment()
    {
        await using var broker = await TestBroker.StartAsync();
        var former = new TestMember(broker, Group, "instance");
        await former.JoinAndSyncAloneAsync();
        var restarted = new TestMember(broker, Group, "instance");
        var joined = await restarted.JoinAsync();
        Assert.True(joined.SkipAssignment);
        Assert.Equal(restarted.Id, joined.Leader);
        Assert.Single(joined.Members);
        Assert.Equal("all", Encoding.UTF8.GetString((await restarted.SyncAsync()).Assignment.Span));
    }

    [Fact]
    public async Task Static_member_is_removed_by_its_instance_id()
    {
        await using var broker = await TestBroker.StartAsync();
        await new TestMember(broker, Group, "instance").JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.None, await new TestMember(broker, Group, "instance").LeaveAsync());
        Assert.Equal(ErrorCode.UnknownMemberId, await new TestMember(broker, Group, "instance").LeaveAsync());
    }

    [Fact]
    public async Task Follower_repeating_its_join_gets_the_current_generation_without_disturbing_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await StableTwoAsync(broker);
        var again = await follower.JoinAsync();
        Assert.Equal(2, again.GenerationId);
        Assert.Equal(leader.Id, again.Leader);
        Assert.Equal(ErrorCode.None, await leader.HeartbeatAsync());
    }

    [Fact]
    public async Task Follower_with_a_new_subscription_starts_a_rebalance()
    {
        await using var broker = await TestBroker.StartAsync();
        var (leader, follower) = await StableTwoAsync(broker);
        follower.Metadata = "changed"u8.ToArray();
        var joining = follower.JoinAsync();
        Assert.Equal(ErrorCode.RebalanceInProgress, await leader.HeartbeatAsync());
        var joined = await leader.JoinAsync();
        Assert.Contains(joined.Members, member => member.Metadata.Span.SequenceEqual("changed"u8));
        Assert.Equal(3, (await joining).GenerationId);
    }

    [Fact]
    public async Task Group_takes_no_more_members_than_its_maximum()
    {
        await using var broker = await TestBroker.StartAsync(("group.max.size", "1"));
        await new TestMember(broker, Group).JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await new TestMember(broker, Group).JoinOnceAsync()).ErrorCode);
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await new TestMember(broker, Group, "static").JoinOnceAsync()).ErrorCode);
    }

    [Fact]
    public async Task Stable_group_is_described_with_members_and_assignments()
    {
        await using var broker = await TestBroker.StartAsync();
        var member = new TestMember(broker, Group, "instance");
        await member.JoinAndSyncAloneAsync();
        var group = (await broker.SendAsync(new DescribeGroupsRequest { Groups = [Group, "none"], IncludeAuthorizedOperations = true })).Groups;
        Assert.Equal("Stable", group[0].GroupState);
        Assert.Equal("consumer", group[0].ProtocolType);
        Assert.Equal("range", group[0].ProtocolData);
        var described = Assert.Single(group[0].Members);
        Assert.Equal((member.Id, "instance", "test", "/local"), (described.MemberId, described.GroupInstanceId, described.ClientId, described.ClientHost));
        Assert.Equal("all", Encoding.UTF8.GetString(described.MemberAssignment.Span));
        Assert.Equal(("Dead", ErrorCode.None), (group[1].GroupState, group[1].ErrorCode));

        var all = (await broker.SendAsync(new ListGroupsRequest())).Groups;
        Assert.Equal((Group, "consumer", "Stable"), (all[0].GroupId, all[0].ProtocolType, all[0].GroupState));
        Assert.Empty((await broker.SendAsync(new ListGroupsRequest { StatesFilter = ["Empty"] })).Groups);
        Assert.Single((await broker.SendAsync(new ListGroupsRequest { StatesFilter = ["stable"] })).Groups);
    }

    private static async Task<(TestMember Leader, TestMember Follower)> TwoMembersAsync(TestBroker broker)
    {
        var leader = new TestMember(broker, Group);
        await leader.JoinAndSyncAloneAsync();
        var follower = new TestMember(broker, Group);
        var joining = follower.JoinAsync();
        Assert.Equal(ErrorCode.None, (await leader.JoinAsync()).ErrorCode);
        Assert.Equal(ErrorCode.None, (await joining).ErrorCode);
        return (leader, follower);
    }

    private static async Task<(TestMember Leader, TestMember Follower)> StableTwoAsync(TestBroker broker)
    {
        var (leader, follower) = await TwoMembersAsync(broker);
        await leader.SyncAsync((leader.Id, "left"), (follower.Id, "right"));
        await follower.SyncAsync();
        return (leader, follower);
    }
}
