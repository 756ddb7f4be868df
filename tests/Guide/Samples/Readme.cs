namespace Guide.Samples;

/// <summary>README.md. Its application wants a broker on a fixed port, so it is compiled only; <see cref="Running"/> runs the same one on a port of its own.</summary>
public sealed class Readme
{
    internal static async Task RunAsync(CancellationToken cancellationToken)
    {
        // <snippet readme-application>
        var builder = new StreamsBuilder();

        builder.Stream<string, string>("lines")
            .FlatMapValues(line => line.Split(' '))
            .GroupBy((_, word) => word)
            .Count(Materialized.As("counts"))
            .ToStream()
            .To("word-counts");

        await using var app = new KafkaStreams(builder.Build(), new StreamsConfig
        {
            ApplicationId = "word-count",
            BootstrapServers = "localhost:9092",          // or: Cluster = EmbeddedCluster.At("./data")
            ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
        });
        await app.RunAsync(cancellationToken);
        // </snippet>
    }

    [Fact]
    public void Test_without_a_broker()
    {
        var topology = GettingStarted.WordCount();
        var config = new StreamsConfig { ApplicationId = "word-count", BootstrapServers = "localhost:9092" };

        // <snippet readme-test>
        using var driver = new TopologyTestDriver(topology, config);
        var lines = driver.CreateInputTopic<string, string>("lines");
        var counts = driver.CreateOutputTopic<string, long>("word-counts");
        lines.PipeInput("k", "hello world hello");
        counts.ReadKeyValuesToMap();                      // hello=2, world=1
        // </snippet>

        lines.PipeInput("k", "hello world hello");
        var map = counts.ReadKeyValuesToMap();
        Assert.Equal((4L, 2L), (map["hello"], map["world"]));
    }
}
