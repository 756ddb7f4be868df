using System.Text;
using Kafka.Protocol;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests.Consuming;

/// <summary>The managed consumer on librdkafka's mock brokers, with what librdkafka has written there.</summary>
public sealed class ManagedConsumerMockTests
{
    private const string Topic = "in";
    private const int Brokers = 3;
    private const int Partitions = 4;
    private const int PerPartition = 1_000;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Leaders_that_move_lose_and_double_nothing()
    {
        var random = NewRandom();
        await RunAsync(mock => mock.SetLeader(Topic, random.Next(Partitions), 1 + random.Next(Brokers)));
    }

    [Fact]
    public async Task Errors_and_broken_connections_lose_and_double_nothing()
    {
        var random = NewRandom();
        int[] errors =
        [
            (int)ErrorCode.NotLeaderOrFollower, (int)ErrorCode.UnknownTopicOrPartition, (int)ErrorCode.LeaderNotAvailable, (int)ErrorCode.OffsetNotAvailable,
            (int)ErrorCode.KafkaStorageError, (int)ErrorCode.ReplicaNotAvailable, MockCluster.Disconnect,
        ];
        await RunAsync(mock => mock.PushErrors(random.Next(3) == 0 ? ApiKey.Metadata : ApiKey.Fetch, random.GetItems(errors, 1 + random.Next(2))));
    }

    [Fact]
    public async Task Broker_that_goes_and_comes_back_is_waited_for() =>
        await RunAsync(mock => mock.SetIsUp(2, false), repair: mock => mock.SetIsUp(2, true));

    private static Random NewRandom()
    {
        var seed = Environment.ProcessId;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    // Written and read in rounds, with a fault before each: what is written after it comes through what it has done.
    private static async Task RunAsync(Action<MockCluster> fault, Action<MockCluster>? repair = null)
    {
        const int Rounds = 6;
        using var mock = new MockCluster(Brokers);
        mock.CreateTopic(Topic, Partitions);
        await using var writing = new KafkaCluster(mock.BootstrapServers);
        await using var reading = new KafkaCluster(mock.BootstrapServers, new Dictionary<string, string> { ["client.library"] = "managed" });
        using var producer = writing.CreateProducer(new ProducerOptions { ClientId = "writer", Linger = TimeSpan.FromMilliseconds(1) });
        var target = producer.GetTopic(Topic);
        using var consumer = reading.CreateConsumer(new ConsumerOptions { ClientId = "reader", MaxBufferedBytes = 1 << 20 });
        consumer.Assign([.. Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(new TopicPartition(Topic, partition), 0))]);
        var read = Enumerable.Range(0, Partitions).Select(_ => new List<string>()).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            for (var number = round * PerPartition / Rounds; number < (round + 1) * PerPartition / Rounds; number++)
            {
                for (var partition = 0; partition < Partitions; partition++)
                    producer.Send(target, partition, new OutgoingRecord("k"u8, true, Encoding.UTF8.GetBytes($"{number}"), true, 1, null));
            }

            producer.Flush(TestContext.Current.CancellationToken);
            fault(mock);
            Take(TimeSpan.FromMilliseconds(10));
            repair?.Invoke(mock);
            var written = Partitions * ((round + 1) * PerPartition / Rounds);
            while (read.Sum(values => values.Count) < written) Assert.True(Take(_patience), $"nothing came after {read.Sum(values => values.Count)} of {written}");
        }

        Assert.All(read, values => Assert.Equal(Enumerable.Range(0, PerPartition).Select(number => $"{number}"), values));

        bool Take(TimeSpan timeout)
        {
            using var batch = consumer.Poll(timeout);
            for (var index = 0; index < (batch?.Count ?? 0); index++) read[batch!.Partition.Partition].Add(Encoding.UTF8.GetString(batch.Value(index)));
            return batch is not null;
        }
    }
}
