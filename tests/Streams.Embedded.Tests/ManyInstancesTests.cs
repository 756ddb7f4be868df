using System.Buffers.Binary;
using System.Text;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Several instances of one application on one broker: who has which task, and that state goes with it.</summary>
public sealed class ManyInstancesTests : IDisposable
{
    private const int Partitions = 4;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-many-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tasks_move_from_one_instance_to_three_and_back_and_every_record_is_counted_once(bool persistent)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        var apps = Enumerable.Range(0, 3).Select(number => new KafkaStreams(Count(persistent), Config(cluster, number) with { ProbingRebalanceInterval = TimeSpan.FromMilliseconds(100), AcceptableRecoveryLag = 0 })).ToList();
        await using var one = apps[0];
        await using var two = apps[1];
        await using var three = apps[2];
        var owners = new OwnerWatch(apps);

        await one.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TasksOf(one) == Partitions, _patience);
        Produce(cluster, 2000);
        await TestTopics.WaitForCountAsync(cluster, "output", 2000, _patience);
        await two.StartAsync(TestContext.Current.CancellationToken);
        await three.StartAsync(TestContext.Current.CancellationToken);
        Produce(cluster, 2000);
        await owners.WaitUntilAsync(() => TasksOf(one) <= 2 && TasksOf(two) >= 1 && TasksOf(three) >= 1 && apps.Sum(TasksOf) == Partitions, _patience);
        Produce(cluster, 2000);
        await TestTopics.WaitForCountAsync(cluster, "output", 6000, _patience);
        Assert.True(await two.CloseAsync(_patience));
        Assert.True(await one.CloseAsync(_patience));
        await owners.WaitUntilAsync(() => TasksOf(three) == Partitions, _patience);
        Produce(cluster, 2000);
        await TestTopics.WaitForCountAsync(cluster, "output", 8000, _patience);
        Assert.True(await three.CloseAsync(_patience));

        Assert.All(apps, app => Assert.Null(app.Failure));
        Assert.Equal(8000, TestTopics.ReadRaw(cluster, "output").Count);
        AssertCounts(cluster, 80);
    }

    [Fact]
    public async Task Task_that_stays_is_not_closed_when_the_group_rebalances()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        using var log = new TaskLog();
        await using var one = new KafkaStreams(Count(persistent: false), Config(cluster, 0) with { LoggerFactory = log, ProbingRebalanceInterval = TimeSpan.FromMilliseconds(100) });
        await using var two = new KafkaStreams(Count(persistent: false), Config(cluster, 1));
        await one.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => one.State == KafkaStreamsState.Running && TasksOf(one) == Partitions, _patience);
        await two.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TasksOf(one) == 2 && TasksOf(two) == 2 && one.State == KafkaStreamsState.Running, _patience);

        // Four were created, two of them closed again, and the two that stayed were touched by neither rebalance.
        Assert.Equal(4, log.Count("created task"));
        Assert.Equal(2, log.Count("closed task"));
    }

    [Fact]
    public async Task Threads_come_and_go_and_tasks_are_spread_evenly()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        await using var app = new KafkaStreams(Count(persistent: true), Config(cluster, 0));
        Assert.Null(app.AddStreamThread());
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        Produce(cluster, 1000);
        var added = app.AddStreamThread();
        Assert.NotNull(added);
        await TestTopics.WaitUntilAsync(() => app.TasksByThread.Count == 2 && app.TasksByThread.Values.All(tasks => tasks.Count == 2), _patience);
        Produce(cluster, 1000);
        await TestTopics.WaitForCountAsync(cluster, "output", 2000, _patience);
        Assert.Equal(added, app.RemoveStreamThread(_patience));
        await TestTopics.WaitUntilAsync(() => app.TasksByThread.Count == 1 && TasksOf(app) == Partitions, _patience);
        Produce(cluster, 1000);
        await TestTopics.WaitForCountAsync(cluster, "output", 3000, _patience);

        // The last one may go too; the instance stays, does nothing, and gets going again with a new one.
        Assert.NotNull(app.RemoveStreamThread(_patience));
        Assert.Null(app.RemoveStreamThread(_patience));
        Produce(cluster, 1000);
        Assert.NotNull(app.AddStreamThread());
        await TestTopics.WaitForCountAsync(cluster, "output", 4000, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.AddStreamThread());
        AssertCounts(cluster, 40);
    }

    /// <summary>E-126.</summary>
    [Fact]
    public async Task Paused_application_processes_nothing_and_goes_on_where_it_stopped()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        await using var app = new KafkaStreams(Count(persistent: false), Config(cluster, 0));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        app.Pause();
        Assert.True(app.IsPaused);

        // What was in hand when the pause came may still be finished; what comes after it is not begun.
        var before = app.ProcessedRecords;
        Produce(cluster, 1000);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(before, app.ProcessedRecords);
        app.Resume();
        await TestTopics.WaitForCountAsync(cluster, "output", 1000, _patience);
        Assert.True(await app.CloseAsync(_patience));
        AssertCounts(cluster, 10);
    }

    private static int TasksOf(KafkaStreams app) => app.TasksByThread.Values.Sum(tasks => tasks.Count);

    private static void Produce(EmbeddedCluster cluster, int count) => TestTopics.Produce(cluster, "input", Enumerable.Range(0, count).Select(number => ($"k{number % 100}", "x")));

    // The last count of each of the hundred keys.
    private static void AssertCounts(EmbeddedCluster cluster, long expected)
    {
        var counts = new Dictionary<string, long>();
        foreach (var (key, value, _) in TestTopics.ReadRaw(cluster, "output")) counts[Encoding.UTF8.GetString(key!)] = BinaryPrimitives.ReadInt64BigEndian(value!);
        Assert.Equal(100, counts.Count);
        Assert.All(counts, entry => Assert.Equal(expected, entry.Value));
    }

    private static Topology Count(bool persistent)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input").GroupByKey()
            .Count(Materialized.As("counts").WithStoreType(persistent ? StoreType.RocksDb : StoreType.InMemory).WithCachingDisabled())
            .ToStream().To("output");
        return builder.Build();
    }

    private StreamsConfig Config(EmbeddedCluster cluster, int instance) => StatelessApplicationTests.Config(cluster, "many") with { StateDirectory = Path.Combine(_folder, $"{instance}") };

    /// <summary>Looks, as often as it can, that no task runs on two instances.</summary>
    private sealed class OwnerWatch(IReadOnlyList<KafkaStreams> apps)
    {
        public async Task WaitUntilAsync(Func<bool> condition, TimeSpan patience) => await TestTopics.WaitUntilAsync(
            () =>
            {
                // One after the other, so a task may be seen moving, but only away from the one that was asked first.
                var running = apps.Select(app => app.TasksByThread.Values.SelectMany(tasks => tasks).ToHashSet()).ToList();
                var again = apps.Select(app => app.TasksByThread.Values.SelectMany(tasks => tasks).ToHashSet()).ToList();
                for (var one = 0; one < apps.Count; one++)
                {
                    for (var other = one + 1; other < apps.Count; other++)
                    {
                        Assert.Empty(running[one].Intersect(again[one]).Intersect(running[other]).Intersect(again[other]));
                    }
                }

                return condition();
            },
            patience);
    }
}
