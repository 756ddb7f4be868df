using System.Diagnostics;
using System.Globalization;
using Bench.Engine;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;
using Streams.Kafka;

namespace Bench.EndToEnd;

/// <summary>Runs a whole application against a broker until it has committed everything that was there at start.</summary>
internal static class EndToEndRun
{
    public static readonly IReadOnlyList<string> Scenarios = ["stateless", "count-memory", "count-rocksdb"];

    public static async Task RunAsync(string scenario, ProcessingGuarantee guarantee, string? bootstrapServers, long records, int partitions, int threads, TextWriter output)
    {
        var folder = Path.Combine(Path.GetTempPath(), "streams-bench-" + Guid.NewGuid().ToString("n"));
        try
        {
            await using ICluster cluster = bootstrapServers is null ? EmbeddedCluster.At(Path.Combine(folder, "broker")) : new KafkaCluster(bootstrapServers);
            await RunAsync(scenario, guarantee, cluster, bootstrapServers is null ? "embedded" : "tcp", records, partitions, threads, folder, output);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string scenario, ProcessingGuarantee guarantee, ICluster cluster, string kind, long records, int partitions, int threads, string folder, TextWriter output)
    {
        var run = "bench-" + Guid.NewGuid().ToString("n")[..8];
        var input = run + "-input";
        using var admin = cluster.CreateAdmin(run);
        var none = new Dictionary<string, string>();
        await admin.CreateTopicsAsync([new NewTopic(input, partitions, -1, none), new NewTopic(run + "-output", partitions, -1, none)], CancellationToken.None);
        Produce(cluster, input, records);

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

        // The clock runs from the moment the tasks are assigned: joining the group is not what is measured.
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        await app.StartAsync();
        await running.Task;
        var cpuBefore = Environment.CpuUsage.TotalTime;
        var processedBefore = app.ProcessedRecords;
        var started = Stopwatch.GetTimestamp();
        while (app.ProcessedRecords < records)
        {
            if (app.Failure is not null) throw app.Failure;
            await Task.Delay(5);
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        var measured = records - processedBefore;
        var cpu = (Environment.CpuUsage.TotalTime - cpuBefore).TotalMicroseconds;
        var allocated = GC.GetTotalAllocatedBytes() - allocatedBefore;
        while (true)
        {
            var committed = await group.FetchOffsetsAsync(inputs, CancellationToken.None);
            if (ends.All(end => committed.TryGetValue(end.Key, out var commit) && commit.Offset == end.Value)) break;
            await Task.Delay(5);
        }

        var untilCommitted = Stopwatch.GetElapsedTime(started);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT scenario=e2e-{scenario} cluster={kind} guarantee={guarantee} records={measured} partitions={partitions} threads={threads} records_per_s={measured / elapsed.TotalSeconds:F0} " +
            $"committed_after_s={untilCommitted.TotalSeconds:F2} process_cpu_us_per_record={cpu / measured:F4} bytes_per_record={(double)allocated / measured:F1}"));
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
}
