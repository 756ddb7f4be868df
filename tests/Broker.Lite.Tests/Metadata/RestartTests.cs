using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Metadata;

/// <summary>What is there again when a broker is started on the folder of another one that was stopped.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "broker-lite-tests", Guid.NewGuid().ToString("N"));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Topics_records_and_settings_survive()
    {
        string clusterId;
        Guid topicId;
        await using (var broker = await StartAsync())
        {
            await broker.CreateTopicAsync("t", 2, ("retention.ms", "123456"));
            await broker.ProduceAsync("t", Batches.Of("a", "b"), partition: 1);
            await broker.SendAsync(new CreatePartitionsRequest { Topics = [new() { Name = "t", Count = 3, Assignments = null }] });
            await broker.SendAsync(new IncrementalAlterConfigsRequest
            {
                Resources = [new() { ResourceType = 4, ResourceName = "1", Configs = [new() { Name = "num.partitions", Value = "6" }] }],
            });
            clusterId = broker.Server.ClusterId;
            topicId = (await broker.SendAsync(new MetadataRequest { Topics = null })).Topics[0].TopicId;
        }

        await using (var broker = await StartAsync())
        {
            Assert.Equal(clusterId, broker.Server.ClusterId);
            var topic = Assert.Single((await broker.SendAsync(new MetadataRequest { Topics = null })).Topics);
            Assert.Equal(("t", topicId, 3), (topic.Name, topic.TopicId, topic.Partitions.Count));
            Assert.Equal([(0L, "a"), (1L, "b")], Batches.Read((await broker.FetchAsync("t", 0, partition: 1)).Records));
            var configs = (await broker.SendAsync(new DescribeConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "t", ConfigurationKeys = ["retention.ms"] }] })).Results[0].Configs;
            Assert.Equal("123456", Assert.Single(configs).Value);
            Assert.Equal(6, (await broker.SendAsync(new MetadataRequest { Topics = [new() { Name = "auto" }] })).Topics[0].Partitions.Count);
            Assert.Equal(2, (await broker.ProduceAsync("t", Batches.Of("c"), partition: 1)).BaseOffset);
        }
    }

    [Fact]
    public async Task Groups_keep_offsets_and_generation_and_their_members_must_join_again()
    {
        var member = default(TestMember);
        await using (var broker = await StartAsync())
        {
            await broker.CreateTopicAsync("t");
            member = new TestMember(broker, "g");
            await member.JoinAndSyncAloneAsync();
            await member.CommitAsync("t", 42, "meta");
            await new TestMember(broker, "simple").CommitAsync("t", 7);
            await new TestMember(broker, "deleted").CommitAsync("t", 8);
            await broker.SendAsync(new DeleteGroupsRequest { GroupsNames = ["deleted"] });
        }

        await using (var broker = await StartAsync())
        {
            Assert.Equal(["g", "simple"], (await broker.SendAsync(new ListGroupsRequest())).Groups.Select(group => group.GroupId));
            var described = (await broker.SendAsync(new DescribeGroupsRequest { Groups = ["g"] })).Groups[0];
            Assert.Equal(("Empty", "consumer"), (described.GroupState, described.ProtocolType));
            var fetched = (await broker.SendAsync(new OffsetFetchRequest { Groups = [new() { GroupId = "g", Topics = null }] })).Groups[0].Topics[0].Partitions[0];
            Assert.Equal((42L, "meta"), (fetched.CommittedOffset, fetched.Metadata));

            var zombie = new TestMember(broker, "g") { Id = member.Id, Generation = member.Generation };
            Assert.Equal(ErrorCode.UnknownMemberId, await zombie.HeartbeatAsync());
            Assert.Equal(ErrorCode.UnknownMemberId, await zombie.CommitAsync("t", 1));
            var next = new TestMember(broker, "g");
            await next.JoinAsync();
            Assert.Equal(member.Generation + 1, next.Generation);
        }
    }

    [Fact]
    public async Task Producer_ids_are_never_given_twice_and_sequences_go_on()
    {
        var ids = new HashSet<long>();
        long producerId = -1;
        for (var run = 0; run < 3; run++)
        {
            await using var broker = await StartAsync();
            if (run == 0)
                await broker.CreateTopicAsync("t");
            for (var i = 0; i < 1500; i++)
                Assert.True(ids.Add((await broker.SendAsync(new InitProducerIdRequest { TransactionalId = null })).ProducerId));
            if (run == 0)
                producerId = ids.First();
            Assert.Equal(run, (await broker.ProduceAsync("t", Batches.FromProducer(producerId, 0, run, "x"))).BaseOffset);
            Assert.Equal(run, (await broker.ProduceAsync("t", Batches.FromProducer(producerId, 0, run, "x"))).BaseOffset);
        }
    }

    [Fact]
    public async Task Deleted_topic_stays_deleted_and_its_folders_are_gone()
    {
        await using (var broker = await StartAsync())
        {
            await broker.CreateTopicAsync("t", 2);
            await broker.CreateTopicAsync("u");
            await broker.SendAsync(new DeleteTopicsRequest { Topics = [new() { Name = "t" }] });
        }

        Assert.Equal(["u-0"], Directory.GetDirectories(_directory).Select(Path.GetFileName));
        await using var again = await StartAsync();
        Assert.Equal(["u"], (await again.SendAsync(new MetadataRequest { Topics = null })).Topics.Select(topic => topic.Name));
    }

    [Fact]
    public async Task Deletion_that_a_crash_interrupted_is_finished_on_start()
    {
        await using (var broker = await StartAsync())
        {
            await broker.CreateTopicAsync("t", 2);
            await broker.ProduceAsync("t", Batches.Of("old"));
        }

        // As it is on disk when the process dies right after the topic was marked.
        var path = Path.Combine(_directory, "metadata.json");
        var text = await File.ReadAllTextAsync(path);
        Assert.Contains("\"deleting\": false", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text.Replace("\"deleting\": false", "\"deleting\": true", StringComparison.Ordinal));

        await using var again = await StartAsync();
        Assert.Empty((await again.SendAsync(new MetadataRequest { Topics = null })).Topics);
        Assert.Empty(Directory.GetDirectories(_directory));
        await again.CreateTopicAsync("t");
        Assert.Equal(0, (await again.FetchAsync("t", 0)).HighWatermark);
    }

    [Fact]
    public async Task Topic_whose_logs_a_crash_left_unmade_has_them_after_the_start()
    {
        await using (var broker = await StartAsync())
            await broker.CreateTopicAsync("t", 3);
        Directory.Delete(Path.Combine(_directory, "t-1"), recursive: true);
        await using var again = await StartAsync();
        Assert.Equal(0, (await again.ProduceAsync("t", Batches.Of("x"), partition: 1)).BaseOffset);
    }

    [Fact]
    public async Task Folder_is_used_by_one_broker_at_a_time()
    {
        await using var broker = await StartAsync();
        await Assert.ThrowsAsync<IOException>(StartAsync);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"version":2,"clusterId":"x"}""")]
    [InlineData("""{"version":1,"clusterId":"x","topics":[{"name":"../up","id":"00000000-0000-0000-0000-000000000001","partitions":1}]}""")]
    [InlineData("""{"version":1,"clusterId":"x","topics":[{"name":"t","id":"00000000-0000-0000-0000-000000000001","partitions":0}]}""")]
    [InlineData("""{"version":1,"clusterId":"x","topics":[null]}""")]
    [InlineData("""{"version":1,"clusterId":null}""")]
    [InlineData("""{"version":1,"clusterId":"x","brokerConfigs":{"num.partitions":"many"}}""")]
    [InlineData("""{"version":1,"clusterId":"x","topics":[{"name":"t","id":"00000000-0000-0000-0000-000000000001","partitions":1,"configs":{"retention.ms":null}}]}""")]
    [InlineData("""{"version":1,"clusterId":"x","topics":[{"name":"t","id":"00000000-0000-0000-0000-000000000001","partitions":1},{"name":"t","id":"00000000-0000-0000-0000-000000000002","partitions":1}]}""")]
    public async Task Damaged_metadata_is_reported_and_not_overwritten(string content)
    {
        Directory.CreateDirectory(_directory);
        var path = Path.Combine(_directory, "metadata.json");
        await File.WriteAllTextAsync(path, content);
        var thrown = await Assert.ThrowsAsync<InvalidDataException>(StartAsync);
        Assert.Contains(path, thrown.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllTextAsync(path));
    }

    private Task<TestBroker> StartAsync() => TestBroker.StartAsync(new BrokerOptions { DataDirectory = _directory });
}
