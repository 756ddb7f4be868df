using Streams.Embedded;

namespace Guide.Samples;

/// <summary>docs/guide/getting-started.md and running.md.</summary>
public sealed class GettingStarted
{
    [Fact]
    public void Word_count_in_the_test_driver()
    {
        // <snippet word-count>
        var builder = new StreamsBuilder();

        builder.Stream<string, string>("lines")
            .FlatMapValues(line => line.Split(' '))
            .GroupBy((_, word) => word)
            .Count(Materialized.As("counts"))
            .ToStream()
            .To("word-counts");

        var topology = builder.Build();
        // </snippet>

        // <snippet word-count-test>
        using var driver = new TopologyTestDriver(topology);
        var lines = driver.CreateInputTopic<string, string>("lines");
        var counts = driver.CreateOutputTopic<string, long>("word-counts");

        lines.PipeInput("k", "hello world hello");

        Assert.Equal([new("hello", 1), new("world", 1), new("hello", 2)], counts.ReadKeyValuesToList());
        // </snippet>
    }

    [Fact]
    public async Task Word_count_on_an_embedded_broker()
    {
        var folder = Folders.New();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = RunAsync(folder, WordCount(), stop);
        await running;
        Assert.Equal([("hello", 2), ("world", 1)], _counts!.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value)));
        Directory.Delete(folder, recursive: true);
    }

    private Dictionary<string, long>? _counts;

    private async Task RunAsync(string folder, Topology topology, CancellationTokenSource stop)
    {
        var cancellationToken = stop.Token;

        // <snippet embedded-topics>
        await using var cluster = EmbeddedCluster.At(Path.Combine(folder, "broker"));

        using (var admin = cluster.CreateAdmin("word-count"))
        {
            await admin.CreateTopicsAsync(
                [
                    new NewTopic("lines", 4, -1, new Dictionary<string, string>()),
                    new NewTopic("word-counts", 4, -1, new Dictionary<string, string> { ["cleanup.policy"] = "compact" }),
                ],
                cancellationToken);
        }
        // </snippet>

        Topics.Produce(cluster, "lines", [("k", "hello world hello")]);
        var watching = Topics.StopWhenAsync(stop, () => Topics.Counts(cluster, "word-counts").Values.Sum() == 3, seen => _counts = seen, cluster);

        // <snippet embedded-run>
        await using var app = new KafkaStreams(topology, new StreamsConfig
        {
            ApplicationId = "word-count",
            Cluster = cluster,
            StateDirectory = Path.Combine(folder, "state"),
            CommitInterval = TimeSpan.FromSeconds(1),          // default 30 s
        });
        await app.RunAsync(cancellationToken);
        // </snippet>
        await watching;
    }

    internal static Topology WordCount()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("lines").FlatMapValues(line => line.Split(' ')).GroupBy((_, word) => word).Count(Materialized.As("counts")).ToStream().To("word-counts");
        return builder.Build();
    }
}
