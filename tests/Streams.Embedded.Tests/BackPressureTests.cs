using System.Collections.Concurrent;
using Streams.Core;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>E-129: what waits to be processed has a bound; a partition at it is paused, and resumed when there is room.</summary>
public sealed class BackPressureTests
{
    private const int Records = 3000;
    private const int BatchRecords = 50;
    private const int Bound = 200;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>An application that polls and does not process (KIP-834) is the slowest there is.</summary>
    [Fact]
    public async Task Paused_application_reads_no_more_than_its_buffers_hold()
    {
        await using var cluster = await NewClusterAsync(2);
        var watch = new Watch();
        await using var app = new KafkaStreams(Copying(() => watch.Processed()), Config(new WatchedCluster(cluster, watch)));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        app.Pause();
        Feed(cluster);
        await TestTopics.WaitUntilAsync(() => watch.Paused.Count == 2, _patience);
        Assert.InRange(watch.MaxWaiting, Bound, 2 * (Bound + BatchRecords));

        app.Resume();
        await TestTopics.WaitForCountAsync(cluster, "output", Records, _patience);
        Assert.InRange(watch.MaxWaiting, Bound, 2 * (Bound + BatchRecords));
        Assert.Empty(watch.Paused);
        Assert.Equal(Records, TestTopics.ReadAll(cluster, "output").Distinct().Count());
    }

    /// <summary>The bound in bytes counts where records are few and large: thousands of them would be allowed.</summary>
    [Fact]
    public async Task Large_records_wait_within_the_bytes_that_are_allowed()
    {
        const int size = 50_000;
        await using var cluster = await NewClusterAsync(2);
        var watch = new Watch();
        var config = Config(new WatchedCluster(cluster, watch)) with { BufferedRecordsPerPartition = 1_000_000, InputBufferMaxBytes = 9 << 20 };
        await using var app = new KafkaStreams(Copying(() => watch.Processed()), config);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        app.Pause();
        foreach (var number in Enumerable.Range(0, 600)) TestTopics.Produce(cluster, "input", [($"k{number}", new string('x', size))]);
        await TestTopics.WaitUntilAsync(() => watch.Paused.Count == 2, _patience);

        // A ninth of it: the client has five, and the others are for the one that restores and that of global stores. One batch of a mebibyte may exceed it per partition.
        Assert.InRange(watch.MaxWaiting * size, 1, (1 << 20) + (2 << 20) + (2 * size));
        Assert.Equal(5 << 20, watch.MaxBufferedBytes);
        app.Resume();
        await TestTopics.WaitForCountAsync(cluster, "output", 600, _patience);
    }

    /// <summary>A processor that is much slower than the reading, in time that passes with each record.</summary>
    [Fact]
    public async Task Slow_processor_does_not_make_the_buffers_grow()
    {
        await using var cluster = await NewClusterAsync(1);
        Feed(cluster);
        var watch = new Watch();
        var time = new SkippingTime();
        var slow = Copying(() =>
        {
            watch.Processed();
            time.Skip(TimeSpan.FromMilliseconds(3));
        });
        await using var app = new KafkaStreams(slow, Config(new WatchedCluster(cluster, watch)) with { TimeProvider = time, CommitInterval = TimeSpan.FromMilliseconds(50) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitForCountAsync(cluster, "output", Records, _patience);
        Assert.InRange(watch.MaxWaiting, Bound, Bound + BatchRecords);
        Assert.True(watch.Pauses > 1, $"{watch.Pauses} pauses");
        Assert.Empty(watch.Paused);
        Assert.Equal(Records, TestTopics.ReadAll(cluster, "output").Distinct().Count());
    }

    private static async Task<EmbeddedCluster> NewClusterAsync(int partitions)
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        return cluster;
    }

    // In batches that are small against the bound.
    private static void Feed(EmbeddedCluster cluster)
    {
        foreach (var batch in Enumerable.Range(0, Records).Chunk(BatchRecords)) TestTopics.Produce(cluster, "input", batch.Select(number => ($"k{number}", $"{number}")));
    }

    private static StreamsConfig Config(ICluster cluster) => new()
    {
        ApplicationId = "pressed",
        Cluster = cluster,
        BufferedRecordsPerPartition = Bound,
        CommitInterval = TimeSpan.FromMilliseconds(100),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateDirectory = Path.Combine(Path.GetTempPath(), "streams-tests", Guid.NewGuid().ToString("n")),
    };

    private static Topology Copying(Action each) => new Topology()
        .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "input")
        .AddProcessor<string, string>("copy", () => new Copy(each), "source")
        .AddSink("sink", "output", new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "copy");

    private sealed class Copy(Action each) : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            each();
            Forward(in record);
        }
    }

    /// <summary>What is read and not processed, as seen from both ends of the thread.</summary>
    private sealed class Watch
    {
        private long _waiting;
        private long _maxWaiting;
        private int _pauses;

        public ConcurrentDictionary<TopicPartition, bool> Paused { get; } = new();

        public long MaxWaiting => Volatile.Read(ref _maxWaiting);

        public int Pauses => Volatile.Read(ref _pauses);

        /// <summary>What the client was allowed.</summary>
        public int MaxBufferedBytes { get; set; }

        // All on the one thread of the application; only the test looks from another one.
        public void Read(int records)
        {
            _waiting += records;
            Volatile.Write(ref _maxWaiting, Math.Max(_maxWaiting, _waiting));
        }

        public void Processed() => _waiting--;

        public void Pause(TopicPartition partition)
        {
            _pauses++;
            Paused[partition] = true;
        }
    }

    /// <summary>A cluster whose consumers of input topics tell what they give out.</summary>
    private sealed class WatchedCluster(ICluster inner, Watch watch) : ICluster
    {
        public string Description => inner.Description;

        public IRecordConsumer CreateConsumer(ConsumerOptions options)
        {
            watch.MaxBufferedBytes = options.MaxBufferedBytes;
            return new Consumer(inner.CreateConsumer(options), watch);
        }

        public IRecordProducer CreateProducer(ProducerOptions options) => inner.CreateProducer(options);

        public IClusterAdmin CreateAdmin(string clientId) => inner.CreateAdmin(clientId);

        public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => inner.CreateGroupCoordinator(clientId, groupId);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private sealed class Consumer(IRecordConsumer inner, Watch watch) : IRecordConsumer
        {
            public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions) => inner.Assign(partitions);

            public void Unassign(IReadOnlyCollection<TopicPartition> partitions) => inner.Unassign(partitions);

            public void Pause(IReadOnlyCollection<TopicPartition> partitions)
            {
                inner.Pause(partitions);
                foreach (var partition in partitions) watch.Pause(partition);
            }

            public void Resume(IReadOnlyCollection<TopicPartition> partitions)
            {
                inner.Resume(partitions);
                foreach (var partition in partitions) watch.Paused.TryRemove(partition, out _);
            }

            public RecordBatch? Poll(TimeSpan timeout)
            {
                var batch = inner.Poll(timeout);
                if (batch is not null) watch.Read(batch.Count);
                return batch;
            }

            public void Wake() => inner.Wake();

            public long? CachedEndOffset(TopicPartition partition) => inner.CachedEndOffset(partition);

            public void Dispose() => inner.Dispose();
        }
    }
}
