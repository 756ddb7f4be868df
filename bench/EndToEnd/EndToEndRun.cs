using System.Diagnostics;
using System.Globalization;
using Bench.Engine;
using Streams.Core;
using Streams.Dsl;

namespace Bench.EndToEnd;

/// <summary>Runs a whole application against a broker until it has committed everything that was there at start.</summary>
internal static class EndToEndRun
{
    public static readonly IReadOnlyList<string> Scenarios = ["stateless", "count-memory", "count-rocksdb"];

    public static async Task RunAsync(string scenario, ProcessingGuarantee guarantee, string? bootstrapServers, string? client, long warmUp, long records, int partitions, int threads, TextWriter output)
    {
        var folder = Path.Combine(Path.GetTempPath(), "streams-bench-" + Guid.NewGuid().ToString("n"));
        try
        {
            await using var cluster = BenchCluster.Open(bootstrapServers, client, folder);
            await RunAsync(scenario, guarantee, cluster, bootstrapServers is null ? "embedded" : "tcp-" + (client ?? "confluent"), warmUp, records, partitions, threads, folder, output);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string scenario, ProcessingGuarantee guarantee, ICluster cluster, string kind, long warmUp, long records, int partitions, int threads, string folder, TextWriter output)
    {
        var run = "bench-" + Guid.NewGuid().ToString("n")[..8];
        var input = run + "-input";
        using var admin = cluster.CreateAdmin(run);
        var none = new Dictionary<string, string>();
        await admin.CreateTopicsAsync([new NewTopic(input, partitions, -1, none), new NewTopic(run + "-output", partitions, -1, none)], CancellationToken.None);
        Produce(cluster, input, warmUp + records);

        await using var app = new KafkaStreams(Build(scenario, input, run + "-output"), new StreamsConfig
        {
            ApplicationId = run,
            Cluster = cluster,
            NumStreamThreads = threads,
            StateDirectory = Path.Combine(folder, "state"),
            ProcessingGuarantee = guarantee,

            // Exactly-once with its default of 100 ms.
            CommitInterval = TimeSpan.FromMilliseconds(guarantee == ProcessingGuarantee.ExactlyOnce ? 100 : 1000),
        });
        var inputs = Enumerable.Range(0, partitions).Select(partition => new TopicPartition(input, partition)).ToList();
        var ends = await admin.EndOffsetsAsync(inputs, readCommitted: false, CancellationToken.None);
        await using var group = cluster.CreateGroupCoordinator(run, run);
        var running = new TaskCompletionSource();
        app.StateChanged += (_, to) =>
        {
            if (to is KafkaStreamsState.Running or KafkaStreamsState.Error) running.TrySetResult();
        };

        // The clock runs from the moment the tasks are assigned: joining the group is not what is measured. The first records are measured on their own: while the
        // compiler is at work, it has one of two processors.
        await app.StartAsync();
        await running.Task;
        var first = warmUp == 0 ? default : await MeasureAsync(app, warmUp);
        var measured = await MeasureAsync(app, warmUp + records);
        while (true)
        {
            var committed = await group.FetchOffsetsAsync(inputs, CancellationToken.None);
            if (ends.All(end => committed.TryGetValue(end.Key, out var commit) && commit.Offset == end.Value)) break;
            await Task.Delay(5);
        }

        var untilCommitted = Stopwatch.GetElapsedTime(measured.Started);
        var ofFirst = warmUp == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $" first={warmUp} first_records_per_s={first.PerSecond:F0} first_process_cpu_us_per_record={first.CpuMicroseconds / first.Records:F4}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT scenario=e2e-{scenario} cluster={kind} guarantee={guarantee} records={records} partitions={partitions} threads={threads} records_per_s={measured.PerSecond:F0} " +
            $"committed_after_s={untilCommitted.TotalSeconds:F2} process_cpu_us_per_record={measured.CpuMicroseconds / measured.Records:F4} " +
            $"bytes_per_record={(double)measured.AllocatedBytes / measured.Records:F1}{ofFirst}"));
    }

    private static async Task<Phase> MeasureAsync(KafkaStreams app, long until)
    {
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        var cpuBefore = Environment.CpuUsage.TotalTime;
        var processedBefore = app.ProcessedRecords;
        var started = Stopwatch.GetTimestamp();
        while (app.ProcessedRecords < until)
        {
            if (app.Failure is not null) throw app.Failure;
            await Task.Delay(5);
        }

        return new Phase(
            app.ProcessedRecords - processedBefore,
            started,
            Stopwatch.GetElapsedTime(started),
            (Environment.CpuUsage.TotalTime - cpuBefore).TotalMicroseconds,
            GC.GetTotalAllocatedBytes() - allocatedBefore);
    }

    private static Topology Build(string scenario, string input, string output)
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>(input);
        if (scenario == "stateless")
        {
            stream.Filter((key, _) => key[^1] != '7').MapValues(UpperCase.Of).To(output);
            return builder.Build();
        }

        stream.GroupByKey()
            .Count(Materialized.As("counts").WithStoreType(scenario == "count-memory" ? StoreType.InMemory : StoreType.RocksDb))
            .ToStream()
            .To(output);
        return builder.Build();
    }

    private static void Produce(ICluster cluster, string topic, long records)
    {
        var shape = new CountScenario(StoreType.InMemory);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "bench" });
        var handle = producer.GetTopic(topic);
        var key = new byte[shape.KeyBytes];
        var value = new byte[shape.ValueBytes];
        var timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - (records / 100);
        for (var index = 0L; index < records; index++)
        {
            shape.WriteKey(index, key);
            shape.WriteValue(index, value);
            producer.Send(handle, Murmur2.Partition(key, handle.PartitionCount), new OutgoingRecord(key, true, value, true, timestamp + (index / 100), null));
        }

        producer.Flush(CancellationToken.None);
    }

    private readonly record struct Phase(long Records, long Started, TimeSpan Elapsed, double CpuMicroseconds, long AllocatedBytes)
    {
        public double PerSecond => Records / Elapsed.TotalSeconds;
    }
}
