using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Coordination;

/// <summary>Groups with the consumer protocol (KIP-848).</summary>
public sealed class ConsumerGroupTests
{
    private const string Group = "g";

    [Fact]
    public async Task Member_alone_gets_all_partitions_at_once_and_nothing_new_after_that()
    {
        await using var broker = await StartAsync();
        var consumer = new TestConsumer(broker, Group);
        var joined = await consumer.SendAsync();
        Assert.Equal((ErrorCode.None, 1, 5000), (joined.ErrorCode, joined.MemberEpoch, joined.HeartbeatIntervalMs));
        Assert.Equal([0, 1, 2, 3, 4, 5], joined.Assignment!.TopicPartitions.Single().Partitions);
        await consumer.HeartbeatAsync();
        Assert.Null((await consumer.SendAsync()).Assignment);
        Assert.NotNull((await consumer.SendAsync(full: true)).Assignment);
    }

    [Fact]
    public async Task Partition_moves_only_after_its_owner_gave_it_up()
    {
        await using var broker = await StartAsync();
        var (first, second) = (new TestConsumer(broker, Group), new TestConsumer(broker, Group));
        await TestConsumer.SettleAsync(first);
        await second.HeartbeatAsync();
        Assert.Empty(second.Owned); // all are still the first one's
        await second.HeartbeatAsync();
        Assert.Empty(second.Owned);

        var epoch = first.Epoch;
        await first.HeartbeatAsync(); // is told, gives up, and stays in its epoch until it has said so
        Assert.Equal((epoch, 3), (first.Epoch, first.Owned.Count));
        await second.HeartbeatAsync();
        Assert.Empty(second.Owned);
        await first.HeartbeatAsync();
        Assert.Equal(epoch + 1, first.Epoch);
        await second.HeartbeatAsync();
        Assert.Equal((3, epoch + 1), (second.Owned.Count, second.Epoch));
        TestConsumer.AssertOneOwnerEach([first, second]);
    }

    [Fact]
    public async Task Members_that_come_and_go_share_evenly_and_keep_what_they_can()
    {
        await using var broker = await StartAsync();
        var consumers = Enumerable.Range(0, 3).Select(_ => new TestConsumer(broker, Group)).ToArray();
        await TestConsumer.SettleAsync(consumers[0]);
        await TestConsumer.SettleAsync(consumers[..2]);
        var before = consumers[..2].Select(consumer => consumer.Owned).ToArray();
        await TestConsumer.SettleAsync(consumers);
        Assert.All(consumers, consumer => Assert.Equal(2, consumer.Owned.Count));
        Assert.All([0, 1], i => Assert.Subset(before[i], consumers[i].Owned));

        Assert.Equal(ErrorCode.None, await consumers[2].LeaveAsync());
        await TestConsumer.SettleAsync(consumers[..2]);
        Assert.All(consumers[..2], consumer => Assert.Equal(3, consumer.Owned.Count));
    }

    // What @platformatic/kafka sends when it leaves.
    [Fact]
    public async Task Leave_may_fill_in_the_other_fields_with_nothing()
    {
        await using var broker = await StartAsync();
        var consumer = new TestConsumer(broker, Group);
        await TestConsumer.SettleAsync(consumer);
        var leave = new ConsumerGroupHeartbeatRequest
        {
            GroupId = Group,
            MemberId = consumer.Id,
            MemberEpoch = -1,
            RebalanceTimeoutMs = 0,
            SubscribedTopicNames = [],
            TopicPartitions = [],
        };
        var left = await broker.SendAsync(leave);
        Assert.Equal((ErrorCode.None, -1), (left.ErrorCode, left.MemberEpoch));
        var group = await DescribeAsync(broker);
        Assert.Equal(("Empty", 0), (group.GroupState, group.Members.Count));

        leave.MemberEpoch = 0;
        Assert.Equal(ErrorCode.InvalidRequest, (await broker.SendAsync(leave)).ErrorCode);
    }

    [Fact]
    public async Task Member_that_is_silent_is_out_and_joins_again()
    {
        await using var broker = await StartAsync();
        var (silent, other) = (new TestConsumer(broker, Group), new TestConsumer(broker, Group));
        await TestConsumer.SettleAsync(silent, other);
        broker.Clock.Advance(TimeSpan.FromSeconds(44));
        Assert.Equal(ErrorCode.None, await other.HeartbeatAsync());
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        await TestConsumer.SettleAsync(other);
        Assert.Equal(6, other.Owned.Count);
        Assert.Equal(ErrorCode.UnknownMemberId, await silent.HeartbeatAsync());
        await TestConsumer.SettleAsync(other, silent);
        Assert.Equal(3, silent.Owned.Count);
    }

    [Fact]
    public async Task Group_has_a_session_and_an_interval_of_its_own_across_restarts()
    {
        using var folder = new TestFolder();
        var clock = new ManualClock();
        var options = new BrokerOptions { DataDirectory = folder.Path };
        await using (var broker = await StartAsync(options, clock))
        {
            Assert.Equal(ErrorCode.None, (await AlterAsync(broker, Group, ("consumer.session.timeout.ms", "9000"), ("consumer.heartbeat.interval.ms", "300"))).ErrorCode);
            Assert.Equal(300, (await new TestConsumer(broker, Group).SendAsync()).HeartbeatIntervalMs);
            Assert.Equal(5000, (await new TestConsumer(broker, "other").SendAsync()).HeartbeatIntervalMs);
        }

        await using (var broker = await TestBroker.StartAsync(options, clock))
        {
            var (silent, elsewhere) = (new TestConsumer(broker, Group), new TestConsumer(broker, "other"));
            await silent.HeartbeatAsync();
            await elsewhere.HeartbeatAsync();
            clock.Advance(TimeSpan.FromMilliseconds(8999));
            Assert.Equal(ErrorCode.None, await silent.HeartbeatAsync());
            // It may become shorter than what is left of a session that runs: from the next heartbeat on.
            Assert.Equal(ErrorCode.None, (await AlterAsync(broker, Group, ("consumer.session.timeout.ms", "2000"))).ErrorCode);
            Assert.Equal(ErrorCode.None, await silent.HeartbeatAsync());
            clock.Advance(TimeSpan.FromMilliseconds(2000));
            Assert.Equal(ErrorCode.UnknownMemberId, await silent.HeartbeatAsync());
            Assert.Equal(ErrorCode.None, await elsewhere.HeartbeatAsync());
        }
    }

    [Fact]
    public async Task Settings_of_a_group_are_described_with_their_sources_and_refused_out_of_bounds()
    {
        await using var broker = await StartAsync(("group.consumer.session.timeout.ms", "40000"), ("group.consumer.min.session.timeout.ms", "5000"));
        Assert.Equal(ErrorCode.InvalidConfig, (await AlterAsync(broker, Group, ("consumer.session.timeout.ms", "4999"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidConfig, (await AlterAsync(broker, Group, ("consumer.heartbeat.interval.ms", "40000"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidConfig, (await AlterAsync(broker, Group, ("consumer.heartbeat.interval.ms", "soon"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidConfig, (await AlterAsync(broker, Group, ("retention.ms", "5"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await AlterAsync(broker, "", ("consumer.session.timeout.ms", "9000"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await AlterAsync(broker, Group, ("consumer.session.timeout.ms", "9000"))).ErrorCode);
        Assert.Equal(
            [("9000", 8, "consumer.session.timeout.ms"), ("40000", 4, "group.consumer.session.timeout.ms"), ("45000", 5, "group.consumer.session.timeout.ms")],
            await SynonymsAsync(broker, Group));
        Assert.Equal(ErrorCode.None, (await AlterAsync(broker, Group, ("consumer.session.timeout.ms", null))).ErrorCode);
        Assert.Equal(40000, int.Parse((await SynonymsAsync(broker, Group))[0].Value!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Empty(broker.Server.State.View.GroupConfigs);
        // Described before anybody has said anything about it, as in Kafka.
        Assert.Equal(2, (await SynonymsAsync(broker, "never heard of")).Count);

        static async Task<List<(string? Value, int Source, string Name)>> SynonymsAsync(TestBroker broker, string group)
        {
            var described = await broker.SendAsync(new DescribeConfigsRequest
            {
                IncludeSynonyms = true,
                IncludeDocumentation = true,
                Resources = [new() { ResourceType = 32, ResourceName = group, ConfigurationKeys = ["consumer.session.timeout.ms"] }],
            });
            var config = Assert.Single(described.Results[0].Configs);
            Assert.NotEmpty(config.Documentation!);
            Assert.Equal((config.Value, config.ConfigSource), (config.Synonyms[0].Value, config.Synonyms[0].Source));
            return [.. config.Synonyms.Select(synonym => (synonym.Value, (int)synonym.Source, synonym.Name))];
        }
    }

    [Fact]
    public async Task Member_that_does_not_give_up_its_partitions_is_out_after_its_rebalance_time_out()
    {
        await using var broker = await StartAsync();
        var stubborn = new TestConsumer(broker, Group) { RebalanceTimeoutMs = 20_000, IsStubborn = true };
        await TestConsumer.SettleAsync(stubborn);
        var other = new TestConsumer(broker, Group);
        await other.HeartbeatAsync();
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(ErrorCode.None, await stubborn.HeartbeatAsync());
            Assert.Equal(ErrorCode.None, await other.HeartbeatAsync());
            Assert.Empty(other.Owned);
            broker.Clock.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(ErrorCode.UnknownMemberId, await stubborn.HeartbeatAsync());
        await TestConsumer.SettleAsync(other);
        Assert.Equal(6, other.Owned.Count);
    }

    [Fact]
    public async Task Wrong_epoch_is_fenced_and_a_lost_answer_is_repeated()
    {
        await using var broker = await StartAsync();
        var (first, second) = (new TestConsumer(broker, Group), new TestConsumer(broker, Group));
        await TestConsumer.SettleAsync(first);
        await TestConsumer.SettleAsync(first, second);
        var epoch = first.Epoch;

        first.Epoch = epoch - 1; // did not get the last answer, and still has no more than it was given
        var repeated = await first.SendAsync(full: true);
        Assert.Equal((ErrorCode.None, epoch), (repeated.ErrorCode, repeated.MemberEpoch));
        Assert.Equal(first.Numbers, repeated.Assignment!.TopicPartitions.Single().Partitions);
        Assert.Equal(ErrorCode.FencedMemberEpoch, (await first.SendAsync()).ErrorCode); // does not say what it has
        first.Epoch = epoch + 1;
        Assert.Equal(ErrorCode.FencedMemberEpoch, (await first.SendAsync(full: true)).ErrorCode);
    }

    [Fact]
    public async Task Static_member_that_was_away_gets_its_partitions_back_without_a_rebalance()
    {
        await using var broker = await StartAsync();
        var (first, second) = (new TestConsumer(broker, Group, "one"), new TestConsumer(broker, Group, "two"));
        await TestConsumer.SettleAsync(first, second);
        var (owned, others, epoch) = (first.Numbers, second.Numbers, second.Epoch);

        Assert.Equal(ErrorCode.UnreleasedInstanceId, await new TestConsumer(broker, Group, "one").HeartbeatAsync());
        Assert.Equal(ErrorCode.None, await first.LeaveAsync(forAWhile: true));
        broker.Clock.Advance(TimeSpan.FromSeconds(40));
        await second.HeartbeatAsync();
        var back = new TestConsumer(broker, Group, "one");
        await TestConsumer.SettleAsync(back, second);
        Assert.Equal(owned, back.Numbers);
        Assert.Equal(others, second.Numbers);
        Assert.Equal(epoch, second.Epoch);
        first.Epoch = epoch;
        Assert.Equal(ErrorCode.FencedInstanceId, (await first.SendAsync()).ErrorCode);

        await back.LeaveAsync(forAWhile: true);
        broker.Clock.Advance(TimeSpan.FromSeconds(30));
        await second.HeartbeatAsync();
        broker.Clock.Advance(TimeSpan.FromSeconds(15));
        await TestConsumer.SettleAsync(second);
        Assert.Equal(6, second.Owned.Count); // it did not come back in time
    }

    [Fact]
    public async Task Changed_subscription_and_changed_topics_are_noticed_at_the_next_heartbeat()
    {
        await using var broker = await StartAsync();
        var consumer = new TestConsumer(broker, Group) { Topics = ["t", "later"] };
        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(6, consumer.Owned.Count);
        await broker.CreateTopicAsync("later", 2);
        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(8, consumer.Owned.Count);
        await broker.SendAsync(new CreatePartitionsRequest { Topics = [new() { Name = "later", Count = 4, Assignments = null }] });
        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(10, consumer.Owned.Count);
        await broker.SendAsync(new DeleteTopicsRequest { Topics = [new() { Name = "t" }] });
        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(4, consumer.Owned.Count);
        consumer.Topics = [];
        Assert.Equal(ErrorCode.None, await consumer.HeartbeatAsync(full: true));
        await TestConsumer.SettleAsync(consumer);
        Assert.Empty(consumer.Owned);
    }

    [Fact]
    public async Task Pattern_subscribes_to_all_topics_whose_whole_name_it_matches()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("logs-a");
        await broker.CreateTopicAsync("old-logs-a");
        await new TestMember(broker, "makes the internal topic").CommitAsync("t", 1);
        var consumer = new TestConsumer(broker, Group) { Topics = [], Regex = "logs-.*|__.*" };
        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(broker.Server.State.View.Find("logs-a")!.Id, Assert.Single(consumer.Owned).Topic);
        await broker.CreateTopicAsync("logs-b");
        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(2, consumer.Owned.Count);

        Assert.Equal(ErrorCode.InvalidRegularExpression, await new TestConsumer(broker, "h") { Topics = [], Regex = "(" }.HeartbeatAsync());
        // What librdkafka sends for "none" must not be taken for a pattern that matches everything.
        var none = new TestConsumer(broker, "i") { Topics = [], Regex = "" };
        await TestConsumer.SettleAsync(none);
        Assert.Empty(none.Owned);
    }

    [Fact]
    public async Task Assignor_is_the_one_that_most_members_ask_for()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("u", 3);
        var consumers = Enumerable.Range(0, 2).Select(i => new TestConsumer(broker, Group, $"instance {i}") { Topics = ["t", "u"], Assignor = "range" }).ToArray();
        await TestConsumer.SettleAsync(consumers);
        Assert.Equal([0, 0, 1, 1, 2], consumers[0].Numbers);
        Assert.Equal([2, 3, 4, 5], consumers[1].Numbers);
        Assert.Equal("range", (await DescribeAsync(broker)).AssignorName);
        Assert.Equal(ErrorCode.UnsupportedAssignor, await new TestConsumer(broker, Group) { Assignor = "sticky" }.HeartbeatAsync());
    }

    [Fact]
    public async Task Commits_and_fetches_of_offsets_go_by_the_member_epoch()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t", 2);
        var consumer = new TestConsumer(broker, Group);
        await TestConsumer.SettleAsync(consumer);
        var commit = new TestMember(broker, Group) { Id = consumer.Id, Generation = consumer.Epoch };
        Assert.Equal(ErrorCode.None, await commit.CommitAsync("t", 7));
        commit.Generation--;
        Assert.Equal(ErrorCode.StaleMemberEpoch, await commit.CommitAsync("t", 8));
        commit.Id = "somebody";
        Assert.Equal(ErrorCode.UnknownMemberId, await commit.CommitAsync("t", 8));
        Assert.Equal(ErrorCode.UnknownMemberId, await new TestMember(broker, Group).CommitAsync("t", 8));

        using var client = new RawClient(broker.Port);
        var old = new OffsetCommitRequest
        {
            GroupId = Group,
            MemberId = consumer.Id,
            GenerationIdOrMemberEpoch = consumer.Epoch - 1,
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, CommittedOffset = 9 }] }],
        };
        Assert.Equal(ErrorCode.UnsupportedVersion, (await client.CallAsync(old, 8, 1)).Topics[0].Partitions[0].ErrorCode);
        old.GroupId = "none";
        Assert.Equal(ErrorCode.IllegalGeneration, (await client.CallAsync(old, 8, 2)).Topics[0].Partitions[0].ErrorCode);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await client.CallAsync(old, 9, 3)).Topics[0].Partitions[0].ErrorCode);

        var fetch = new OffsetFetchRequest.OffsetFetchRequestGroup { GroupId = Group, MemberId = consumer.Id, MemberEpoch = consumer.Epoch, Topics = null };
        Assert.Equal(7, (await broker.SendAsync(new OffsetFetchRequest { Groups = [fetch] })).Groups[0].Topics[0].Partitions[0].CommittedOffset);
        fetch.MemberEpoch--;
        Assert.Equal(ErrorCode.StaleMemberEpoch, (await broker.SendAsync(new OffsetFetchRequest { Groups = [fetch] })).Groups[0].ErrorCode);
        fetch.MemberId = "somebody";
        Assert.Equal(ErrorCode.UnknownMemberId, (await broker.SendAsync(new OffsetFetchRequest { Groups = [fetch] })).Groups[0].ErrorCode);
    }

    [Fact]
    public async Task Transactions_take_the_offsets_of_current_members_only()
    {
        await using var broker = await StartAsync();
        var consumer = new TestConsumer(broker, Group);
        await TestConsumer.SettleAsync(consumer);
        var producer = new TestProducer(broker, "tx");
        await producer.InitAsync();
        await producer.AddOffsetsAsync(Group);
        var member = new TestMember(broker, Group) { Id = consumer.Id, Generation = consumer.Epoch };
        Assert.Equal(ErrorCode.None, await producer.CommitOffsetAsync(Group, "t", 5, member: member));
        member.Generation--;
        Assert.Equal(ErrorCode.IllegalGeneration, await producer.CommitOffsetAsync(Group, "t", 6, member: member));
        member.Id = "somebody";
        Assert.Equal(ErrorCode.UnknownMemberId, await producer.CommitOffsetAsync(Group, "t", 6, member: member));
    }

    [Fact]
    public async Task Protocols_are_not_mixed_but_an_empty_group_changes_over_with_its_offsets()
    {
        await using var broker = await StartAsync();
        var classic = new TestMember(broker, Group);
        await classic.JoinAndSyncAloneAsync();
        await classic.CommitAsync("t", 3);
        var consumer = new TestConsumer(broker, Group);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, await consumer.HeartbeatAsync());
        await classic.LeaveAsync();

        await TestConsumer.SettleAsync(consumer);
        Assert.Equal(3, await OffsetAsync(broker));
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await new TestMember(broker, Group).JoinAsync()).ErrorCode);
        Assert.Equal("Dead", (await broker.SendAsync(new DescribeGroupsRequest { Groups = [Group] })).Groups[0].GroupState);
        await consumer.LeaveAsync();

        await new TestMember(broker, Group).JoinAndSyncAloneAsync();
        Assert.Equal(3, await OffsetAsync(broker));
        Assert.Equal(ErrorCode.GroupIdNotFound, (await DescribeAsync(broker)).ErrorCode);
    }

    [Fact]
    public async Task Members_and_their_partitions_survive_a_restart()
    {
        using var folder = new TestFolder();
        var clock = new ManualClock();
        TestConsumer[] consumers;
        (int Epoch, int[] Numbers)[] before;
        await using (var broker = await StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            consumers = [new(broker, Group), new(broker, Group, "static")];
            await TestConsumer.SettleAsync(consumers);
            before = [.. consumers.Select(consumer => (consumer.Epoch, consumer.Numbers))];
            await new TestMember(broker, Group) { Id = consumers[0].Id, Generation = consumers[0].Epoch }.CommitAsync("t", 4);
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            foreach (var consumer in consumers)
                consumer.Broker = broker;
            await TestConsumer.SettleAsync(consumers);
            Assert.Equal(before, consumers.Select(consumer => (consumer.Epoch, consumer.Numbers)));
            Assert.Equal(("Stable", 2), ((await DescribeAsync(broker)).GroupState, (await DescribeAsync(broker)).Members.Count));
            clock.Advance(TimeSpan.FromSeconds(40));
            await consumers[1].HeartbeatAsync();
            clock.Advance(TimeSpan.FromSeconds(5)); // the other one has a session from the start on
            await TestConsumer.SettleAsync(consumers[1]);
            Assert.Equal(6, consumers[1].Owned.Count);
            await consumers[1].LeaveAsync();
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
        {
            Assert.Equal(("Empty", 0), ((await DescribeAsync(broker)).GroupState, (await DescribeAsync(broker)).Members.Count));
            Assert.Equal(4, await OffsetAsync(broker));
            Assert.Equal(ErrorCode.None, (await broker.SendAsync(new DeleteGroupsRequest { GroupsNames = [Group] })).Results[0].ErrorCode);
        }

        await using (var broker = await TestBroker.StartAsync(new BrokerOptions { DataDirectory = folder.Path }, clock))
            Assert.Empty((await broker.SendAsync(new ListGroupsRequest())).Groups);
    }

    [Fact]
    public async Task Groups_are_described_listed_and_deleted()
    {
        await using var broker = await StartAsync();
        var (first, second) = (new TestConsumer(broker, Group, "one"), new TestConsumer(broker, Group));
        await TestConsumer.SettleAsync(first);
        await new TestMember(broker, "classic").JoinAndSyncAloneAsync();
        var described = await DescribeAsync(broker);
        Assert.Equal(("Stable", 1, 1, "uniform"), (described.GroupState, described.GroupEpoch, described.AssignmentEpoch, described.AssignorName));
        var member = Assert.Single(described.Members);
        Assert.Equal((first.Id, "one", 1, "test", 1), (member.MemberId, member.InstanceId, member.MemberEpoch, member.ClientId, (int)member.MemberType));
        Assert.Equal(("t", 6), (member.Assignment.TopicPartitions.Single().TopicName, member.TargetAssignment.TopicPartitions.Single().Partitions.Count));
        await second.HeartbeatAsync();
        Assert.Equal("Reconciling", (await DescribeAsync(broker)).GroupState);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await broker.SendAsync(new ConsumerGroupDescribeRequest { GroupIds = ["classic"] })).Groups[0].ErrorCode);

        var listed = (await broker.SendAsync(new ListGroupsRequest())).Groups;
        Assert.Equal([("classic", "classic", "Stable"), (Group, "consumer", "Reconciling")], listed.Select(one => (one.GroupId, one.GroupType, one.GroupState)));
        Assert.Equal(Group, Assert.Single((await broker.SendAsync(new ListGroupsRequest { TypesFilter = ["Consumer"] })).Groups).GroupId);
        Assert.Empty((await broker.SendAsync(new ListGroupsRequest { TypesFilter = ["consumer"], StatesFilter = ["empty"] })).Groups);

        Assert.Equal(ErrorCode.NonEmptyGroup, (await broker.SendAsync(new DeleteGroupsRequest { GroupsNames = [Group] })).Results[0].ErrorCode);
        await first.LeaveAsync();
        await second.LeaveAsync();
        Assert.Equal(ErrorCode.None, (await broker.SendAsync(new DeleteGroupsRequest { GroupsNames = [Group] })).Results[0].ErrorCode);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await DescribeAsync(broker)).ErrorCode);
    }

    [Fact]
    public async Task Offsets_of_an_empty_group_expire_and_those_of_subscribed_topics_cannot_be_deleted()
    {
        await using var broker = await StartAsync();
        var consumer = new TestConsumer(broker, Group);
        await TestConsumer.SettleAsync(consumer);
        await new TestMember(broker, Group) { Id = consumer.Id, Generation = consumer.Epoch }.CommitAsync("t", 4);
        var delete = new OffsetDeleteRequest { GroupId = Group, Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0 }] }] };
        Assert.Equal(ErrorCode.GroupSubscribedToTopic, (await broker.SendAsync(delete)).Topics[0].Partitions[0].ErrorCode);
        await consumer.LeaveAsync();
        broker.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromHours(1));
        Assert.Equal(4, await OffsetAsync(broker));
        broker.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(-1, await OffsetAsync(broker));
        Assert.Empty((await broker.SendAsync(new ListGroupsRequest())).Groups);
    }

    [Fact]
    public async Task Heartbeats_that_make_no_sense_are_refused()
    {
        await using var broker = await StartAsync(("group.consumer.max.size", "1"));
        async Task<ErrorCode> Send(Action<ConsumerGroupHeartbeatRequest> change)
        {
            var request = new ConsumerGroupHeartbeatRequest { GroupId = Group, MemberId = "m", MemberEpoch = 0, RebalanceTimeoutMs = 1000, SubscribedTopicNames = ["t"], TopicPartitions = [] };
            change(request);
            return (await broker.SendAsync(request)).ErrorCode;
        }

        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.GroupId = ""));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.InstanceId = ""));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.RebalanceTimeoutMs = -1));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.RebalanceTimeoutMs = int.MinValue));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.TopicPartitions = null));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.TopicPartitions = [new() { Partitions = [1] }]));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.SubscribedTopicNames = null));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => (request.MemberId, request.MemberEpoch) = ("", 1)));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.MemberEpoch = -3));
        Assert.Equal(ErrorCode.InvalidRequest, await Send(request => request.MemberEpoch = -2));
        Assert.Equal(ErrorCode.UnknownMemberId, await Send(request => request.MemberEpoch = -1));
        Assert.Equal(ErrorCode.UnknownMemberId, await Send(request => request.MemberEpoch = 5));
        Assert.Empty((await broker.SendAsync(new ListGroupsRequest())).Groups);
        Assert.Equal(ErrorCode.None, await Send(_ => { }));
        Assert.Equal(ErrorCode.GroupMaxSizeReached, await Send(request => request.MemberId = "n"));
        Assert.Equal(ErrorCode.None, await Send(_ => { })); // the same member once more
    }

    private static async Task<TestBroker> StartAsync(params (string Key, string Value)[] settings) =>
        await StartAsync(new BrokerOptions { Settings = settings.ToDictionary(setting => setting.Key, setting => setting.Value) });

    private static async Task<TestBroker> StartAsync(BrokerOptions options, ManualClock? clock = null)
    {
        var broker = await TestBroker.StartAsync(options, clock);
        await broker.CreateTopicAsync("t", 6);
        return broker;
    }

    private static async Task<IncrementalAlterConfigsResponse.AlterConfigsResourceResponse> AlterAsync(TestBroker broker, string group, params (string Key, string? Value)[] values) =>
        (await broker.SendAsync(new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = 32,
                    ResourceName = group,
                    Configs = [.. values.Select(value => new IncrementalAlterConfigsRequest.AlterableConfig { Name = value.Key, Value = value.Value, ConfigOperation = value.Value is null ? (sbyte)1 : (sbyte)0 })],
                },
            ],
        })).Responses[0];

    private static async Task<ConsumerGroupDescribeResponse.DescribedGroup> DescribeAsync(TestBroker broker) =>
        (await broker.SendAsync(new ConsumerGroupDescribeRequest { GroupIds = [Group] })).Groups[0];

    private static async Task<long> OffsetAsync(TestBroker broker)
    {
        var request = new OffsetFetchRequest { Groups = [new() { GroupId = Group, Topics = [new() { Name = "t", PartitionIndexes = [0] }] }] };
        return (await broker.SendAsync(request)).Groups[0].Topics[0].Partitions[0].CommittedOffset;
    }
}
