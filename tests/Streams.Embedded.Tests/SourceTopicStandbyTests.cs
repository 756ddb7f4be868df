using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>E-113: a standby of a table whose changelog is its source topic takes only what the group has committed; the rest has not been processed yet.</summary>
public sealed class SourceTopicStandbyTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-source-standby-" + Guid.NewGuid().ToString("n"));
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _goOn = new();

    public void Dispose()
    {
        _goOn.Set();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Standby_of_a_source_topic_stops_at_what_is_committed()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "rows", 4);
        await TestTopics.CreateAsync(cluster, "output", 1);
        await using var one = new KafkaStreams(Topology(), Config(cluster, "one"));
        await using var two = new KafkaStreams(Topology(), Config(cluster, "two"));
        await one.StartAsync(TestContext.Current.CancellationToken);
        await two.StartAsync(TestContext.Current.CancellationToken);
        try
        {
            // Two tasks on two threads of one instance, with their standbys on the other.
            await TestTopics.WaitUntilAsync(() => one.TasksByThread is { Count: 2 } threads && threads.Values.All(tasks => tasks.Count == 1) && StandbysOf(two) == 2, _patience);
            await TestTopics.WaitUntilAsync(() => one.State == KafkaStreamsState.Running && two.State == KafkaStreamsState.Running, _patience);
            var partitions = one.TasksByThread.Values.Select(tasks => tasks.Single().Partition).ToList();
            var (held, free) = (KeysOf(partitions[0]), KeysOf(partitions[1]));
            var standby = Standby(two, partitions[0]);
            var other = Standby(two, partitions[1]);

            TestTopics.Produce(cluster, "rows", [(held[0], "committed")]);
            await TestTopics.WaitUntilAsync(() => standby.TryGet(held[0], out var row) && row == "committed", _patience);

            TestTopics.Produce(cluster, "rows", [(held[0], "hold"), (held[1], "behind it")]);
            await _held.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);

            // The same consumer reads both partitions for standbys: while the other goes on, this one has had its chance, several times.
            for (var round = 0; round < 10; round++)
            {
                TestTopics.Produce(cluster, "rows", [(free[0], $"{round}")]);
                await TestTopics.WaitUntilAsync(() => other.TryGet(free[0], out var row) && row == $"{round}", _patience);
                Assert.True(standby.TryGet(held[0], out var before));
                Assert.Equal("committed", before);
                Assert.False(standby.TryGet(held[1], out _));
            }

            _goOn.Set();
            await TestTopics.WaitUntilAsync(() => standby.TryGet(held[0], out var row) && row == "hold" && standby.TryGet(held[1], out row) && row == "behind it", _patience);
        }
        finally
        {
            _goOn.Set();
        }

        Assert.DoesNotContain(await TopicsAsync(cluster), topic => topic.EndsWith("-changelog", StringComparison.Ordinal));
    }

    /// <summary>Found by random topologies on a broker: what processing leaves out may not end the application when it restores from the same topic.</summary>
    [Fact]
    public async Task Records_without_a_key_are_left_out_when_a_source_topic_is_restored()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "rows", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        using (var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" }))
        {
            var topic = producer.GetTopic("rows");
            foreach (var key in (string?[])[null, "a", null, null, "b", "c", null])
            {
                var bytes = key is null ? null : System.Text.Encoding.UTF8.GetBytes(key);
                producer.Send(topic, 0, new OutgoingRecord(bytes, bytes is not null, "v"u8, true, 1_700_000_000_000, null));
            }

            producer.Flush(TestContext.Current.CancellationToken);
        }

        for (var round = 0; round < 2; round++)
        {
            await using var app = new KafkaStreams(Topology(), Config(cluster, "restored"));
            await app.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitForCountAsync(cluster, "output", 3, _patience);
            await TestTopics.WaitUntilAsync(() => app.State is KafkaStreamsState.Running or KafkaStreamsState.Error, _patience);
            Assert.Null(app.Failure);
            using var all = Standby(app, 0).All();
            var keys = new List<string>();
            while (all.MoveNext()) keys.Add(all.Key);
            Assert.Equal(["a", "b", "c"], keys);
            Assert.True(await app.CloseAsync(_patience));
            app.CleanUp();
        }
    }

    private static int StandbysOf(KafkaStreams app) => app.MetadataForLocalThreads().Sum(thread => thread.StandbyTasks.Count);

    private static IReadOnlyKeyValueStore<string, string> Standby(KafkaStreams app, int partition) =>
        app.Store(StoreQueryParameters.FromNameAndType("rows-store", QueryableStoreTypes.KeyValueStore<string, string>()).WithPartition(partition).EnableStaleStores());

    private static List<string> KeysOf(int partition) =>
        [.. Enumerable.Range(0, 1000).Select(number => $"k{number}").Where(key => Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(key), 4) == partition).Take(2)];

    private static async Task<IReadOnlyCollection<string>> TopicsAsync(EmbeddedCluster cluster)
    {
        using var admin = cluster.CreateAdmin("test");
        return await admin.ListTopicsAsync(TestContext.Current.CancellationToken);
    }

    private Topology Topology()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = TopologyOptimization.ReuseTableSourceTopics });
        builder.Table<string, string>("rows", materialized: Materialized.As("rows-store").WithStoreType(StoreType.InMemory).WithCachingDisabled())
            .ToStream()
            .Peek((_, value) =>
            {
                if (value != "hold") return;
                _held.TrySetResult();
                _goOn.Wait(_patience);
            })
            .To("output");
        return builder.Build();
    }

    private StreamsConfig Config(EmbeddedCluster cluster, string instance) => StatelessApplicationTests.Config(cluster, "source-standby") with
    {
        NumStreamThreads = 2,
        NumStandbyReplicas = 1,
        StateDirectory = Path.Combine(_folder, instance),
    };
}
