using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Interop;

/// <summary>Confluent.Kafka, the client that .NET programs use, in the version that fits the librdkafka of this machine.</summary>
public sealed class ConfluentNetTests(SharedBroker broker)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Records_come_back_as_they_were_sent(CompressionType codec)
    {
        var topic = await CreateTopicAsync("net-codec");
        using (var producer = new ProducerBuilder<string?, string?>(ProducerConfigOf(codec: codec)).Build())
        {
            for (var i = 0; i < 200; i++)
            {
                var message = new Message<string?, string?> { Key = i % 3 == 0 ? null : $"k{i}", Value = i % 5 == 0 ? null : $"value {i}", Headers = [new Header("h", [(byte)i])] };
                producer.Produce(topic, message);
            }

            Assert.Equal(0, producer.Flush(_limit));
        }

        var read = Consume(topic, "net-reader-" + topic, 200);
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal((i % 3 == 0 ? null : $"k{i}", i % 5 == 0 ? null : $"value {i}", (long)i), (read[i].Message.Key, read[i].Message.Value, read[i].Offset.Value));
            Assert.Equal((byte)i, read[i].Message.Headers.GetLastBytes("h")[0]);
        }
    }

    [Fact]
    public async Task Group_commits_and_resumes()
    {
        var topic = await CreateTopicAsync("net-group");
        await ProduceAsync(topic, 10);
        Consume(topic, topic, 4, consumer => consumer.Commit());
        Assert.Equal(["4", "5", "6", "7", "8", "9"], Consume(topic, topic, 6).Select(result => result.Message.Value));
    }

    [Fact]
    public async Task Consume_transform_produce_is_exactly_once_across_commits_and_aborts()
    {
        var input = await CreateTopicAsync("net-eos");
        var output = await CreateTopicAsync("net-eos-out");
        await ProduceAsync(input, 30);
        using var producer = new ProducerBuilder<string?, string?>(ProducerConfigOf(transactionalId: input)).Build();
        producer.InitTransactions(_limit);
        foreach (var (count, commit) in new[] { (7, true), (9, false), (9, true), (14, true) })
        {
            Consume(input, input, count, (consumer, results) =>
            {
                producer.BeginTransaction();
                foreach (var result in results)
                    producer.Produce(output, new Message<string?, string?> { Value = result.Message.Value });
                producer.SendOffsetsToTransaction([new TopicPartitionOffset(results[^1].TopicPartition, results[^1].Offset + 1)], consumer.ConsumerGroupMetadata, _limit);
                if (commit)
                    producer.CommitTransaction(_limit);
                else
                    producer.AbortTransaction(_limit);
            });
        }

        Assert.Equal(
            Enumerable.Range(0, 30).Select(i => i.ToString(CultureInfo.InvariantCulture)),
            Consume(output, "reader-" + output, 30).Select(result => result.Message.Value));
    }

    [Fact]
    public async Task Second_transactional_producer_fences_the_first()
    {
        var topic = await CreateTopicAsync("net-fence");
        using var first = new ProducerBuilder<string?, string?>(ProducerConfigOf(transactionalId: topic)).Build();
        first.InitTransactions(_limit);
        first.BeginTransaction();
        await first.ProduceAsync(topic, new Message<string?, string?> { Value = "zombie" }, TestContext.Current.CancellationToken);

        using var second = new ProducerBuilder<string?, string?>(ProducerConfigOf(transactionalId: topic)).Build();
        second.InitTransactions(_limit);
        var fenced = Assert.ThrowsAny<KafkaException>(() => first.CommitTransaction(_limit));
        Assert.True(fenced.Error.IsFatal, fenced.ToString());

        second.BeginTransaction();
        second.Produce(topic, new Message<string?, string?> { Value = "good" });
        second.CommitTransaction(_limit);
        Assert.Equal("good", Assert.Single(Consume(topic, topic, 1)).Message.Value);
    }

    [Fact]
    public async Task Admin_sees_and_changes_topics()
    {
        var topic = await CreateTopicAsync("net-admin", partitions: 2);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build();
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 4 }]);
        Assert.Equal(4, admin.GetMetadata(topic, _limit).Topics.Single().Partitions.Count);
        var again = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new TopicSpecification { Name = topic }]));
        Assert.Equal(ErrorCode.TopicAlreadyExists, again.Results.Single().Error.Code);
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = topic };
        await admin.AlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "retention.ms", Value = "4242" }] });
        Assert.Equal("4242", (await admin.DescribeConfigsAsync([resource])).Single().Entries["retention.ms"].Value);
        await admin.DeleteTopicsAsync([topic]);
        Assert.DoesNotContain(admin.GetMetadata(_limit).Topics, one => one.Topic == topic);
    }

    private ProducerConfig ProducerConfigOf(string? transactionalId = null, CompressionType codec = CompressionType.None) => new()
    {
        BootstrapServers = broker.Bootstrap,
        TransactionalId = transactionalId,
        EnableIdempotence = true,
        CompressionType = codec,
        LingerMs = 5,
    };

    private async Task<string> CreateTopicAsync(string purpose, int partitions = 1)
    {
        var topic = Topics.Unique(purpose);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }]);
        return topic;
    }

    private async Task ProduceAsync(string topic, int count)
    {
        using var producer = new ProducerBuilder<string?, string?>(ProducerConfigOf()).Build();
        var sent = Enumerable.Range(0, count).Select(i => producer.ProduceAsync(topic, new Message<string?, string?> { Value = i.ToString(CultureInfo.InvariantCulture) }));
        await Task.WhenAll(sent);
    }

    private List<ConsumeResult<string?, string?>> Consume(string topic, string group, int count, Action<IConsumer<string?, string?>>? then = null) =>
        Consume(topic, group, count, (consumer, _) => then?.Invoke(consumer));

    /// <summary>The first records a read-committed member of the group gets; then the action, before it leaves.</summary>
    private List<ConsumeResult<string?, string?>> Consume(
        string topic, string group, int count, Action<IConsumer<string?, string?>, List<ConsumeResult<string?, string?>>> then)
    {
        using var consumer = new ConsumerBuilder<string?, string?>(new ConsumerConfig
        {
            BootstrapServers = broker.Bootstrap,
            GroupId = group,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
            IsolationLevel = IsolationLevel.ReadCommitted,
            FetchWaitMaxMs = 100,
        }).Build();
        consumer.Subscribe(topic);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(_limit);
        var results = new List<ConsumeResult<string?, string?>>();
        while (results.Count < count)
            results.Add(consumer.Consume(limit.Token));
        then(consumer, results);
        consumer.Close();
        return results;
    }
}
