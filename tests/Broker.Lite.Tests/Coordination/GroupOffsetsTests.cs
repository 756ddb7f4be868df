using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Coordination;

public sealed class GroupOffsetsTests
{
    private const string Group = "g";

    [Fact]
    public async Task Commit_is_fetched_with_its_metadata()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.None, await member.CommitAsync("t", 42, "here"));
        var fetched = await FetchAsync(broker, "t", 0);
        Assert.Equal((42L, "here", ErrorCode.None), (fetched.CommittedOffset, fetched.Metadata, fetched.ErrorCode));
    }

    [Fact]
    public async Task Unknown_group_and_partition_have_offset_minus_one_and_no_error()
    {
        await using var broker = await TestBroker.StartAsync();
        var fetched = await FetchAsync(broker, "nowhere", 7);
        Assert.Equal((-1L, -1, "", ErrorCode.None), (fetched.CommittedOffset, fetched.CommittedLeaderEpoch, fetched.Metadata, fetched.ErrorCode));
    }

    [Fact]
    public async Task All_offsets_are_fetched_when_no_topics_are_named()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("a", 2);
        await broker.CreateTopicAsync("b");
        var simple = new TestMember(broker, Group);
        await simple.CommitAsync("a", 1, partition: 1);
        await simple.CommitAsync("b", 2);
        var group = (await broker.SendAsync(new OffsetFetchRequest { Groups = [new() { GroupId = Group, Topics = null }] })).Groups[0];
        Assert.Equal(
            [("a", 1, 1L), ("b", 0, 2L)],
            group.Topics.OrderBy(topic => topic.Name).SelectMany(topic => topic.Partitions.Select(p => (topic.Name, p.PartitionIndex, p.CommittedOffset))));
    }

    [Fact]
    public async Task Client_that_assigns_itself_commits_only_while_the_group_has_no_members()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var simple = new TestMember(broker, Group);
        Assert.Equal(ErrorCode.None, await simple.CommitAsync("t", 1));
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        Assert.Equal(ErrorCode.UnknownMemberId, await simple.CommitAsync("t", 2));
        await member.LeaveAsync();
        Assert.Equal(ErrorCode.None, await simple.CommitAsync("t", 3));
    }

    // Clients of the consumer protocol make up their member id (KIP-848) and send it with generation -1 when they assign partitions themselves.
    [Fact]
    public async Task Member_id_of_a_client_that_assigns_itself_does_not_matter_while_the_group_has_no_members()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var simple = new TestMember(broker, Group, "instance") { Id = "made up" };
        Assert.Equal(ErrorCode.None, await simple.CommitAsync("t", 1));
        Assert.Equal(ErrorCode.None, await simple.CommitAsync("t", 2));
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        Assert.NotEqual(ErrorCode.None, await simple.CommitAsync("t", 3));
        await member.LeaveAsync();
        Assert.Equal(ErrorCode.None, await simple.CommitAsync("t", 4));

        var producer = new TestProducer(broker, "tx");
        await producer.InitAsync();
        await producer.AddOffsetsAsync(Group);
        Assert.Equal(ErrorCode.None, await producer.CommitOffsetAsync(Group, "t", 5, member: simple));
        await producer.CommitAsync();
        Assert.Equal(5, (await FetchAsync(broker, "t", 0)).CommittedOffset);
    }

    [Fact]
    public async Task Partition_that_does_not_exist_says_so_before_the_group_is_asked()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var stranger = new TestMember(broker, Group) { Id = "somebody", Generation = 3 };
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await stranger.CommitAsync("nowhere", 1));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await stranger.CommitAsync("t", 1, partition: 1));
        Assert.Equal(ErrorCode.GroupIdNotFound, await stranger.CommitAsync("t", 1));
    }

    [Fact]
    public async Task Commit_between_join_and_sync_is_refused_but_during_the_join_phase_accepted()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();

        var second = new TestMember(broker, Group);
        var joining = second.JoinAsync();
        Assert.Equal(ErrorCode.None, await member.CommitAsync("t", 5)); // it still owns its partitions
        await member.JoinAsync();
        await joining;
        Assert.Equal(ErrorCode.RebalanceInProgress, await member.CommitAsync("t", 6));
        Assert.Equal(5, (await FetchAsync(broker, "t", 0)).CommittedOffset);
    }

    [Fact]
    public async Task Partition_that_does_not_exist_and_metadata_that_is_too_long_fail_alone()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var simple = new TestMember(broker, Group);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await simple.CommitAsync("t", 1, partition: 1));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await simple.CommitAsync("u", 1));
        Assert.Equal(ErrorCode.OffsetMetadataTooLarge, await simple.CommitAsync("t", 1, new string('x', 4097)));
        Assert.Equal(ErrorCode.None, await simple.CommitAsync("t", 1, new string('x', 4096)));
    }

    [Fact]
    public async Task Offsets_of_an_empty_group_expire_and_the_group_with_them()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        await member.CommitAsync("t", 9);
        for (var day = 0; day < 30; day++)
        {
            broker.Clock.Advance(TimeSpan.FromSeconds(9));
            await member.HeartbeatAsync();
        }

        await member.LeaveAsync();
        broker.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        Assert.Equal(9, (await FetchAsync(broker, "t", 0)).CommittedOffset);
        broker.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(-1, (await FetchAsync(broker, "t", 0)).CommittedOffset);
        Assert.Empty((await broker.SendAsync(new ListGroupsRequest())).Groups);
    }

    [Fact]
    public async Task Offsets_of_a_group_with_members_never_expire()
    {
        await using var broker = await TestBroker.StartAsync(("offsets.retention.minutes", "1"), ("offsets.retention.check.interval.ms", "1000"));
        await broker.CreateTopicAsync("t");
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        await member.CommitAsync("t", 9);
        for (var i = 0; i < 30; i++)
        {
            broker.Clock.Advance(TimeSpan.FromSeconds(9));
            Assert.Equal(ErrorCode.None, await member.HeartbeatAsync());
        }

        Assert.Equal(9, (await FetchAsync(broker, "t", 0)).CommittedOffset);
    }

    [Fact]
    public async Task Group_is_deleted_only_without_members()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var member = new TestMember(broker, Group);
        await member.JoinAndSyncAloneAsync();
        await member.CommitAsync("t", 9);
        Assert.Equal([ErrorCode.NonEmptyGroup, ErrorCode.GroupIdNotFound], await DeleteAsync(broker, Group, "none"));
        await member.LeaveAsync();
        Assert.Equal([ErrorCode.None], await DeleteAsync(broker, Group));
        Assert.Equal([ErrorCode.GroupIdNotFound], await DeleteAsync(broker, Group));
        Assert.Equal(-1, (await FetchAsync(broker, "t", 0)).CommittedOffset);
    }

    [Fact]
    public async Task Offsets_are_deleted_only_in_topics_nobody_subscribes_to()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("used");
        await broker.CreateTopicAsync("unused");
        var member = new TestMember(broker, Group)
        {
            Metadata = VersionedPayload.Encode(new ConsumerProtocolSubscription { Topics = ["used"] }, 1),
        };
        await member.JoinAndSyncAloneAsync();
        await member.CommitAsync("used", 1);
        await member.CommitAsync("unused", 1);

        var response = await broker.SendAsync(new OffsetDeleteRequest
        {
            GroupId = Group,
            Topics = [new() { Name = "used", Partitions = [new()] }, new() { Name = "unused", Partitions = [new()] }],
        });
        Assert.Equal(ErrorCode.GroupSubscribedToTopic, response.Topics[0].Partitions[0].ErrorCode);
        Assert.Equal(ErrorCode.None, response.Topics[1].Partitions[0].ErrorCode);
        Assert.Equal(1, (await FetchAsync(broker, "used", 0)).CommittedOffset);
        Assert.Equal(-1, (await FetchAsync(broker, "unused", 0)).CommittedOffset);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await broker.SendAsync(new OffsetDeleteRequest { GroupId = "none" })).ErrorCode);
    }

    [Fact]
    public async Task Deleting_a_topic_forgets_the_offsets_in_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        await new TestMember(broker, Group).CommitAsync("t", 9);
        await broker.SendAsync(new DeleteTopicsRequest { Topics = [new() { Name = "t" }] });
        await broker.CreateTopicAsync("t");
        Assert.Equal(-1, (await FetchAsync(broker, "t", 0)).CommittedOffset);
    }

    private static async Task<OffsetFetchResponse.OffsetFetchResponsePartitions> FetchAsync(TestBroker broker, string topic, int partition) =>
        (await broker.SendAsync(new OffsetFetchRequest
        {
            Groups = [new() { GroupId = Group, Topics = [new() { Name = topic, PartitionIndexes = [partition] }] }],
        })).Groups[0].Topics[0].Partitions[0];

    private static async Task<IEnumerable<ErrorCode>> DeleteAsync(TestBroker broker, params string[] groups) =>
        (await broker.SendAsync(new DeleteGroupsRequest { GroupsNames = [.. groups] })).Results.Select(result => result.ErrorCode);
}
