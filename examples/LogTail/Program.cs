using System.Globalization;
using LogTail;
using Streams.Core;
using Streams.Embedded;
using Streams.Reactive;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (port, rate, seed, seconds) = (5080, 50, 1, 0);
for (var index = 0; index < args.Length; index += 2)
{
    var hasNumber = int.TryParse(args.ElementAtOrDefault(index + 1), out var number) && number >= 0;
    if (args[index] == "--port" && hasNumber && number <= 65535) port = number;
    else if (args[index] == "--rate" && hasNumber && number is > 0 and <= 100_000) rate = number;
    else if (args[index] == "--seed" && hasNumber) seed = number;
    else if (args[index] == "--for" && hasNumber) seconds = number;
    else
    {
        Console.Error.WriteLine("LogTail [--port N] [--rate LINES-PER-SECOND] [--seed N] [--for SECONDS]      default: port 5080, 50 lines per second, seed 1, until Ctrl+C");
        return 2;
    }
}

// The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
await using var cluster = EmbeddedCluster.InMemory();
var stateFolder = Directory.CreateTempSubdirectory("log-tail-").FullName;
try
{
    return await RunAsync();
}
finally
{
    Directory.Delete(stateFolder, recursive: true);
}

async Task<int> RunAsync()
{
    using (var admin = cluster.CreateAdmin("log-tail"))
        await admin.CreateTopicsAsync([new NewTopic(LogTailTopology.Lines, 2, -1, new Dictionary<string, string>())], CancellationToken.None);

    using var quiet = new CancellationTokenSource();
    var source = RecordSource.From(new LogGenerator(seed, rate).RunAsync(until: quiet.Token));
    var (topology, tail, counts) = LogTailTopology.Build(source);
    using var dashboard = new Dashboard(counts);
    await using var app = new KafkaStreams(topology, new StreamsConfig
    {
        ApplicationId = "log-tail",
        Cluster = cluster,
        StateDirectory = stateFolder,
        CommitInterval = TimeSpan.FromMilliseconds(200),
    });
    await using var web = Web.Create(port, tail, dashboard);
    await app.StartAsync();
    await web.StartAsync();
    Console.WriteLine($"open {web.Urls.First()}");

    // Ctrl+C, or the time is over, or the application has failed.
    using var end = CancellationTokenSource.CreateLinkedTokenSource(web.Lifetime.ApplicationStopping);
    app.StateChanged += (_, state) =>
    {
        if (state == KafkaStreamsState.Error) end.Cancel();
    };
    if (seconds > 0) end.CancelAfter(TimeSpan.FromSeconds(seconds));
    await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    // The services fall silent, and every line that they wrote is counted.
    await quiet.CancelAsync();
    await source.Completion;
    for (var waited = 0; dashboard.Total != source.WrittenRecords && waited < 600; waited++) await Task.Delay(100);
    Console.WriteLine();
    foreach (var (name, lines) in dashboard.ByServiceAndLevel()) Console.WriteLine($"{name,-16}{lines,8:N0}");
    var (written, total) = (source.WrittenRecords, dashboard.Total);
    Console.WriteLine($"check   {(total == written ? "all lines that were written are counted" : $"FAILED: {written:N0} lines were written")}: {total:N0} lines");
    await web.StopAsync();
    await app.CloseAsync(TimeSpan.FromSeconds(60));
    return total == written && app.Failure is null ? 0 : 1;
}
