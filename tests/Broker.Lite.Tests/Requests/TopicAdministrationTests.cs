using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Requests;

public sealed class TopicAdministrationTests
{
    [Theory]
    [InlineData("", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData(".", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("..", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("../up", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("ä", 1, 1, ErrorCode.InvalidTopicException)]
    [InlineData("t", 0, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", -2, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", 100_001, 1, ErrorCode.InvalidPartitions)]
    [InlineData("t", 1, 2, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", 1, 0, ErrorCode.InvalidReplicationFactor)]
    [InlineData("t", -1, -1, ErrorCode.None)]
    [InlineData("t", 3, 1, ErrorCode.None)]
    [InlineData("Az09._-", 1, 1, ErrorCode.None)]
    public async Task Topic_is_created_or_refused_with_the_proper_error(string name, int partitions, short replicas, ErrorCode expected)
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(expected, (await CreateAsync(broker, new() { Name = name, NumPartitions = partitions, ReplicationFactor = replicas })).ErrorCode);
    }

    [Fact]
    public async Task Topic_name_has_at_most_249_characters()
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(ErrorCode.None, (await CreateAsync(broker, new() { Name = new string('a', 249), NumPartitions = 1, ReplicationFactor = 1 })).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (await CreateAsync(broker, new() { Name = new string('a', 250), NumPartitions = 1, ReplicationFactor = 1 })).ErrorCode);
    }

    [Fact]
    public async Task Created_topic_is_answered_with_its_effective_configuration()
    {
        await using var broker = await TestBroker.StartAsync(("num.partitions", "4"), ("log.retention.ms", "1000"));
        var result = await CreateAsync(broker, new()
        {
            Name = "t", NumPartitions = -1, ReplicationFactor = -1, Configs = [new() { Name = "cleanup.policy", Value = "compact,delete" }],
        });
        Assert.Equal((4, 1, ErrorCode.None), (result.NumPartitions, result.ReplicationFactor, result.ErrorCode));
        Assert.NotEqual(Guid.Empty, result.TopicId);
        var configs = result.Configs!.ToDictionary(config => config.Name, config => (config.Value, config.ConfigSource));
        Assert.Equal(("compact,delete", (sbyte)1), configs["cleanup.policy"]);
        Assert.Equal(("1000", (sbyte)4), configs["retention.ms"]);
        Assert.Equal(("1048588", (sbyte)5), configs["max.message.bytes"]);
        Assert.All(configs.Values, config => Assert.InRange(config.ConfigSource, (sbyte)1, (sbyte)6));
    }

    [Fact]
    public async Task Existing_and_repeated_topics_are_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        var again = await CreateAsync(broker, new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 });
        Assert.Equal(ErrorCode.TopicAlreadyExists, again.ErrorCode);
        var twice = await broker.SendAsync(new CreateTopicsRequest
        {
            Topics = [new() { Name = "u", NumPartitions = 1, ReplicationFactor = 1 }, new() { Name = "u", NumPartitions = 1, ReplicationFactor = 1 }],
        });
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Single(twice.Topics).ErrorCode);
        Assert.Equal(["t"], await NamesAsync(broker));
    }

    [Theory]
    [InlineData("no.such.key", "1")]
    [InlineData("retention.ms", "soon")]
    [InlineData("retention.ms", "-2")]
    [InlineData("retention.ms", null)]
    [InlineData("cleanup.policy", "shred")]
    [InlineData("message.timestamp.type", "Never")]
    [InlineData("min.cleanable.dirty.ratio", "1.5")]
    [InlineData("preallocate", "maybe")]
    [InlineData("segment.bytes", "13")]
    [InlineData("compression.type", "brotli")]
    [InlineData("message.format.version", "new")]
    [InlineData("compression.gzip.level", "0")]
    [InlineData("compression.gzip.level", "10")]
    [InlineData("compression.zstd.level", "23")]
    [InlineData("remote.storage.enable", "true")]
    [InlineData("local.retention.ms", "-3")]
    public async Task Wrong_topic_configuration_is_refused(string name, string? value)
    {
        await using var broker = await TestBroker.StartAsync();
        var result = await CreateAsync(broker, new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = name, Value = value }] });
        Assert.Equal(ErrorCode.InvalidConfig, result.ErrorCode);
        Assert.Contains(name, result.ErrorMessage, StringComparison.Ordinal);
        Assert.Empty(await NamesAsync(broker));
    }

    [Fact]
    public async Task Validation_alone_creates_nothing()
    {
        await using var broker = await TestBroker.StartAsync();
        var response = await broker.SendAsync(new CreateTopicsRequest { ValidateOnly = true, Topics = [new() { Name = "t", NumPartitions = 3, ReplicationFactor = 1 }] });
        Assert.Equal((ErrorCode.None, 3), (response.Topics[0].ErrorCode, response.Topics[0].NumPartitions));
        Assert.Empty(await NamesAsync(broker));
    }

    [Fact]
    public async Task Replicas_can_be_placed_on_the_only_broker_and_nowhere_else()
    {
        await using var broker = await TestBroker.StartAsync();
        var good = await CreateAsync(broker, new()
        {
            Name = "good", NumPartitions = -1, ReplicationFactor = -1,
            Assignments = [new() { PartitionIndex = 1, BrokerIds = [1] }, new() { PartitionIndex = 0, BrokerIds = [1] }],
        });
        Assert.Equal((ErrorCode.None, 2), (good.ErrorCode, good.NumPartitions));
        var elsewhere = await CreateAsync(broker, new() { Name = "x", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { BrokerIds = [2] }] });
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, elsewhere.ErrorCode);
        var gap = await CreateAsync(broker, new() { Name = "x", NumPartitions = -1, ReplicationFactor = -1, Assignments = [new() { PartitionIndex = 1, BrokerIds = [1] }] });
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, gap.ErrorCode);
        var both = await CreateAsync(broker, new() { Name = "x", NumPartitions = 1, ReplicationFactor = 1, Assignments = [new() { BrokerIds = [1] }] });
        Assert.Equal(ErrorCode.InvalidRequest, both.ErrorCode);
    }

    [Fact]
    public async Task Metadata_creates_a_missing_topic_only_if_client_and_broker_allow_it()
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await MetadataAsync(broker, "t", mayCreate: false)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (await MetadataAsync(broker, "bad name", mayCreate: true)).ErrorCode);
        var created = await MetadataAsync(broker, "t", mayCreate: true);
        Assert.Equal((ErrorCode.None, 1), (created.ErrorCode, created.Partitions.Count));
        Assert.Equal((1, 0), (created.Partitions[0].LeaderId, created.Partitions[0].LeaderEpoch));

        await using var strict = await TestBroker.StartAsync(("auto.create.topics.enable", "false"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await MetadataAsync(strict, "t", mayCreate: true)).ErrorCode);
    }

    [Fact]
    public async Task Metadata_finds_topics_by_id()
    {
        await using var broker = await TestBroker.StartAsync();
        var id = (await CreateAsync(broker, new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 })).TopicId;
        var found = (await broker.SendAsync(new MetadataRequest { Topics = [new() { TopicId = id, Name = null }] })).Topics[0];
        Assert.Equal(("t", id), (found.Name, found.TopicId));
        var unknown = (await broker.SendAsync(new MetadataRequest { Topics = [new() { TopicId = Guid.NewGuid(), Name = null }] })).Topics[0];
        Assert.Equal(ErrorCode.UnknownTopicId, unknown.ErrorCode);
    }

    [Fact]
    public async Task Deleted_topic_is_gone_and_its_name_starts_afresh()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.Of("old"));
        var parked = broker.FetchAsync("t", 1, maxWaitMs: 60_000);
        Assert.Equal(ErrorCode.None, await DeleteAsync(broker, "t"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await parked).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await broker.ProduceAsync("t", Batches.Of("x"))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await DeleteAsync(broker, "t"));
        await broker.CreateTopicAsync("t");
        Assert.Equal(0, (await broker.FetchAsync("t", 0)).HighWatermark);
    }

    [Fact]
    public async Task Internal_topics_are_closed_to_clients()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        await new TestMember(broker, "g").CommitAsync("t", 1);
        Assert.Equal(ErrorCode.InvalidTopicException, (await broker.ProduceAsync("__consumer_offsets", Batches.Of("x"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, await DeleteAsync(broker, "__consumer_offsets"));
        Assert.True((await MetadataAsync(broker, "__consumer_offsets", mayCreate: false)).IsInternal);
    }

    [Fact]
    public async Task Topic_grows_but_never_shrinks()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t", 2);
        Assert.Equal(ErrorCode.InvalidPartitions, await GrowAsync(broker, "t", 2));
        Assert.Equal(ErrorCode.InvalidPartitions, await GrowAsync(broker, "t", 1));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await GrowAsync(broker, "u", 2));
        Assert.Equal(ErrorCode.None, await GrowAsync(broker, "t", 5, validateOnly: true));
        Assert.Equal(2, (await MetadataAsync(broker, "t", mayCreate: false)).Partitions.Count);
        Assert.Equal(ErrorCode.None, await GrowAsync(broker, "t", 5));
        Assert.Equal(ErrorCode.None, (await broker.ProduceAsync("t", Batches.Of("x"), partition: 4)).ErrorCode);
    }

    [Fact]
    public async Task Configuration_is_altered_value_by_value_and_described_with_its_sources()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.None, await AlterAsync(broker, 2, "t", ("max.message.bytes", 0, "100"), ("cleanup.policy", 2, "compact")));
        var configs = await DescribeAsync(broker, 2, "t");
        Assert.Equal(("100", (sbyte)1, false), (configs["max.message.bytes"].Value, configs["max.message.bytes"].ConfigSource, configs["max.message.bytes"].ReadOnly));
        Assert.Equal("delete,compact", configs["cleanup.policy"].Value);
        Assert.Equal(["max.message.bytes", "message.max.bytes"], configs["max.message.bytes"].Synonyms.Select(synonym => synonym.Name));

        // It is in force, not only written down.
        Assert.Equal(ErrorCode.MessageTooLarge, (await broker.ProduceAsync("t", Batches.Of(new string('x', 100)))).ErrorCode);
        Assert.Equal(ErrorCode.None, await AlterAsync(broker, 2, "t", ("max.message.bytes", 1, null), ("cleanup.policy", 3, "compact")));
        Assert.Equal(ErrorCode.None, (await broker.ProduceAsync("t", Batches.Of(new string('x', 100)))).ErrorCode);
        Assert.Equal("delete", (await DescribeAsync(broker, 2, "t"))["cleanup.policy"].Value);
    }

    [Fact]
    public async Task Altering_all_values_at_once_resets_those_not_named()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("retention.ms", "5"));
        var response = await broker.SendAsync(new AlterConfigsRequest
        {
            Resources = [new() { ResourceType = 2, ResourceName = "t", Configs = [new() { Name = "retention.bytes", Value = "7" }] }],
        });
        Assert.Equal(ErrorCode.None, response.Responses[0].ErrorCode);
        var configs = await DescribeAsync(broker, 2, "t");
        Assert.Equal(("604800000", "7"), (configs["retention.ms"].Value, configs["retention.bytes"].Value));
    }

    [Fact]
    public async Task Broker_settings_change_what_topics_inherit_and_fixed_ones_are_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(ErrorCode.None, await AlterAsync(broker, 4, "1", ("num.partitions", 0, "7"), ("message.max.bytes", 0, "99")));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(broker, 4, "1", ("broker.id", 0, "2")));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(broker, 4, "2", ("num.partitions", 0, "7")));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await AlterAsync(broker, 2, "none", ("retention.ms", 0, "7")));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(broker, 8, "1", ("x", 0, "7")));
        Assert.Equal(7, (await MetadataAsync(broker, "auto", mayCreate: true)).Partitions.Count);
        Assert.Equal(("99", (sbyte)2), ((await DescribeAsync(broker, 2, "auto"))["max.message.bytes"].Value, (await DescribeAsync(broker, 2, "auto"))["max.message.bytes"].ConfigSource));
        Assert.True((await DescribeAsync(broker, 4, "1"))["broker.id"].ReadOnly);
        Assert.Equal(ErrorCode.MessageTooLarge, (await broker.ProduceAsync("auto", Batches.Of(new string('x', 100)))).ErrorCode);
    }

    [Fact]
    public async Task Topic_takes_the_codec_and_the_settings_of_old_formats_that_clients_give_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("compression.type", "lz4"), ("message.format.version", "0.10.2-IV1"), ("message.downconversion.enable", "false"), ("leader.replication.throttled.replicas", "*"));
        Assert.Equal(ErrorCode.None, (await broker.ProduceAsync("t", Batches.Of("x", "y"))).ErrorCode);
        var fetched = await broker.FetchAsync("t", 0);
        Assert.Equal(Kafka.Protocol.Records.CompressionType.Lz4, Kafka.Protocol.Records.RecordBatchView.Read(fetched.Records!.Value.Span).Header.Compression);
        Assert.Equal([(0, "x"), (1, "y")], Batches.Read(fetched.Records));
        Assert.Equal(ErrorCode.None, await AlterAsync(broker, 2, "t", ("compression.type", 1, null), ("message.timestamp.difference.max.ms", 0, "1000")));
        Assert.Equal(ErrorCode.InvalidTimestamp, (await broker.ProduceAsync("t", Batches.At(broker.Clock.NowMs - 1001, "old"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTimestamp, (await broker.ProduceAsync("t", Batches.At(broker.Clock.NowMs + 1001, "new"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await broker.ProduceAsync("t", Batches.At(broker.Clock.NowMs - 999, "now"))).ErrorCode);
        var configs = await DescribeAsync(broker, 2, "t");
        Assert.Equal(["*", ""], configs["leader.replication.throttled.replicas"].Synonyms.Select(synonym => synonym.Value));
        Assert.Equal("producer", configs["compression.type"].Value);
    }

    [Fact]
    public async Task Wrong_alterations_change_nothing()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(broker, 2, "t", ("retention.ms", 0, "5"), ("no.such", 0, "5")));
        Assert.Equal(ErrorCode.InvalidConfig, await AlterAsync(broker, 2, "t", ("retention.ms", 2, "5")));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(broker, 2, "t", ("retention.ms", 0, "5"), ("retention.ms", 0, "6")));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(broker, 2, "t", ("retention.ms", 9, "5")));
        Assert.Equal(ErrorCode.InvalidRequest, await AlterAsync(broker, 2, "t", ("retention.ms", 0, null)));
        Assert.Equal("604800000", (await DescribeAsync(broker, 2, "t"))["retention.ms"].Value);
    }

    [Fact]
    public async Task Cluster_is_described_with_its_one_broker()
    {
        await using var broker = await TestBroker.StartAsync(("broker.id", "5"));
        var cluster = await broker.SendAsync(new DescribeClusterRequest());
        Assert.Equal((ErrorCode.None, 5, broker.Server.ClusterId), (cluster.ErrorCode, cluster.ControllerId, cluster.ClusterId));
        Assert.Equal(5, Assert.Single(cluster.Brokers).BrokerId);
        Assert.Equal(ErrorCode.MismatchedEndpointType, (await broker.SendAsync(new DescribeClusterRequest { EndpointType = 2 })).ErrorCode);
    }

    private static async Task<CreateTopicsResponse.CreatableTopicResult> CreateAsync(TestBroker broker, CreateTopicsRequest.CreatableTopic topic) =>
        (await broker.SendAsync(new CreateTopicsRequest { Topics = [topic] })).Topics[0];

    private static async Task<ErrorCode> DeleteAsync(TestBroker broker, string topic) =>
        (await broker.SendAsync(new DeleteTopicsRequest { Topics = [new() { Name = topic }] })).Responses[0].ErrorCode;

    private static async Task<ErrorCode> GrowAsync(TestBroker broker, string topic, int count, bool validateOnly = false) =>
        (await broker.SendAsync(new CreatePartitionsRequest { ValidateOnly = validateOnly, Topics = [new() { Name = topic, Count = count, Assignments = null }] })).Results[0].ErrorCode;

    private static async Task<MetadataResponse.MetadataResponseTopic> MetadataAsync(TestBroker broker, string topic, bool mayCreate) =>
        (await broker.SendAsync(new MetadataRequest { AllowAutoTopicCreation = mayCreate, Topics = [new() { Name = topic }] })).Topics[0];

    private static async Task<IEnumerable<string?>> NamesAsync(TestBroker broker) =>
        (await broker.SendAsync(new MetadataRequest { Topics = null })).Topics.Select(topic => topic.Name);

    private static async Task<ErrorCode> AlterAsync(TestBroker broker, sbyte type, string name, params (string Name, sbyte Operation, string? Value)[] changes) =>
        (await broker.SendAsync(new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = type,
                    ResourceName = name,
                    Configs = [.. changes.Select(change => new IncrementalAlterConfigsRequest.AlterableConfig { Name = change.Name, ConfigOperation = change.Operation, Value = change.Value })],
                },
            ],
        })).Responses[0].ErrorCode;

    private static async Task<Dictionary<string, DescribeConfigsResponse.DescribeConfigsResourceResult>> DescribeAsync(TestBroker broker, sbyte type, string name) =>
        (await broker.SendAsync(new DescribeConfigsRequest
        {
            IncludeSynonyms = true,
            Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = null }],
        })).Results[0].Configs.ToDictionary(config => config.Name);
}
