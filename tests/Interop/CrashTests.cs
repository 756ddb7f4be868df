using System.Text;

namespace Interop;

/// <summary>kill -9 of the broker under load: what it acknowledged is there afterwards.</summary>
public sealed class CrashTests
{
    private const int Count = 20_000;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(120);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Idempotent_producer_loses_doubles_and_reorders_nothing_when_the_broker_is_killed()
    {
        PythonClient.Confluent.SkipIfMissing();
        Kcat.SkipIfMissing();
        await using var broker = await BrokerProcess.StartAsync(Cancellation);
        var (acknowledged, values) = await FloodAndKill(broker, PythonClient.Confluent, kills: 3);

        Assert.Equal(Count, acknowledged.Count);
        Assert.Equal(Enumerable.Range(0, Count), values);
    }

    [Fact]
    public async Task Plain_producer_loses_nothing_acknowledged_when_the_broker_is_killed()
    {
        PythonClient.KafkaPython.SkipIfMissing();
        Kcat.SkipIfMissing();
        await using var broker = await BrokerProcess.StartAsync(Cancellation);
        var (acknowledged, values) = await FloodAndKill(broker, PythonClient.KafkaPython, kills: 2);

        Assert.Equal(Count, acknowledged.Count);
        Assert.Empty(acknowledged.Except(values));
        // A batch whose acknowledgement the kill swallowed is written again, as a whole and in order; that is all that at-least-once allows.
        Assert.Equal(Enumerable.Range(0, Count), values.Distinct());
    }

    [Fact]
    public async Task Records_committed_offsets_and_topics_survive_a_kill_and_a_clean_stop()
    {
        Kcat.SkipIfMissing();
        await using var broker = await BrokerProcess.StartAsync(Cancellation);
        await Kcat.ProduceAsync(broker.Bootstrap, "survivor", "a:1\nb:2\nc:3\n", Cancellation, "-p", "0");
        Assert.Equal(["1"], await ReadInGroup(broker, 1));

        broker.Kill();
        await broker.RestartAsync(Cancellation);
        Assert.Equal(["2"], await ReadInGroup(broker, 1));

        var stopped = await broker.StopAsync(Cancellation);
        Assert.Equal(0, stopped.ExitCode);
        await broker.RestartAsync(Cancellation);
        await Kcat.ProduceAsync(broker.Bootstrap, "survivor", "d:4\n", Cancellation, "-p", "0");
        Assert.Equal(["3", "4"], await ReadInGroup(broker, 2));
    }

    private static async Task<string[]> ReadInGroup(BrokerProcess broker, int count) =>
        (await Kcat.RunAsync(
            broker.Bootstrap, null, Cancellation, "-G", "group", "-c", count.ToString(System.Globalization.CultureInfo.InvariantCulture), "-q",
            "-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "survivor")).ShouldSucceed().Lines;

    /// <summary>Kills the broker each time another share of the load is acknowledged, so always in the middle of it.</summary>
    private static async Task<(List<int> Acknowledged, List<int> Values)> FloodAndKill(BrokerProcess broker, PythonClient client, int kills)
    {
        const string topic = "flood";
        var acknowledged = new List<int>();
        using var progress = new SemaphoreSlim(0);
        await using var flood = client.StartFlood(broker.Bootstrap, topic, Count, number =>
        {
            lock (acknowledged)
                acknowledged.Add(number);
            progress.Release();
        });

        for (var kill = 1; kill <= kills; kill++)
        {
            var share = kill * Count / (kills + 1);
            while (true)
            {
                lock (acknowledged)
                {
                    if (acknowledged.Count >= share)
                        break;
                }

                Assert.False(flood.HasExited, $"The producer gave up.\n{flood.Errors}");
                Assert.True(await progress.WaitAsync(_limit, Cancellation), $"No acknowledgement within {_limit}.\n{flood.Errors}");
            }

            broker.Kill();
            lock (acknowledged)
                Assert.True(acknowledged.Count < Count, "The load was over before the broker was killed: this run has shown nothing.");
            await broker.RestartAsync(Cancellation);
        }

        (await flood.WaitAsync(_limit, Cancellation)).ShouldSucceed();
        var records = await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation);
        var values = records.Select(record => int.Parse(Encoding.UTF8.GetString(Convert.FromHexString(record.Value!)), System.Globalization.CultureInfo.InvariantCulture));
        return (acknowledged, values.ToList());
    }
}
