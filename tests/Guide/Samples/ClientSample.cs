using Streams.Client;
using Streams.Embedded;

namespace Guide.Samples;

/// <summary>docs/guide/client.md.</summary>
public sealed class ClientSample
{
    [Fact]
    public async Task Producer_and_consumer()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = EmbeddedCluster.InMemory();
        using (var admin = cluster.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("greetings", 3, -1, new Dictionary<string, string>())], cancellationToken);

        // <snippet client-produce>
        await using var producer = new Producer<string, string>(cluster);       // or over new KafkaCluster("localhost:9092")
        var where = await producer.ProduceAsync("greetings", "ann", "hello", cancellationToken);

        for (var number = 0; number < 1_000; number++)
            await producer.PostAsync("greetings", "bob", $"hello {number}", cancellationToken);   // waits only while buffers are full
        await producer.FlushAsync(cancellationToken);                            // throws if one of them was not written
        // </snippet>
        Assert.Equal("greetings", where.Topic);

        var read = 0;

        // <snippet client-consume>
        await using var consumer = new Consumer<string, string>(cluster, new ConsumerSettings
        {
            GroupId = "readers",
            AutoOffsetReset = OffsetReset.Earliest,
        });
        await consumer.SubscribeAsync(["greetings"]);

        await foreach (var result in consumer.ReadAllAsync(cancellationToken))
        {
            read += result.Value.StartsWith("hello", StringComparison.Ordinal) ? 1 : 0;
            if (read == 1_001) break;
        }
        // </snippet>

        Assert.Equal(1_001, read);
    }

    [Fact]
    public async Task Transaction()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = EmbeddedCluster.InMemory();
        using (var admin = cluster.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("in", 1, -1, new Dictionary<string, string>()), new NewTopic("out", 1, -1, new Dictionary<string, string>())], cancellationToken);
        await using (var seed = new Producer<string, long>(cluster)) await seed.ProduceAsync("in", "k", 21, cancellationToken);
        await using var consumer = new Consumer<string, long>(cluster, new ConsumerSettings { GroupId = "g", AutoOffsetReset = OffsetReset.Earliest, AutoCommitInterval = null });
        await consumer.AssignAsync([new TopicPartition("in", 0)], cancellationToken);

        // <snippet client-transaction>
        await using var producer = new Producer<string, long>(cluster, new ProducerSettings { TransactionalId = "doubler-1" });

        await foreach (var result in consumer.ReadAllAsync(cancellationToken))
        {
            await using var transaction = await producer.BeginTransactionAsync(cancellationToken);
            await producer.PostAsync("out", result.Key, result.Value * 2, cancellationToken);
            await transaction.SendOffsetsAsync(consumer.OffsetsToCommit(), consumer.Membership, cancellationToken);
            await transaction.CommitAsync(cancellationToken);                    // not reached: disposing aborts
            break;
        }
        // </snippet>

        await using var check = new Consumer<string, long>(cluster, new ConsumerSettings { AutoOffsetReset = OffsetReset.Earliest });
        await check.AssignAsync([new TopicPartition("out", 0)], cancellationToken);
        await foreach (var result in check.ReadAllAsync(cancellationToken))
        {
            Assert.Equal(42, result.Value);
            break;
        }

        Assert.Equal(1, (await consumer.CommittedAsync([new TopicPartition("in", 0)], cancellationToken))[new TopicPartition("in", 0)]);
    }
}
