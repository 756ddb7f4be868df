using Streams.Core;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Failures of a part: one thread's producer, one branch of a record, records that are deleted before they are read.</summary>
public sealed class PartialFailureTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-partial-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>E-127: what times out is tried again while everything else goes on; when <c>task.timeout.ms</c> is over it is an error.</summary>
    [Fact]
    public async Task Thread_whose_commits_time_out_holds_up_nobody_and_fails_after_the_task_timeout()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 4);
        await TestTopics.CreateAsync(cluster, "output", 1);
        var tries = 0;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at != ProducerStep.BeforeFlush || !Thread.CurrentThread.Name!.EndsWith("-1", StringComparison.Ordinal)) return;
            Interlocked.Increment(ref tries);
            throw new ClusterUnavailableException("away for one thread");
        });
        var time = new SkippingTime();
        await using var app = new KafkaStreams(Copying(), Config(faulty) with { NumStreamThreads = 2, TimeProvider = time, TaskTimeout = TimeSpan.FromMinutes(5) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running && app.TasksByThread is { Count: 2 } threads && threads.Values.All(tasks => tasks.Count == 2), _patience);
        var failing = app.TasksByThread.Single(thread => thread.Key.EndsWith("-1", StringComparison.Ordinal)).Value.Select(task => new TopicPartition("input", task.Partition)).ToHashSet();
        await using var group = cluster.CreateGroupCoordinator("test", "partial");
        for (var round = 1; round <= 3; round++)
        {
            TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number}", $"{number}")));
            var triesBefore = Volatile.Read(ref tries);
            await TestTopics.WaitUntilAsync(() => Volatile.Read(ref tries) > triesBefore, _patience);

            // Both tasks of the failing thread go on to process; the other thread's are committed too.
            await TestTopics.WaitUntilAsync(() => app.ProcessedRecords == 100 * round, _patience);
            var ends = TestTopics.Offsets(cluster, "input", end: true).Where(end => !failing.Contains(end.Key)).ToDictionary();
            await TestTopics.WaitUntilAsync(
                () =>
                {
                    var committed = group.FetchOffsetsAsync([.. ends.Keys], TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                    return ends.All(end => committed.TryGetValue(end.Key, out var commit) && commit.Offset == end.Value);
                },
                _patience);
            Assert.Equal(KafkaStreamsState.Running, app.State);
        }

        Assert.Empty(await group.FetchOffsetsAsync([.. failing], TestContext.Current.CancellationToken));
        time.Skip(TimeSpan.FromMinutes(6));
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error, _patience);
        Assert.Equal("away for one thread", Assert.IsType<ClusterUnavailableException>(app.Failure).Message);
    }

    /// <summary>E-110: as in Kafka Streams, "continue" does not take back what the record has forwarded already, also in a transaction (ADR 0031).</summary>
    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce)]
    [InlineData(ProcessingGuarantee.ExactlyOnce)]
    public async Task Continuing_keeps_what_the_failed_record_had_forwarded_before(ProcessingGuarantee guarantee)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        foreach (var topic in (string[])["input", "before", "behind", "output"]) await TestTopics.CreateAsync(cluster, topic, 1);
        TestTopics.Produce(cluster, "input", [("k", "1"), ("k", "bad"), ("k", "3")]);
        var topology = new Topology()
            .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "input")
            .AddProcessor<string, string>("twice", () => new Twice(), "source")
            .AddSink("first", "before", Text, "twice")
            .AddProcessor<string, string>("picky", () => new Picky(), "twice")
            .AddSink("last", "behind", Text, "picky")
            .AddSink("sibling", "output", Text, "twice");
        await using var app = new KafkaStreams(topology, Config(cluster) with { ProcessingGuarantee = guarantee, ProcessingExceptionHandler = ErrorHandlers.LogAndContinue });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TestTopics.ReadCommitted(cluster, "behind").Count == 4, _patience);
        Assert.True(await app.CloseAsync(_patience));

        // Both forwards of the failed record reached the sink before the failing operator and the sibling behind it; only that operator's own output is missing.
        Assert.Equal(["1", "1", "3", "3"], TestTopics.ReadCommitted(cluster, "behind").Select(record => record.Value));
        Assert.Equal(["1", "1", "bad", "bad", "3", "3"], TestTopics.ReadCommitted(cluster, "before").Select(record => record.Value));
        Assert.Equal(["1", "1", "bad", "bad", "3", "3"], TestTopics.ReadCommitted(cluster, "output").Select(record => record.Value));
    }

    /// <summary>Records that retention has deleted before they were read are gone; the application goes on behind them and says so.</summary>
    [Fact]
    public async Task Records_deleted_before_they_were_read_are_passed_over_with_a_warning()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        await RunUntilAsync(50, 49);
        TestTopics.Produce(cluster, "input", Enumerable.Range(50, 50).Select(number => ("k", $"{number}")));
        using (var admin = cluster.CreateAdmin("test"))
            await admin.DeleteRecordsAsync([new TopicPartitionOffset(new TopicPartition("input", 0), 80)], TestContext.Current.CancellationToken);

        var log = await RunUntilAsync(0, 99);
        Assert.Equal(1, log.Count("offset 50 is not in the log any more; it goes on at 80"));
        Assert.Equal(Enumerable.Range(0, 50).Concat(Enumerable.Range(80, 20)).Select(number => $"{number}"), TestTopics.ReadAll(cluster, "output").Select(record => record.Value));

        async Task<TaskLog> RunUntilAsync(int feed, int last)
        {
            TestTopics.Produce(cluster, "input", Enumerable.Range(0, feed).Select(number => ("k", $"{number}")));
            var lines = new TaskLog();
            await using var app = new KafkaStreams(Copying(), Config(cluster) with { LoggerFactory = lines });
            await app.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitUntilAsync(() => TestTopics.ReadAll(cluster, "output").Any(record => record.Value == $"{last}"), _patience);
            Assert.True(await app.CloseAsync(_patience));
            return lines;
        }
    }

    private static SinkOptions<string, string> Text => new() { KeySerializer = Serdes.String, ValueSerializer = Serdes.String };

    private StreamsConfig Config(ICluster cluster) => new()
    {
        ApplicationId = "partial",
        Cluster = cluster,
        CommitInterval = TimeSpan.FromMilliseconds(50),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateDirectory = _folder,
    };

    private static Topology Copying() => new Topology()
        .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "input")
        .AddSink("sink", "output", Text, "source");

    private sealed class Twice : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            Forward(in record);
            Forward(in record);
        }
    }

    private sealed class Picky : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            if (record.Value == "bad") throw new FormatException("no good");
            Forward(in record);
        }
    }
}
