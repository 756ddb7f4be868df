using System.Net;
using System.Net.Sockets;
using Broker.Lite;
using Streams.Embedded;

namespace Guide.Samples;

/// <summary>README.md.</summary>
public sealed class Readme
{
    private const int Port = 9092;

    /// <summary>As it stands: on a broker at the port that it names, over TCP, with every default.</summary>
    [Fact]
    public async Task Application_runs()
    {
        if (!IsFree()) Assert.Skip($"port {Port}, which the application of the README names, is in use on this machine");
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var broker = EmbeddedCluster.With(new BrokerOptions { Port = Port });
        await broker.StartAsync(cancellationToken);
        using (var admin = broker.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("lines", 2, -1, new Dictionary<string, string>()), new NewTopic("word-counts", 2, -1, new Dictionary<string, string>())], cancellationToken);
        Topics.Produce(broker, "lines", [("k", "hello world hello")]);

        var counts = new Dictionary<string, long>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = Topics.StopWhenAsync(stop, () => Topics.Counts(broker, "word-counts").Values.Sum() == 3, seen => counts = seen, broker);
        await RunAsync(stop.Token);
        await watching;
        Assert.Equal(new Dictionary<string, long> { ["hello"] = 2, ["world"] = 1 }, counts);
    }

    private static async Task RunAsync(CancellationToken cancellationToken)
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

    private static bool IsFree()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, Port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
