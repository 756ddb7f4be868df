using Broker.Lite;
using Streams.Kafka.Tests.Support;
using Xunit;

namespace Streams.Kafka.Tests.Faults;

/// <summary>Connections that end and brokers that are started again while records are written and read: nothing is lost, nothing comes twice, and the order of a partition stays.</summary>
/// <remarks>librdkafka cannot give a transaction up that the coordinator has not heard of yet (InvalidTxnState); whoever uses it needs another producer then, as the engine does.</remarks>
public abstract class InterruptedTests(string library)
{
    private const int Portion = 10_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Broker_that_is_started_again_finds_its_writers_where_they_were(bool isTransactional)
    {
        const int Restarts = 3;
        var folder = Directory.CreateTempSubdirectory("streams-restart");
        var broker = await BrokerServer.StartAsync(new BrokerOptions { Port = 0, DataDirectory = folder.FullName }, Token);
        try
        {
            var port = broker.EndPoint!.Port;
            await using var cluster = new KafkaCluster($"127.0.0.1:{port}", Library.Settings(library));
            await Traffic.CreateTopicAsync(cluster, Token);
            using var traffic = new Traffic(cluster, isTransactional);
            for (var restart = 0; restart < Restarts; restart++)
            {
                traffic.Read(Portion);
                await broker.DisposeAsync();
                broker = await BrokerServer.StartAsync(new BrokerOptions { Port = port, DataDirectory = folder.FullName }, Token);
            }

            traffic.Read(Portion);
            traffic.Finish();
            TestContext.Current.TestOutputHelper!.WriteLine($"{traffic.Seen} records, {traffic.Aborted} transactions ended by the cluster, {traffic.Replaced} writers replaced");
            if (library == Library.Managed) Assert.Equal(0, traffic.Replaced);
        }
        finally
        {
            await broker.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A request that only half has come, and one whose answer has not: the writer cannot tell them from each other.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connections_that_end_in_the_middle_cost_no_record(bool isTransactional)
    {
        const int OneIn = 25;

        // librdkafka takes up to a second for each.
        var mostCuts = library == Library.Managed ? 40 : 8;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var relay = new Relay();
        await using var broker = await relay.StartBrokerAsync([], Token);
        await using var cluster = new KafkaCluster(relay.Address, Library.Settings(library));
        await Traffic.CreateTopicAsync(cluster, Token);
        var cuts = 0;
        relay.Cuts = _ =>
        {
            lock (random)
            {
                if (cuts >= mostCuts || random.Next(OneIn) > 0) return false;
                cuts++;
                return true;
            }
        };
        using var traffic = new Traffic(cluster, isTransactional);
        while (Volatile.Read(ref cuts) < mostCuts) traffic.Read(Portion / 10);
        traffic.Read(Portion);
        traffic.Finish();
        TestContext.Current.TestOutputHelper!.WriteLine($"{traffic.Seen} records, {traffic.Aborted} transactions ended by the cluster, {traffic.Replaced} writers replaced, {relay.Opened} connections");
        if (library == Library.Managed) Assert.Equal(0, traffic.Replaced);
    }
}

/// <inheritdoc/>
public sealed class InterruptedTestsWithConfluent() : InterruptedTests(Library.Confluent);

/// <inheritdoc/>
public sealed class InterruptedTestsWithManaged() : InterruptedTests(Library.Managed);
