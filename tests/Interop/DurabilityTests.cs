using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Interop;

/// <summary>
/// Random kill -9 under load: every acknowledged record is there once and in order, committed transactions are whole and aborted ones
/// invisible, the last value of each key outlives compaction, offsets and groups go on where they were.
/// </summary>
/// <remarks>
/// A few rounds here; <c>scripts/durability.sh</c> runs 100. Set <c>DURABILITY_ROUNDS</c> and <c>DURABILITY_SEED</c> to choose.
/// </remarks>
public sealed class DurabilityTests
{
    private const int DefaultRounds = 5;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_doubled_or_torn_by_random_kills_under_load()
    {
        var rounds = Setting("DURABILITY_ROUNDS", DefaultRounds);
        var seed = Setting("DURABILITY_SEED", Environment.ProcessId);
        TestContext.Current.TestOutputHelper!.WriteLine($"DURABILITY_SEED={seed} DURABILITY_ROUNDS={rounds}");
        var random = new Random(seed);
        await using var broker = await BrokerProcess.StartAsync(Cancellation, "log.cleaner.backoff.ms=200");
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build())
        {
            // Small segments: rolls, index files and compaction come in the way of the kills, too.
            await admin.CreateTopicsAsync(
            [
                Topic(DurabilityLoad.Plain, DurabilityLoad.Partitions, ("segment.bytes", "200000")),
                Topic(DurabilityLoad.Compacted, 1, ("cleanup.policy", "compact"), ("segment.bytes", "50000"), ("min.cleanable.dirty.ratio", "0.1")),
                Topic(DurabilityLoad.First, 1, ("segment.bytes", "50000")),
                Topic(DurabilityLoad.Second, 1),
            ]);
        }

        using var load = new DurabilityLoad(broker.Bootstrap, seed);
        for (var round = 0; round < rounds; round++)
        {
            load.WaitFor(random.Next(200, 4000), random.Next(1, 8), Cancellation);
            broker.Kill();
            await broker.RestartAsync(Cancellation);
        }

        load.WaitFor(1000, 3, Cancellation);
        load.Stop();
        load.Verify(Cancellation);
        var (records, transactions, commits) = load.Progress;
        Assert.True(commits > 0, "The member never committed: this run has not shown that its offsets survive.");
        TestContext.Current.TestOutputHelper!.WriteLine($"{rounds} kills: {records} records, {transactions} transactions, {commits} commits of a member");
    }

    private static TopicSpecification Topic(string name, int partitions, params (string Key, string Value)[] configs) => new()
    {
        Name = name,
        NumPartitions = partitions,
        ReplicationFactor = 1,
        Configs = configs.ToDictionary(config => config.Key, config => config.Value),
    };

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
