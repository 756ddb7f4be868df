using System.Reactive.Linq;
using System.Reactive.Subjects;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;
using Streams.Embedded.Tests;
using Streams.Testing;

namespace Streams.Reactive.Tests;

/// <summary>Observables, sequences and channels as source topics.</summary>
public sealed class RecordSourceTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-sources-" + Guid.NewGuid().ToString("n"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Sequence_is_written_in_order_with_keys_times_and_tombstones_and_the_application_goes_on_after_its_end()
    {
        await using var cluster = await ClusterAsync("in");
        var source = RecordSource.From(Numbers(2000, null).Append(Record<string, string>.Tombstone("k", 99)));
        var builder = new StreamsBuilder();
        using var reader = builder.Stream("in", source).Tap(new TapOptions { Capacity = 5000 }).OpenReader();
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.StartAsync(Token);
        await source.Completion.WaitAsync(_patience, Token);
        Assert.Equal(2001, source.WrittenRecords);
        for (var number = 0; number < 2000; number++)
        {
            Assert.True(await reader.WaitToReadAsync(Token) && reader.TryRead(out var record) && (record.Key, record.Value, record.Timestamp) == ("k", $"{number}", number));
        }

        Assert.True(await reader.WaitToReadAsync(Token) && reader.TryRead(out var last) && !last.HasValue && last.Timestamp == 99);
        Assert.Null(app.Failure);
        Assert.Equal(KafkaStreamsState.Running, app.State);
    }

    [Fact]
    public async Task Channel_is_read_until_it_is_completed_and_its_bound_holds_its_writer_back()
    {
        await using var cluster = await ClusterAsync("in");
        var channel = Channel.CreateBounded<Record<string, string>>(8);
        var source = RecordSource.From(channel.Reader);
        var writing = source.WriteToAsync(cluster, "in", cancellationToken: Token);
        for (var number = 0; number < 1000; number++) await channel.Writer.WriteAsync(new Record<string, string>("k", $"{number}", number), Token);
        channel.Writer.Complete();
        await writing.WaitAsync(_patience, Token);
        Assert.Equal(Enumerable.Range(0, 1000).Select(number => ("k", $"{number}")), TestTopics.ReadAll(cluster, "in"));
    }

    [Fact]
    public async Task Observable_is_subscribed_from_start_to_end_of_the_application()
    {
        await using var cluster = await ClusterAsync("in");
        using var subject = new Subject<int>();
        var source = RecordSource.From(subject, number => "k", number => $"{number}");
        var builder = new StreamsBuilder();
        builder.Stream("in", source);
        subject.OnNext(-1);
        await using (var app = new KafkaStreams(builder.Build(), Config(cluster)))
        {
            Assert.False(subject.HasObservers);
            await app.StartAsync(Token);
            await TestTopics.WaitUntilAsync(() => subject.HasObservers, _patience);
            for (var number = 0; number < 100; number++) subject.OnNext(number);
            await TestTopics.WaitUntilAsync(() => source.WrittenRecords == 100, _patience);
            Assert.True(await app.CloseAsync(_patience));
        }

        Assert.False(subject.HasObservers);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => source.Completion.WaitAsync(_patience, Token));
        Assert.Equal(Enumerable.Range(0, 100).Select(number => $"{number}"), TestTopics.ReadAll(cluster, "in").Select(record => record.Value));
    }

    [Fact]
    public async Task Observable_that_is_too_fast_waits_or_drops()
    {
        await using var cluster = await ClusterAsync("waits");
        await TestTopics.CreateAsync(cluster, "drops", 1);
        var numbers = Observable.Range(0, 5000);
        var waits = RecordSource.From(numbers, _ => "k", number => $"{number}", capacity: 2);
        var drops = RecordSource.From(numbers, _ => "k", number => $"{number}", capacity: 2, TapOverflow.DropOldest);
        await Task.WhenAll(waits.WriteToAsync(cluster, "waits", cancellationToken: Token), drops.WriteToAsync(cluster, "drops", cancellationToken: Token)).WaitAsync(_patience, Token);
        Assert.Equal(Enumerable.Range(0, 5000).Select(number => $"{number}"), TestTopics.ReadAll(cluster, "waits").Select(record => record.Value));
        Assert.Equal((5000, 0L), ((int)waits.WrittenRecords, waits.DroppedRecords));
        Assert.Equal(5000, drops.WrittenRecords + drops.DroppedRecords);
        Assert.Equal("4999", TestTopics.ReadAll(cluster, "drops")[^1].Value);
    }

    [Fact]
    public async Task Observable_that_never_returns_from_its_subscription_is_let_go_at_the_end()
    {
        await using var cluster = await ClusterAsync("in");
        var ended = new TaskCompletionSource();
        var endless = Observable.Create((Func<IObserver<int>, IDisposable>)Push);
        IDisposable Push(IObserver<int> observer)
        {
            try
            {
                for (var number = 0; ; number++) observer.OnNext(number);
            }
            finally
            {
                ended.SetResult();
            }
        }

        var source = RecordSource.From(endless, _ => "k", number => $"{number}", capacity: 4);
        using var stopping = new CancellationTokenSource();
        var writing = source.WriteToAsync(cluster, "in", cancellationToken: stopping.Token);
        await TestTopics.WaitUntilAsync(() => source.WrittenRecords > 10, _patience);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(_patience, Token));
        await ended.Task.WaitAsync(_patience, Token);
    }

    [Fact]
    public async Task Failure_of_the_source_fails_the_application_after_what_came_before_is_written()
    {
        await using var cluster = await ClusterAsync("in");
        var source = RecordSource.From(Numbers(10, new InvalidOperationException("source broke")));
        var builder = new StreamsBuilder();
        builder.Stream("in", source);
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => app.RunAsync(Token).WaitAsync(_patience, Token));
        Assert.Equal("source broke", failure.Message);
        Assert.Equal(KafkaStreamsState.Error, app.State);
        Assert.Equal(10, TestTopics.ReadAll(cluster, "in").Count);
        await Assert.ThrowsAsync<InvalidOperationException>(() => source.Completion);
    }

    [Fact]
    public async Task Records_that_a_cluster_does_not_acknowledge_are_written_again_until_it_does()
    {
        await using var cluster = await ClusterAsync("in");
        var failures = 3;
        await using var faulty = new FaultyCluster(cluster, step =>
        {
            if (step == ProducerStep.AfterFlush && Interlocked.Decrement(ref failures) >= 0) throw new ClusterUnavailableException("away");
        });
        var source = RecordSource.From(Numbers(1200, null));
        await source.WriteToAsync(faulty, "in", cancellationToken: Token).WaitAsync(_patience, Token);
        Assert.Equal(1200, source.WrittenRecords);
        Assert.True(failures < 0);
        var written = TestTopics.ReadAll(cluster, "in").Select(record => int.Parse(record.Value, null)).ToList();
        Assert.Equal(Enumerable.Range(0, 1200), written.Distinct().Order());
        Assert.True(written.Count > 1200, "what was written without being acknowledged is there twice");
    }

    [Fact]
    public async Task Cluster_that_stays_away_fails_the_application_after_the_task_timeout()
    {
        await using var cluster = await ClusterAsync("in");
        await using var faulty = new FaultyCluster(cluster, step =>
        {
            if (step == ProducerStep.BeforeFlush) throw new ClusterUnavailableException("away");
        });
        var builder = new StreamsBuilder();
        builder.Stream("in", RecordSource.From(Numbers(10, null)));
        await using var app = new KafkaStreams(builder.Build(), Config(cluster) with { Cluster = faulty, TaskTimeout = TimeSpan.FromMilliseconds(300) });
        await app.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error, _patience);
        Assert.IsType<ClusterUnavailableException>(app.Failure);
    }

    [Fact]
    public async Task Record_that_cannot_be_serialised_fails_the_application_though_the_source_waits()
    {
        await using var cluster = await ClusterAsync("in");
        var channel = Channel.CreateUnbounded<Record<string, Version>>();
        var builder = new StreamsBuilder();
        var serde = Serdes.From(new Refusing(), new Refusing());
        builder.Stream("in", RecordSource.From(channel.Reader), Consumed.With(Serdes.String, serde));
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.StartAsync(Token);
        Assert.True(channel.Writer.TryWrite(new Record<string, Version>("k", new Version(1, 0), 1)));
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error, _patience);
        Assert.IsType<SerializationException>(app.Failure);
    }

    [Fact]
    public async Task Sequence_that_does_not_heed_its_token_does_not_keep_the_application_from_closing()
    {
        await using var cluster = await ClusterAsync("in");
        var never = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        var builder = new StreamsBuilder();
        builder.Stream("in", RecordSource.From(Deaf()));
        await using var app = new KafkaStreams(builder.Build(), Config(cluster));
        await app.StartAsync(Token);
        await started.Task.WaitAsync(_patience, Token);
        Assert.True(await app.CloseAsync(_patience));

        async IAsyncEnumerable<Record<string, string>> Deaf()
        {
            started.SetResult();
            await never.Task;
            yield break;
        }
    }

    [Fact]
    public void Test_driver_writes_nothing_and_takes_what_is_piped()
    {
        var builder = new StreamsBuilder();
        builder.Stream("in", RecordSource.From(Numbers(10, null))).To("out");
        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "v");
        Assert.Equal(["v"], driver.CreateOutputTopic<string, string>("out").ReadValuesToList());
    }

    private static async IAsyncEnumerable<Record<string, string>> Numbers(int count, Exception? failure, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var number = 0; number < count; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (number % 700 == 0) await Task.Yield();
            yield return new Record<string, string>("k", $"{number}", number);
        }

        if (failure is not null) throw failure;
    }

    private static async Task<EmbeddedCluster> ClusterAsync(string topic)
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, topic, 1);
        return cluster;
    }

    /// <summary>Has no bytes for anything.</summary>
    private sealed class Refusing : ISerializer<Version>, IDeserializer<Version>
    {
        public void Serialize(Version value, System.Buffers.IBufferWriter<byte> output) => throw new FormatException("no version");

        public Version Deserialize(ReadOnlySpan<byte> data) => throw new FormatException("no version");
    }

    private StreamsConfig Config(EmbeddedCluster cluster) => new()
    {
        ApplicationId = "sources",
        Cluster = cluster,
        StateDirectory = _folder,
        CommitInterval = TimeSpan.FromMilliseconds(100),
    };
}
