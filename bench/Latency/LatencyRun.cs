using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Streams.Core;
using Streams.Dsl;

namespace Bench.Latency;

/// <summary>How old a record is when a consumer has what a stateless application made of it, at a rate that keeps nobody busy. At least once, default settings.</summary>
internal static class LatencyRun
{
    private const int ValueBytes = 100;
    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(string? bootstrapServers, string? client, int rate, int seconds, TextWriter output)
    {
        var folder = Path.Combine(Path.GetTempPath(), "streams-bench-" + Guid.NewGuid().ToString("n"));
        try
        {
            await using var cluster = BenchCluster.Open(bootstrapServers, client, folder);
            await RunAsync(cluster, bootstrapServers is null ? "embedded" : "tcp-" + (client ?? "confluent"), folder, rate, seconds, output);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(ICluster cluster, string kind, string folder, int rate, int seconds, TextWriter output)
    {
        var run = "bench-" + Guid.NewGuid().ToString("n")[..8];
        using var admin = cluster.CreateAdmin(run);
        var none = new Dictionary<string, string>();
        await admin.CreateTopicsAsync([new NewTopic(run + "-input", 4, -1, none), new NewTopic(run + "-output", 4, -1, none)], CancellationToken.None);
        var builder = new StreamsBuilder();
        builder.Stream<string, byte[]>(run + "-input").MapValues(value => value).To(run + "-output");
        await using var app = new KafkaStreams(builder.Build(), new StreamsConfig { ApplicationId = run, Cluster = cluster, StateDirectory = Path.Combine(folder, "state") });
        var running = new TaskCompletionSource();
        app.StateChanged += (_, to) =>
        {
            if (to is KafkaStreamsState.Running or KafkaStreamsState.Error) running.TrySetResult();
        };
        await app.StartAsync();
        await running.Task;
        var warmUp = (int)(_warmUp.TotalSeconds * rate);
        var latencies = new long[warmUp + (rate * seconds)];
        var reader = Task.Factory.StartNew(() => Read(cluster, run + "-output", latencies), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var cpuBefore = Environment.CpuUsage.TotalTime;
        await Task.Factory.StartNew(() => Write(cluster, run + "-input", rate, latencies.Length), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await reader;
        var cpu = Environment.CpuUsage.TotalTime - cpuBefore;
        if (app.Failure is not null) throw app.Failure;
        var counted = latencies[warmUp..];
        Array.Sort(counted);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT latency cluster={kind} rate={rate} records={counted.Length} p50_ms={At(counted, 0.5):F2} p95_ms={At(counted, 0.95):F2} p99_ms={At(counted, 0.99):F2} p999_ms={At(counted, 0.999):F2} max_ms={At(counted, 1):F2} " +
            $"process_cpu_percent={cpu.TotalSeconds * 100 / (seconds + _warmUp.TotalSeconds):F1}"));
    }

    private static double At(long[] sorted, double share) => Stopwatch.GetElapsedTime(0, sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))]).TotalMilliseconds;

    // Each record has its moment. One that is late because the producer took its time is as old as its moment, or waiting would hide what it waits for; that a sleep
    // ends late is nobody's fault but the clock's.
    private static void Write(ICluster cluster, string topic, int rate, int records)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "bench-latency", Linger = TimeSpan.Zero });
        var handle = producer.GetTopic(topic);
        var key = new byte[8];
        var value = new byte[ValueBytes];
        var started = Stopwatch.GetTimestamp();
        for (var index = 0; index < records; index++)
        {
            var due = started + (long)((double)index / rate * Stopwatch.Frequency);
            var born = due;
            while (Stopwatch.GetTimestamp() < due)
            {
                Thread.Sleep(1);
                born = Stopwatch.GetTimestamp();
            }

            BinaryPrimitives.WriteInt64BigEndian(key, index);
            BinaryPrimitives.WriteInt32BigEndian(value, index);
            BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(4), born);
            producer.Send(handle, index % handle.PartitionCount, new OutgoingRecord(key, true, value, true, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), null));
            producer.SendPending();
        }

        producer.Flush(CancellationToken.None);
    }

    private static void Read(ICluster cluster, string topic, long[] latencies)
    {
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "bench-latency" });
        consumer.Assign([.. Enumerable.Range(0, 4).Select(partition => new TopicPartitionOffset(new TopicPartition(topic, partition), 0))]);
        for (var seen = 0; seen < latencies.Length;)
        {
            using var batch = consumer.Poll(TimeSpan.FromMilliseconds(100));
            if (batch is null) continue;
            var now = Stopwatch.GetTimestamp();
            for (var index = 0; index < batch.Count; index++)
            {
                var value = batch.Value(index);
                latencies[BinaryPrimitives.ReadInt32BigEndian(value)] = now - BinaryPrimitives.ReadInt64BigEndian(value[4..]);
                seen++;
            }
        }
    }
}
