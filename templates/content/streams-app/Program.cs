using Streams.Core;
#if (kafka)
using Streams.Kafka;
#endif
using Streams.Embedded;
using StreamsApp;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

#if (kafka)
// KAFKA=localhost:9092 runs on a cluster; without it the broker is in this program and keeps its data in ./data.
await using ICluster cluster = Environment.GetEnvironmentVariable("KAFKA") is { } servers ? new KafkaCluster(servers) : EmbeddedCluster.At("./data/broker");
#else
await using ICluster cluster = EmbeddedCluster.At("./data/broker");
#endif

using (var admin = cluster.CreateAdmin("setup"))
{
    var none = new Dictionary<string, string>();
    await admin.CreateTopicsAsync([new NewTopic("lines", 2, -1, none), new NewTopic("word-counts", 2, -1, none)], stop.Token);
}

await using var app = new KafkaStreams(WordCountTopology.Build(), new StreamsConfig
{
    ApplicationId = "StreamsApp",
    Cluster = cluster,
    StateDirectory = "./data/state",
});

Console.WriteLine($"running on {cluster.Description}; Ctrl+C ends it");
try
{
    await app.RunAsync(stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped");
}
