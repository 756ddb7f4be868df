using System.Diagnostics;
using System.Globalization;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;

namespace Bench.Restore;

/// <summary>
/// What a large store costs at a start. Another process counts into it and is killed (-9) right after a commit, broker and all; then three starts: after the kill, after a clean
/// shutdown, and without a state folder.
/// </summary>
internal static class RestoreRun
{
    private const string Input = "input";
    private const int Partitions = 4;
    private const int Rounds = 2;
    private const string FilledLine = "filled";

    public static async Task RunAsync(long keys, TextWriter output)
    {
        var folder = Path.Combine(Path.GetTempPath(), "streams-bench-" + Guid.NewGuid().ToString("n"));
        try
        {
            await FillAndKillAsync(folder, keys);
            await StartAsync("after-kill", folder, keys, output);
            await StartAsync("after-close", folder, keys, output);
            Directory.Delete(StateFolder(folder), recursive: true);
            await StartAsync("from-nothing", folder, keys, output);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The process that is killed: counts each key twice, says so once that is committed, and waits for its end.</summary>
    public static async Task FillAsync(string folder, long keys, TextWriter output)
    {
        await using var cluster = EmbeddedCluster.At(Path.Combine(folder, "broker"));
        using var admin = cluster.CreateAdmin("bench");
        await admin.CreateTopicsAsync([new NewTopic(Input, Partitions, -1, new Dictionary<string, string>())], CancellationToken.None);
        Produce(cluster, keys);
        await using var app = Application(cluster, folder, new RestoreTotals());
        await app.StartAsync();
        await CommittedAsync(cluster, app);
        output.WriteLine(FilledLine);
        output.Flush();
        await Task.Delay(Timeout.Infinite);
    }

    private static async Task FillAndKillAsync(string folder, long keys)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(RestoreRun).Assembly.Location);
        foreach (var argument in (string[])["restore", "--fill", folder, "--keys", keys.ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        using var filler = Process.Start(start)!;
        var line = await filler.StandardOutput.ReadLineAsync();
        filler.Kill();
        await filler.WaitForExitAsync();
        if (line != FilledLine) throw new InvalidOperationException($"The process that fills the store ended before it had, with code {filler.ExitCode}.");
    }

    private static async Task StartAsync(string name, string folder, long keys, TextWriter output)
    {
        await using var cluster = EmbeddedCluster.At(Path.Combine(folder, "broker"));
        await cluster.StartAsync();
        var totals = new RestoreTotals();
        await using var app = Application(cluster, folder, totals);
        var running = new TaskCompletionSource();
        app.StateChanged += (_, to) =>
        {
            if (to is KafkaStreamsState.Running or KafkaStreamsState.Error) running.TrySetResult();
        };
        var cpuBefore = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        await app.StartAsync();
        await running.Task;
        if (app.Failure is not null) throw app.Failure;
        var elapsed = Stopwatch.GetElapsedTime(started);
        var cpu = (Environment.CpuUsage.TotalTime - cpuBefore).TotalMicroseconds;
        await CommittedAsync(cluster, app);
        var counted = Count(app);
        if (counted != keys) throw new InvalidOperationException($"{counted} of {keys} keys are there.");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT restore start={name} keys={keys} restored={totals.Records} running_after_s={elapsed.TotalSeconds:F2} restoring_s={totals.Elapsed.TotalSeconds:F2} " +
            $"restored_per_s={(totals.Elapsed > TimeSpan.Zero ? totals.Records / totals.Elapsed.TotalSeconds : 0):F0} cpu_us_per_restored={(totals.Records > 0 ? cpu / totals.Records : 0):F3}"));
    }

    private static long Count(KafkaStreams app)
    {
        var store = app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()));
        var count = 0L;
        foreach (var (key, value) in store.All().AsEnumerable())
        {
            if (value != Rounds) throw new InvalidOperationException($"'{key}' was counted {value} times.");
            count++;
        }

        return count;
    }

    private static KafkaStreams Application(EmbeddedCluster cluster, string folder, RestoreTotals totals)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>(Input).GroupByKey().Count(Materialized.As("counts").WithStoreType(StoreType.RocksDb));
        return new KafkaStreams(builder.Build(), new StreamsConfig
        {
            ApplicationId = "bench",
            Cluster = cluster,
            NumStreamThreads = 2,
            StateDirectory = StateFolder(folder),
            ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
            StateRestoreListener = totals,
        });
    }

    private static string StateFolder(string folder) => Path.Combine(folder, "state");

    private static async Task CommittedAsync(EmbeddedCluster cluster, KafkaStreams app)
    {
        using var admin = cluster.CreateAdmin("bench");
        await using var group = cluster.CreateGroupCoordinator("bench", "bench");
        var inputs = Enumerable.Range(0, Partitions).Select(partition => new TopicPartition(Input, partition)).ToList();
        var ends = await admin.EndOffsetsAsync(inputs, readCommitted: false, CancellationToken.None);
        while (true)
        {
            if (app.Failure is not null) throw app.Failure;
            var committed = await group.FetchOffsetsAsync(inputs, CancellationToken.None);
            if (ends.All(end => committed.TryGetValue(end.Key, out var commit) && commit.Offset == end.Value)) return;
            await Task.Delay(5);
        }
    }

    private static void Produce(EmbeddedCluster cluster, long keys)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "bench" });
        var handle = producer.GetTopic(Input);
        var key = new byte[12];

        // Of now: what is older than a week, the broker deletes.
        var timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (var round = 0; round < Rounds; round++)
        {
            for (var index = 0L; index < keys; index++)
            {
                index.TryFormat(key, out _, "D12", CultureInfo.InvariantCulture);
                producer.Send(handle, (int)(index % Partitions), new OutgoingRecord(key, true, "x"u8, true, timestamp, null));
            }
        }

        producer.Flush(CancellationToken.None);
    }

    private sealed class RestoreTotals : StateRestoreListener
    {
        private readonly Lock _lock = new();
        private long _first;

        public long Records { get; private set; }

        /// <summary>From the first store's begin to the last one's end.</summary>
        public TimeSpan Elapsed { get; private set; }

        public override void OnRestoreStart(in RestoreProgress progress)
        {
            lock (_lock)
            {
                if (_first == 0) _first = Stopwatch.GetTimestamp();
            }
        }

        public override void OnRestoreEnd(in RestoreProgress progress)
        {
            lock (_lock)
            {
                Records += progress.Records;
                Elapsed = Stopwatch.GetElapsedTime(_first);
            }
        }
    }
}
