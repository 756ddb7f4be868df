using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;
using Streams.Embedded;
using Streams.Kafka;
using WordCount;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--help"] or ["-h"])
{
    Console.WriteLine(Options.Usage);
    return 0;
}

Options options;
IReadOnlyList<string> files;
try
{
    options = Options.Parse(args);
    files = Texts.Files(options.Paths);
}
catch (ArgumentException fault)
{
    Console.Error.WriteLine($"WordCount: {fault.Message}\n\n{Options.Usage}");
    return 2;
}

var folder = options.Data ?? Path.Combine(Path.GetTempPath(), "word-count-" + Guid.NewGuid().ToString("n"));
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    return await RunAsync();
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped; run it again with the same --data to go on");
    return 130;
}
finally
{
    if (options.Data is null && Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
}

async Task<int> RunAsync()
{
    // The one setting that decides where it all runs.
    await using ICluster cluster = options.BootstrapServers is { } servers
        ? new KafkaCluster(servers)
        : EmbeddedCluster.At(Path.Combine(folder, "broker"));

    var topics = new Topics(cluster, options.ApplicationId);
    await topics.CreateAsync(options.Partitions);

    var time = Stopwatch.StartNew();
    var produced = 0L;
    await using var app = new KafkaStreams(WordCountTopology.Build(), new StreamsConfig
    {
        ApplicationId = options.ApplicationId,
        Cluster = cluster,
        NumStreamThreads = options.Threads,
        StateDirectory = Path.Combine(folder, "state"),
        CommitInterval = TimeSpan.FromMilliseconds(options.CommitMs),
        LoggerFactory = options.Verbose ? new ConsoleLogger() : NullLoggerFactory.Instance,
    });
    await app.StartAsync(stop.Token);
    Console.WriteLine($"counting the words of {files.Count} file(s){(options.Repeat > 1 ? $", {options.Repeat} times," : "")} on {cluster.Description}");

    var producing = Task.Run(() => topics.ProduceAsync(Texts.Lines(files, options.Repeat), count => Volatile.Write(ref produced, count), stop.Token));
    var nextReport = TimeSpan.FromSeconds(1);
    while (!producing.IsCompletedSuccessfully || !await topics.IsAllCommittedAsync(stop.Token))
    {
        if (producing.IsFaulted) await producing;
        if (app.Failure is not null) throw app.Failure;
        await Task.Delay(50, stop.Token);
        if (time.Elapsed < nextReport) continue;
        nextReport += TimeSpan.FromSeconds(1);
        Console.WriteLine($"  {time.Elapsed.TotalSeconds,4:F0} s   {Volatile.Read(ref produced),12:N0} lines written   {app.ProcessedRecords,12:N0} records processed   {app.State}");
    }

    var (written, alreadyThere) = await producing;
    var elapsed = time.Elapsed;
    var processed = app.ProcessedRecords;
    if (!await app.CloseAsync(TimeSpan.FromSeconds(30))) Console.Error.WriteLine("WordCount: the application did not close within 30 seconds");

    var counts = await topics.ReadCountsAsync();
    return Report(counts, written, alreadyThere, processed, elapsed);
}

int Report(Dictionary<string, long> counts, long written, long alreadyThere, long processed, TimeSpan elapsed)
{
    Console.WriteLine();
    foreach (var (word, count) in counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal).Take(options.Top))
        Console.WriteLine($"  {count,10:N0}  {word}");

    var total = counts.Values.Sum();
    Console.WriteLine();
    Console.WriteLine($"lines    {written:N0} written{(alreadyThere > 0 ? $", {alreadyThere:N0} were there from an earlier run" : "")}");
    Console.WriteLine($"words    {total:N0}, {counts.Count:N0} different");
    Console.WriteLine($"speed    {processed / elapsed.TotalSeconds:N0} records per second ({processed:N0} in {elapsed.TotalSeconds:F1} s: every line, and every word behind the repartition topic)");

    var plain = Texts.CountPlainly(Texts.Lines(files, options.Repeat));
    var plainTotal = plain.Values.Sum();
    var lost = plain.Count(entry => counts.GetValueOrDefault(entry.Key) < entry.Value);
    var over = counts.Count(entry => plain.GetValueOrDefault(entry.Key) < entry.Value);
    if (lost == 0 && over == 0)
    {
        Console.WriteLine($"check    an independent count agrees: {plainTotal:N0} words, {plain.Count:N0} different");
        return 0;
    }

    if (lost == 0)
    {
        Console.WriteLine($"check    an independent count has {plainTotal:N0} words: {total - plainTotal:N0} more were counted here, in {over:N0} words, because an interrupted run may count again what it had not committed (at least once); nothing is missing");
        return 3;
    }

    Console.WriteLine($"check    FAILED: an independent count has {plainTotal:N0} words, {plain.Count:N0} different; {lost:N0} words have too small a count here");
    return 1;
}
