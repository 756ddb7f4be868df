using System.Text;
using Kafka.Protocol.Messages;
using Broker.Lite;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Streams.Tests.Shared;
using Xunit;

namespace Streams.Kafka.Tests.Faults;

/// <summary>Managed clients that have nothing to do for a long time.</summary>
public sealed class IdleConnectionTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TopicPartition _plain = new("t", 0);
    private static readonly TopicPartition _committed = new("t", 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A broker ends connections on which nothing happens; whoever comes back must not notice.</summary>
    [Fact]
    public async Task Connections_that_the_broker_has_ended_are_made_again_when_they_are_needed()
    {
        const int Rounds = 3;
        await using var relay = new Relay();
        await using var broker = await relay.StartBrokerAsync(new() { ["connections.max.idle.ms"] = "300" }, Token);
        using var log = new TaskLog();
        await using var cluster = new KafkaCluster(relay.Address, Library.Settings(Library.Managed), log.CreateLogger("test"));
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([new NewTopic("t", 2, 1, new Dictionary<string, string>())], Token);
        using var plain = cluster.CreateProducer(new ProducerOptions { ClientId = "plain" });
        using var transactional = cluster.CreateProducer(new ProducerOptions { ClientId = "transactional", TransactionalId = "tx" });
        transactional.InitTransactions(Token);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test", ReadCommitted = true });
        consumer.Assign([new TopicPartitionOffset(_plain, 0), new TopicPartitionOffset(_committed, 0)]);
        var read = new List<string>();
        for (var round = 0; round < Rounds; round++)
        {
            consumer.Resume([_plain, _committed]);
            Send(plain, _plain, $"plain {round}");
            plain.Flush(Token);
            transactional.BeginTransaction();
            Send(transactional, _committed, $"committed {round}");
            transactional.SendOffsetsToTransaction([new OffsetCommit(_plain, round, "")], GroupMembership.None("group"), Token);
            transactional.CommitTransaction(Token);
            Read(consumer, read, 2 * (round + 1));

            // One that reads is never idle; one that has nothing to read in is as idle as the others.
            consumer.Pause([_plain, _committed]);
            await UntilAsync(() => relay.Open == 0, () => $"{relay.Open} connections are still there");
        }

        Assert.Equal(
            Enumerable.Range(0, Rounds).SelectMany(round => new[] { $"plain {round}", $"committed {round}" }).Order(),
            read.Order());
        Assert.Equal(Rounds, await admin.EndOffsetsAsync([_plain], readCommitted: false, Token) is var ends ? ends[_plain] : -1);
        Assert.Equal("", log.ToString());
    }

    /// <summary>What idling costs is one question in half a second, and the answer to it.</summary>
    [Fact]
    public async Task Clients_that_wait_ask_the_broker_for_no_more_than_they_must()
    {
        const int Fetches = 8;
        const int AllowedBesides = 6;
        var requests = new List<string>();
        var fetches = 0;
        await using var broker = await BrokerServer.StartAsync(
            new BrokerOptions
            {
                Port = 0,
                Interceptor = (request, _, next, _) =>
                {
                    lock (requests)
                    {
                        requests.Add(request.Key.ToString());
                        if (request is FetchRequest { MaxWaitMs: 500 }) fetches++;
                    }

                    return next();
                },
            },
            Token);
        await using var cluster = new KafkaCluster($"127.0.0.1:{broker.EndPoint!.Port}", Library.Settings(Library.Managed));
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([new NewTopic("t", 2, 1, new Dictionary<string, string>())], Token);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        Send(producer, _plain, "one");
        producer.Flush(Token);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test" });
        consumer.Assign([new TopicPartitionOffset(_plain, 0), new TopicPartitionOffset(_committed, 0)]);
        Read(consumer, [], 1);
        lock (requests)
        {
            requests.Clear();
            fetches = 0;
        }

        // Counted by the long fetches, each of which takes its time, so that a slow machine changes nothing.
        while (Volatile.Read(ref fetches) < Fetches) Assert.Null(consumer.Poll(TimeSpan.FromMilliseconds(100)));
        lock (requests) Assert.True(requests.Count <= Fetches + AllowedBesides, $"in the time of {Fetches} fetches: {string.Join(", ", requests)}");
    }

    private static void Send(IRecordProducer producer, TopicPartition partition, string value) =>
        producer.Send(producer.GetTopic(partition.Topic), partition.Partition, new OutgoingRecord("k"u8, true, Encoding.UTF8.GetBytes(value), true, 1, null));

    private static void Read(IRecordConsumer consumer, List<string> read, int count)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (read.Count < count)
        {
            using var batch = consumer.Poll(TimeSpan.FromMilliseconds(100));
            for (var index = 0; index < (batch?.Count ?? 0); index++) read.Add(Encoding.UTF8.GetString(batch!.Value(index)));
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, $"only {string.Join(", ", read)}");
        }
    }

    private static async Task UntilAsync(Func<bool> condition, Func<string> otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < _patience, otherwise());
            await Task.Delay(20, Token);
        }
    }
}
