using System.Globalization;
using Streams.Core;
using Streams.Dsl;
using Streams.State;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Starting, closing, threads that come and go, and listeners, also at moments and with values that nobody would choose.</summary>
public sealed class LifecycleTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-lifecycle-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A thread that was not waited for goes on to work on its tasks, as a member of the group and with the state folder: closing waits for it too.</summary>
    [Fact]
    public async Task Close_waits_for_a_removed_thread_that_is_still_busy()
    {
        await using var cluster = await NewClusterAsync();
        using var entered = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        await using var app = new KafkaStreams(Counting(_ => Hold(entered, goOn)), Config(cluster));
        await StartAsync(app);
        TestTopics.Produce(cluster, "input", [("k", "v")]);
        Assert.True(entered.Wait(_patience, TestContext.Current.CancellationToken));
        Assert.Throws<TimeoutException>(() => app.RemoveStreamThread(TimeSpan.FromMilliseconds(10)));

        Assert.False(await app.CloseAsync(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(KafkaStreamsState.PendingShutdown, app.State);
        goOn.Set();
        Assert.True(await app.CloseAsync(_patience));
        Assert.Equal(KafkaStreamsState.NotRunning, app.State);
    }

    /// <summary>Another thread used to open a store that the removed one still had open, which ended the application.</summary>
    [Fact]
    public async Task Tasks_of_a_removed_thread_that_is_still_busy_are_opened_by_another_when_it_has_let_go()
    {
        await using var cluster = await NewClusterAsync();
        using var entered = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var syncs = 0;
        var heartbeats = 0;
        await using var counted = new CoordinatedCluster(
            cluster,
            beforeJoin: () => Task.CompletedTask,
            beforeSync: () => Task.FromResult(Interlocked.Increment(ref syncs)),
            beforeHeartbeat: () => Interlocked.Increment(ref heartbeats));
        await using var app = new KafkaStreams(Counting(value => Hold(value == "slow", entered, goOn)), Config(counted) with { NumStreamThreads = 2 });
        await StartAsync(app);
        var busy = app.MetadataForLocalThreads().Single(thread => thread.ThreadName.EndsWith("-2", StringComparison.Ordinal)).ActiveTasks.Single().TaskId;
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number}", "fast")));
        TestTopics.Produce(cluster, "input", [(Enumerable.Range(0, 100).Select(number => $"k{number}").First(key => Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(key), 2) == busy.Partition), "slow")]);
        Assert.True(entered.Wait(_patience, TestContext.Current.CancellationToken));

        var syncsBefore = Volatile.Read(ref syncs);
        Assert.Throws<TimeoutException>(() => app.RemoveStreamThread(TimeSpan.FromMilliseconds(10)));
        Assert.NotNull(app.AddStreamThread());
        await TestTopics.WaitUntilAsync(() => Volatile.Read(ref syncs) > syncsBefore, _patience);
        var heartbeatsBefore = Volatile.Read(ref heartbeats);
        await TestTopics.WaitUntilAsync(() => Volatile.Read(ref heartbeats) > heartbeatsBefore + 3 || app.State == KafkaStreamsState.Error, _patience);
        goOn.Set();

        await TestTopics.WaitUntilAsync(() => app.State is KafkaStreamsState.Running or KafkaStreamsState.Error && app.MetadataForLocalThreads().Count == 2, _patience);
        TestTopics.Produce(cluster, "input", [("last", "fast")]);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error || TestTopics.ReadCommitted(cluster, "output").Count == 102, _patience);
        Assert.Null(app.Failure);
    }

    [Fact]
    public async Task Threads_come_and_go_pause_and_are_asked_at_once_while_every_record_counts_once()
    {
        const int Records = 2_000;
        await using var cluster = await NewClusterAsync();
        await using var app = new KafkaStreams(Counting(_ => { }), Config(cluster) with { NumStreamThreads = 2 });
        await StartAsync(app);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, Records).Select(number => ($"k{number % 10}", "v")));
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Factory.StartNew(
            () =>
            {
                var random = new Random(worker);
                for (var turn = 0; turn < 40; turn++)
                {
                    switch (random.Next(6))
                    {
                        case 0: app.AddStreamThread(); break;
                        case 1: app.RemoveStreamThread(_patience); break;
                        case 2: app.Pause(); break;
                        case 3: app.Resume(); break;
                        case 4: Assert.NotEmpty(app.Metrics); break;
                        default: Assert.True(app.MetadataForLocalThreads().Count < 100); break;
                    }
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
        await Task.WhenAll(workers);
        app.Resume();
        Assert.NotNull(app.AddStreamThread());
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error || LastCounts(cluster).Values.Sum() == Records, _patience);
        Assert.Null(app.Failure);
        Assert.All(LastCounts(cluster).Values, count => Assert.Equal(Records / 10, count));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => app.CloseAsync(_patience))), Assert.True);
    }

    /// <summary>What a listener throws used to end the thread that told it, the close in the middle, or, told of an error, the whole process.</summary>
    [Theory]
    [InlineData(KafkaStreamsState.Rebalancing)]
    [InlineData(KafkaStreamsState.Running)]
    [InlineData(KafkaStreamsState.PendingShutdown)]
    [InlineData(KafkaStreamsState.NotRunning)]
    public async Task Listener_that_throws_changes_nothing(KafkaStreamsState when)
    {
        await using var cluster = await NewClusterAsync();
        await using var app = new KafkaStreams(Counting(_ => { }), Config(cluster));
        var told = new List<KafkaStreamsState>();
        app.StateChanged += (_, to) =>
        {
            if (to == when) throw new FormatException();
        };
        app.StateChanged += (_, to) => told.Add(to);
        await StartAsync(app);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Equal(KafkaStreamsState.NotRunning, app.State);
        Assert.Null(app.Failure);
        Assert.Equal([KafkaStreamsState.Rebalancing, KafkaStreamsState.Running, KafkaStreamsState.PendingShutdown, KafkaStreamsState.NotRunning], told);
    }

    [Theory]
    [InlineData(KafkaStreamsState.PendingError)]
    [InlineData(KafkaStreamsState.Error)]
    public async Task Listener_that_throws_leaves_an_error_as_it_is(KafkaStreamsState when)
    {
        await using var cluster = await NewClusterAsync();
        await using var app = new KafkaStreams(Counting(_ => throw new FormatException("the first")), Config(cluster));
        app.StateChanged += (_, to) =>
        {
            if (to == when) throw new FormatException("the listener's");
        };
        TestTopics.Produce(cluster, "input", [("k", "v")]);
        var failure = await Assert.ThrowsAsync<ProcessorException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("the first", failure.Message, StringComparison.Ordinal);
        Assert.Equal(KafkaStreamsState.Error, app.State);
    }

    /// <summary>A listener that waits for somebody else's call used to hold a lock that the call needs.</summary>
    [Fact]
    public async Task Members_may_be_called_by_others_while_a_listener_waits_for_them_and_by_itself()
    {
        await using var cluster = await NewClusterAsync();
        await using var app = new KafkaStreams(Counting(_ => { }), Config(cluster));
        var told = new List<KafkaStreamsState>();
        var others = false;
        app.StateChanged += (from, to) =>
        {
            told.Add(to);
            if ((from, to) is not (KafkaStreamsState.Rebalancing, KafkaStreamsState.Running)) return;
            others = Task.Run(() =>
            {
                app.Pause();
                app.Resume();
                app.AddStreamThread();
                _ = app.CloseAsync(TimeSpan.Zero);
            }).Wait(_patience);
            _ = app.CloseAsync(TimeSpan.Zero);
        };
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.NotRunning, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.True(others);
        await TestTopics.WaitUntilAsync(() => told.Count == 4, _patience);
        Assert.Equal([KafkaStreamsState.Rebalancing, KafkaStreamsState.Running, KafkaStreamsState.PendingShutdown, KafkaStreamsState.NotRunning], told);
    }

    /// <summary>The thread used to be started at once, and again with the others, which left the application neither running nor able to close.</summary>
    [Fact]
    public async Task Thread_that_is_added_while_global_stores_are_loaded_starts_with_the_others()
    {
        await using var cluster = await NewClusterAsync();
        await TestTopics.CreateAsync(cluster, "facts", 1);
        TestTopics.Produce(cluster, "facts", [("k", "fact")]);
        using var entered = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var builder = new StreamsBuilder();
        builder.AddGlobalStore<string, string>(
            Stores.KeyValueStoreBuilder(Stores.InMemoryKeyValueStore("facts"), Serdes.String, Serdes.String).WithLoggingDisabled(), "facts", () => new Slow(() => Hold(entered, goOn)));
        builder.Stream<string, string>("input").To("output");
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(entered.Wait(_patience, TestContext.Current.CancellationToken));
        Assert.NotNull(app.AddStreamThread());
        Assert.NotNull(app.RemoveStreamThread(_patience));
        Assert.NotNull(app.AddStreamThread());
        goOn.Set();
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        Assert.Equal(2, app.MetadataForLocalThreads().Count(thread => thread.IsAlive));
        Assert.True(await app.CloseAsync(_patience));
    }

    /// <summary>Refused values used to leave the application closing without end, or without its thread.</summary>
    [Fact]
    public async Task Negative_timeouts_are_refused_and_long_ones_are_without_end()
    {
        await using var cluster = await NewClusterAsync();
        await using var app = new KafkaStreams(Counting(_ => { }), Config(cluster) with { NumStreamThreads = 2 });
        await StartAsync(app);
        foreach (var wrong in new[] { TimeSpan.FromSeconds(-5), TimeSpan.MinValue })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => app.CloseAsync(wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => app.RemoveStreamThread(wrong));
        }

        Assert.Equal(KafkaStreamsState.Running, app.State);
        Assert.Equal(2, app.MetadataForLocalThreads().Count);
        Assert.NotNull(app.RemoveStreamThread(TimeSpan.MaxValue));
        Assert.True(await app.CloseAsync(TimeSpan.MaxValue));
    }

    /// <summary>What a start that failed had taken used to stay taken, the lock on the state folder first of all.</summary>
    [Fact]
    public async Task Start_that_fails_leaves_nothing_open()
    {
        await using var cluster = await NewClusterAsync();
        await using var refusing = new RefusingCluster(cluster);
        await using var app = new KafkaStreams(Counting(_ => { }), Config(refusing));
        await Assert.ThrowsAsync<ConfigException>(() => app.StartAsync(TestContext.Current.CancellationToken));
        app.CleanUp();

        await using var second = new KafkaStreams(Counting(_ => { }), Config(cluster));
        await StartAsync(second);
    }

    /// <summary>KIP-834: an application that is paused before it starts joins its group and processes nothing.</summary>
    [Fact]
    public async Task Application_that_is_paused_before_its_start_begins_paused()
    {
        await using var cluster = await NewClusterAsync();
        var seen = 0;
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input").Peek((_, _) => Interlocked.Increment(ref seen)).To("output");
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        app.Pause();
        Assert.True(app.IsPaused);
        TestTopics.Produce(cluster, "input", [("k", "v")]);
        await StartAsync(app);
        Assert.NotNull(app.AddStreamThread());
        await TestTopics.WaitUntilAsync(() => app.TasksByThread.Values.All(tasks => tasks.Count == 1), _patience);
        Assert.True(app.IsPaused);
        Assert.Equal(0, seen);
        app.Resume();
        await TestTopics.WaitUntilAsync(() => seen == 1, _patience);
    }

    private static Dictionary<string, long> LastCounts(EmbeddedCluster cluster) => TestTopics.ReadCommitted(cluster, "output")
        .GroupBy(record => record.Key!)
        .ToDictionary(key => key.Key, key => key.Max(record => long.Parse(record.Value!, CultureInfo.InvariantCulture)));

    private static void Hold(ManualResetEventSlim entered, ManualResetEventSlim goOn) => Hold(true, entered, goOn);

    private static void Hold(bool holds, ManualResetEventSlim entered, ManualResetEventSlim goOn)
    {
        if (!holds) return;
        entered.Set();
        goOn.Wait(_patience);
    }

    private static async Task StartAsync(KafkaStreams app)
    {
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
    }

    private static async Task<EmbeddedCluster> NewClusterAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 2);
        await TestTopics.CreateAsync(cluster, "output", 1);
        return cluster;
    }

    private static Topology Counting(Action<string> before)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .Peek((_, value) => before(value))
            .GroupByKey()
            .Count(Materialized.As("counts"))
            .ToStream()
            .MapValues(count => count.ToString(CultureInfo.InvariantCulture))
            .To("output");
        return builder.Build();
    }

    private StreamsConfig Config(ICluster cluster) => new()
    {
        ApplicationId = "lifecycle",
        Cluster = cluster,
        ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
        CommitInterval = TimeSpan.FromMilliseconds(50),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateStoreCacheMaxBytes = 0,
        StateDirectory = _folder,
    };

    private sealed class Slow(Action before) : Processor<string, string>
    {
        public override void Process(in Record<string, string> record) => before();
    }

    /// <summary>A cluster that has no group coordinators to give.</summary>
    private sealed class RefusingCluster(ICluster inner) : ICluster
    {
        public string Description => inner.Description;

        public IRecordConsumer CreateConsumer(ConsumerOptions options) => inner.CreateConsumer(options);

        public IRecordProducer CreateProducer(ProducerOptions options) => inner.CreateProducer(options);

        public IClusterAdmin CreateAdmin(string clientId) => inner.CreateAdmin(clientId);

        public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => throw new ConfigException("for the test");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
