using System.Collections.Concurrent;
using System.Reactive.Linq;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;

namespace Streams.Reactive.Tests;

/// <summary>Taps in applications on the embedded broker.</summary>
public sealed class TapApplicationTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-taps-" + Guid.NewGuid().ToString("n"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(TapDelivery.AsProcessed)]
    [InlineData(TapDelivery.AfterCommit)]
    public async Task Slow_loop_gets_every_record_in_order_and_its_buffer_is_never_exceeded(TapDelivery delivery)
    {
        const int Count = 3000;
        const int Capacity = 16;
        await using var cluster = await ClusterWithAsync(1, Count);
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, string>("in").Tap(new TapOptions { Capacity = Capacity, Delivery = delivery });
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        using var reader = tap.OpenReader();
        await app.StartAsync(Token);
        var largest = 0;
        for (var number = 0; number < Count; number++)
        {
            Assert.True(await reader.WaitToReadAsync(Token));
            Assert.True(reader.TryRead(out var record));
            Assert.Equal(number.ToString("D5", null), record.Value);
            largest = Math.Max(largest, tap.WaitingRecords);
            if (number % 500 == 0) await Task.Yield();
        }

        Assert.InRange(largest, 1, Capacity);
        Assert.Equal(0, tap.DroppedRecords);
    }

    [Fact]
    public async Task Subscriber_that_stops_holds_its_topic_up_and_not_the_group_nor_other_tasks()
    {
        await using var cluster = await ClusterWithAsync(1, 500);
        await TestTopics.CreateAsync(cluster, "other", 1);
        await TestTopics.CreateAsync(cluster, "out", 1);
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, string>("in").Tap(new TapOptions { Capacity = 8 });
        builder.Stream<string, string>("other").To("out");
        await using var app = new KafkaStreams(builder.Build(), Config(cluster) with
        {
            SessionTimeout = TimeSpan.FromSeconds(6),
            HeartbeatInterval = TimeSpan.FromSeconds(1),
            RebalanceTimeout = TimeSpan.FromSeconds(10),
        });
        var rebalances = 0;
        using var goOn = new ManualResetEventSlim();
        var seen = new Recorder<string> { OnItem = _ => goOn.Wait(_patience, Token) };
        using var subscription = tap.ToObservable().Select(record => record.Value).Subscribe(seen);
        await app.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => tap.WaitingRecords >= 7 && app.State == KafkaStreamsState.Running, _patience);
        app.StateChanged += (_, _) => Interlocked.Increment(ref rebalances);

        // The other task of the same thread works and commits: the thread is not stuck. One record is in the subscriber's hands, the others wait.
        TestTopics.Produce(cluster, "other", Enumerable.Range(0, 100).Select(number => ("k", $"{number}")));
        await TestTopics.WaitForCountAsync(cluster, "out", 100, _patience);
        Assert.Equal(0, rebalances);
        Assert.InRange(tap.WaitingRecords, 7, 8);
        Assert.Empty(seen.Items);

        goOn.Set();
        await TestTopics.WaitUntilAsync(() => seen.Items.Count == 500, _patience);
        Assert.Equal(Enumerable.Range(0, 500).Select(number => number.ToString("D5", null)), seen.Items);
        Assert.True(await app.CloseAsync(_patience));
        await seen.End.WaitAsync(_patience, Token);
    }

    [Fact]
    public async Task Task_that_is_held_up_moves_to_another_instance_in_a_rebalance()
    {
        const int Count = 400;
        await using var cluster = await ClusterWithAsync(2, Count);
        ConcurrentDictionary<string, int> seen = new();
        using var goOn = new ManualResetEventSlim();
        var (first, firstTap) = Application(cluster, "one");
        var (second, secondTap) = Application(cluster, "two");
        using var slow = firstTap.ToObservable().Subscribe(record =>
        {
            goOn.Wait(_patience, Token);
            seen.AddOrUpdate(record.Value, 1, (_, times) => times + 1);
        });
        using var fast = secondTap.ToObservable().Subscribe(record => seen.AddOrUpdate(record.Value, 1, (_, times) => times + 1));
        await using var one = first;
        await using var two = second;
        await one.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => firstTap.WaitingRecords >= 7, _patience);
        await two.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => two.TasksByThread.Values.Sum(tasks => tasks.Count) == 1 && seen.Count > Count / 4, _patience);
        goOn.Set();
        await TestTopics.WaitUntilAsync(() => seen.Count == Count, _patience);
        Assert.All(seen.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task Exactly_once_tap_after_commit_shows_each_record_once_though_a_thread_fails()
    {
        const int Count = 2000;
        await using var cluster = await ClusterWithAsync(2, Count);
        var builder = new StreamsBuilder();
        var failures = 3;
        var uncommitted = new ConcurrentQueue<string>();
        var stream = builder.Stream<string, string>("in").Peek((_, value) =>
        {
            uncommitted.Enqueue(value);
            if (int.Parse(value, null) % 500 == 499 && Interlocked.Decrement(ref failures) >= 0) throw new InvalidOperationException("made to fail");
        });
        var tap = stream.Tap(new TapOptions { Delivery = TapDelivery.AfterCommit, Capacity = 100 });
        var seen = new Recorder<string>();
        using var subscription = tap.ToObservable().Select(record => record.Value).Subscribe(seen);
        await using var app = new KafkaStreams(builder.Build(), Config(cluster) with
        {
            ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
            CommitInterval = TimeSpan.FromMilliseconds(50),
            UncaughtExceptionHandler = _ => StreamThreadExceptionResponse.ReplaceThread,
        });
        await app.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => seen.Items.Distinct().Count() == Count, _patience);
        Assert.True(await app.CloseAsync(_patience));
        await seen.End.WaitAsync(_patience, Token);
        Assert.Equal(Count, seen.Items.Count);
        Assert.True(failures <= 0);
        Assert.True(uncommitted.Count > Count, "records were to be processed again");
    }

    [Fact]
    public async Task Failure_of_the_application_ends_subscriptions_with_its_error()
    {
        await using var cluster = await ClusterWithAsync(1, 10);
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>("in");
        var tap = stream.Tap();
        stream.ForEach((_, value) =>
        {
            if (value == "00007") throw new InvalidOperationException("seven");
        });
        var seen = new Recorder<Record<string, string>>();
        using var subscription = tap.ToObservable().Subscribe(seen);
        using var reader = tap.OpenReader();
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.StartAsync(Token);
        var failure = await Assert.ThrowsAsync<ProcessorException>(() => seen.End.WaitAsync(_patience, Token));
        Assert.Equal("seven", failure.InnerException?.Message);
        Assert.Equal(8, seen.Items.Count);

        var read = 0;
        await Assert.ThrowsAsync<ProcessorException>(async () =>
        {
            await foreach (var record in reader) read++;
        });
        Assert.Equal(8, read);
        var late = new Recorder<Record<string, string>>();
        tap.ToObservable().Subscribe(late);
        await Assert.ThrowsAsync<ProcessorException>(() => late.End.WaitAsync(_patience, Token));
    }

    [Fact]
    public async Task Subscriber_that_throws_is_unsubscribed_and_nobody_else_notices()
    {
        await using var cluster = await ClusterWithAsync(1, 100);
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, string>("in").Tap();
        var seen = new Recorder<Record<string, string>>();
        using var bad = tap.ToObservable().Subscribe(_ => throw new InvalidOperationException("bad subscriber"));
        using var good = tap.ToObservable().Subscribe(seen);
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => seen.Items.Count == 100 && tap.FailedSubscribers == 1, _patience);
        Assert.Equal(1, tap.Subscriptions);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
    }

    [Fact]
    public async Task Application_that_is_closed_without_a_start_completes_its_subscriptions()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        var builder = new StreamsBuilder();
        var seen = new Recorder<Record<string, string>>();
        using var subscription = builder.Stream<string, string>("in").ToObservable().Subscribe(seen);
        var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.DisposeAsync();
        await seen.End.WaitAsync(_patience, Token);
    }

    private static async Task<EmbeddedCluster> ClusterWithAsync(int partitions, int records)
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "in", partitions);
        TestTopics.Produce(cluster, "in", Enumerable.Range(0, records).Select(number => ($"k{number % 20}", number.ToString("D5", null))));
        return cluster;
    }

    private (KafkaStreams App, StreamTap<string, string> Tap) Application(EmbeddedCluster cluster, string instance)
    {
        var builder = new StreamsBuilder();
        var tap = builder.Stream<string, string>("in").Tap(new TapOptions { Capacity = 8 });
        return (new KafkaStreams(builder.Build(), Config(cluster) with { StateDirectory = Path.Combine(_folder, instance) }), tap);
    }

    private StreamsConfig Config(EmbeddedCluster cluster) => new()
    {
        ApplicationId = "taps",
        Cluster = cluster,
        StateDirectory = Path.Combine(_folder, "state"),
        CommitInterval = TimeSpan.FromMilliseconds(100),
        PollInterval = TimeSpan.FromMilliseconds(20),
        HeartbeatInterval = TimeSpan.FromMilliseconds(100),
    };
}
