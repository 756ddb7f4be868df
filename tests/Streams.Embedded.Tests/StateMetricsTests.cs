using System.Collections.Concurrent;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>What is measured of stores in a running application.</summary>
public sealed class StateMetricsTests : IDisposable
{
    private const int Records = 1000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-state-metrics-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Restoring_tells_how_much_is_left_and_how_much_was_taken()
    {
        await using var cluster = await CountedAsync();

        // In a new folder everything is restored. What the listener sees is what the metrics say at that moment, on the thread that restores.
        var seen = new ConcurrentDictionary<string, (double Remaining, double Total)>();
        KafkaStreams? app = null;
        var listener = new Listener(moment => seen[moment] = (Value(app!, "kafka.streams.task.restore-remaining-records-total"), Value(app!, "kafka.streams.task.restore-total")));
        app = new KafkaStreams(Counts(), Config(cluster, "second") with { StateRestoreListener = listener });
        await using (app)
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
            Assert.Equal((Records, 0), seen["start"]);
            Assert.Equal((0, Records), seen["end"]);
            Assert.Equal(0, Value(app, "kafka.streams.task.restore-remaining-records-total"));
        }
    }

    [Theory]
    [InlineData(MetricsRecordingLevel.Info)]
    [InlineData(MetricsRecordingLevel.Debug)]
    public async Task Stores_are_measured_at_level_debug_only(MetricsRecordingLevel level)
    {
        await using var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(), Config(cluster, "only") with { MetricsRecordingLevel = level });
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, Records).Select(number => ($"k{number % 10}", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", Records, _patience);
        var store = app.Metrics.Where(metric => metric.Name.StartsWith("kafka.streams.store.", StringComparison.Ordinal)).ToList();
        if (level == MetricsRecordingLevel.Info)
        {
            Assert.Empty(store);
            return;
        }

        Assert.All(store, metric => Assert.Equal(("counts", "0_0"), (metric.Tags["store"], metric.Tags["task-id"])));
        foreach (var operation in (string[])["get", "put"])
        {
            Assert.InRange(Value(app, $"kafka.streams.store.{operation}-latency-avg"), 1, 1e9);
            Assert.True(Value(app, $"kafka.streams.store.{operation}-latency-max") >= Value(app, $"kafka.streams.store.{operation}-latency-avg"));

            // All within one window of 30 s, which a rate is never taken over less than.
            Assert.InRange(Value(app, $"kafka.streams.store.{operation}-rate"), Records / 61.0, Records / 29.0);
        }
    }

    private async Task<EmbeddedCluster> CountedAsync()
    {
        var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(), Config(cluster, "first"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, Records).Select(number => ($"k{number % 10}", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", Records, _patience);
        return cluster;
    }

    private static double Value(KafkaStreams app, string name) => Assert.Single(app.Metrics, metric => metric.Name == name).Value;

    private static async Task<EmbeddedCluster> ClusterAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        return cluster;
    }

    private static Topology Counts()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input").GroupByKey().Count(Materialized.As("counts").WithCachingDisabled()).ToStream().To("output");
        return builder.Build();
    }

    private StreamsConfig Config(EmbeddedCluster cluster, string folder) => StatelessApplicationTests.Config(cluster, "state-metrics") with { StateDirectory = Path.Combine(_folder, folder) };

    private sealed class Listener(Action<string> look) : StateRestoreListener
    {
        public override void OnRestoreStart(in RestoreProgress progress) => look("start");

        public override void OnRestoreEnd(in RestoreProgress progress) => look("end");
    }
}
