using System.Text;
using Kafka.Protocol;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Xunit;
using static Streams.Kafka.Tests.Producing.ManagedProducerTests;

namespace Streams.Kafka.Tests.Producing;

/// <summary>The managed producer on librdkafka's mock brokers, read back by librdkafka. They have no memory of producers, so that a batch kept twice would be seen twice.</summary>
public sealed class ManagedProducerMockTests
{
    private const string Topic = "out";
    private const int Brokers = 3;
    private const int Partitions = 4;
    private const int PerPartition = 2_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leaders_that_move_lose_and_double_nothing()
    {
        var random = NewRandom();
        using var mock = NewMock();
        await using var cluster = NewCluster(mock);
        await SendAllAsync(cluster, () => mock.SetLeader(Topic, random.Next(Partitions), 1 + random.Next(Brokers)));
        await AssertAllAsync(mock);
    }

    [Fact]
    public async Task Errors_and_broken_connections_lose_and_double_nothing()
    {
        var random = NewRandom();
        int[] errors =
        [
            (int)ErrorCode.NotLeaderOrFollower, (int)ErrorCode.NotEnoughReplicas, (int)ErrorCode.LeaderNotAvailable, (int)ErrorCode.UnknownTopicOrPartition,
            (int)ErrorCode.RequestTimedOut, (int)ErrorCode.KafkaStorageError, (int)ErrorCode.CorruptMessage, MockCluster.Disconnect,
        ];
        using var mock = NewMock();
        await using var cluster = NewCluster(mock);
        mock.PushErrors(ApiKey.InitProducerId, (int)ErrorCode.CoordinatorLoadInProgress, MockCluster.Disconnect);
        await SendAllAsync(cluster, () => mock.PushErrors(random.Next(3) == 0 ? ApiKey.Metadata : ApiKey.Produce, random.GetItems(errors, 1 + random.Next(3))));
        await AssertAllAsync(mock);
    }

    [Fact]
    public async Task Broker_that_is_away_holds_only_its_own_partitions_up()
    {
        using var mock = NewMock();
        for (var partition = 0; partition < Partitions; partition++) mock.SetLeader(Topic, partition, partition == 0 ? 2 : 1);
        await using var cluster = NewCluster(mock);
        using var producer = NewProducer(cluster);
        var topic = producer.GetTopic(Topic);
        for (var partition = 0; partition < Partitions; partition++) Send(producer, topic, partition, 0);
        await RunAsync(() => producer.Flush(Token));

        mock.SetIsUp(2, false);
        for (var number = 1; number < PerPartition; number++)
        {
            for (var partition = 0; partition < Partitions; partition++) Send(producer, topic, partition, number);
        }

        producer.SendPending();
        await UntilAsync(() => Enumerable.Range(1, Partitions - 1).All(partition => producer.AcknowledgedOffset(topic, partition) == PerPartition));
        Assert.Equal(1, producer.AcknowledgedOffset(topic, 0));
        mock.SetIsUp(2, true);
        await RunAsync(() => producer.Flush(Token));
        await AssertAllAsync(mock);
    }

    [Fact]
    public async Task Transaction_carries_records_and_offsets_while_the_coordinator_stumbles()
    {
        using var mock = NewMock();
        mock.CreateTopic("in", 1);
        await using var cluster = NewCluster(mock);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test", TransactionalId = "tx" });
        await RunAsync(() => producer.InitTransactions(Token));
        var topic = producer.GetTopic(Topic);
        for (var round = 0; round < 4; round++)
        {
            mock.PushErrors(ApiKey.AddPartitionsToTxn, (int)ErrorCode.ConcurrentTransactions, (int)ErrorCode.NotCoordinator, MockCluster.Disconnect);
            mock.PushErrors(ApiKey.AddOffsetsToTxn, (int)ErrorCode.CoordinatorNotAvailable);
            mock.PushErrors(ApiKey.TxnOffsetCommit, (int)ErrorCode.CoordinatorLoadInProgress, (int)ErrorCode.NotCoordinator);
            mock.PushErrors(ApiKey.EndTxn, (int)ErrorCode.CoordinatorLoadInProgress, MockCluster.Disconnect);
            producer.BeginTransaction();
            for (var number = 0; number < 10; number++) Send(producer, topic, 0, (round * 10) + number);
            await RunAsync(() =>
            {
                producer.SendOffsetsToTransaction([new OffsetCommit(new TopicPartition("in", 0), 10 + round, "text ü")], GroupMembership.None("group"), Token);
                producer.CommitTransaction(Token);
            });
        }

        Assert.Equal(40, producer.AcknowledgedOffset(topic, 0));
        Assert.Equal(Numbers(0, 40), (await ReadAsync(mock, 40))[0]);
    }

    private static Random NewRandom()
    {
        var seed = Environment.ProcessId;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    private static MockCluster NewMock()
    {
        var mock = new MockCluster(Brokers);
        mock.CreateTopic(Topic, Partitions);
        return mock;
    }

    private static KafkaCluster NewCluster(MockCluster mock) => new(mock.BootstrapServers, new Dictionary<string, string> { ["client.library"] = "managed" });

    private static IRecordProducer NewProducer(KafkaCluster cluster) => cluster.CreateProducer(new ProducerOptions
    {
        ClientId = "test",
        Linger = TimeSpan.FromMilliseconds(1),
        Properties = new Dictionary<string, string> { ["batch.size"] = "2000", ["retry.backoff.ms"] = "1", ["retry.backoff.max.ms"] = "10" },
    });

    private static async Task SendAllAsync(KafkaCluster cluster, Action disturb)
    {
        using var producer = NewProducer(cluster);
        var topic = producer.GetTopic(Topic);
        await RunAsync(() =>
        {
            for (var number = 0; number < PerPartition; number++)
            {
                for (var partition = 0; partition < Partitions; partition++) Send(producer, topic, partition, number);
                if (number % 20 == 0) disturb();
                if (number % 500 == 499) producer.Flush(Token);
            }

            producer.Flush(Token);
        });
        for (var partition = 0; partition < Partitions; partition++) Assert.Equal(PerPartition, producer.AcknowledgedOffset(topic, partition));
    }

    private static async Task AssertAllAsync(MockCluster mock)
    {
        var keys = await ReadAsync(mock, Partitions * PerPartition);
        for (var partition = 0; partition < Partitions; partition++) Assert.Equal(Numbers(0, PerPartition), keys[partition]);
    }

    private static async Task<List<string>[]> ReadAsync(MockCluster mock, int count)
    {
        await using var cluster = new KafkaCluster(mock.BootstrapServers);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "reader" });
        consumer.Assign([.. Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(new TopicPartition(Topic, partition), 0))]);
        var keys = Enumerable.Range(0, Partitions).Select(_ => new List<string>()).ToArray();
        for (var read = 0; read < count;)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(60));
            Assert.NotNull(batch);
            for (var index = 0; index < batch.Count; index++, read++) keys[batch.Partition.Partition].Add(Encoding.UTF8.GetString(batch.Key(index)));
        }

        return keys;
    }
}
