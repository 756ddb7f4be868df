using System.Globalization;
using Broker.Lite.Host.Client;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Host.Commands;

/// <summary>How fast a broker takes and gives records.</summary>
internal static class PerfCommands
{
    private const int MaxBatchBytes = 1024 * 1024;

    public static IEnumerable<ToolCommand> All =>
    [
        new("perf produce", """
            Measure how fast records are taken.
              --topic NAME  --records N (default 1000000)  --record-size BYTES (default 100)  --batch-size BYTES (default 65536)  --in-flight N (default 5)  --acks 1|-1 (default -1)
            """, ["--topic", "--records", "--record-size", "--batch-size", "--in-flight", "--acks"], [], ProduceAsync),
        new("perf consume", "Measure how fast records are given.\n  --topic NAME  --records N (default: all there are)  --fetch-size BYTES (default 1048576)", ["--topic", "--records", "--fetch-size"], [], ConsumeAsync),
    ];

    private static async Task ProduceAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        var total = tool.Arguments.Number("--records", 1_000_000, 1);
        var size = (int)tool.Arguments.Number("--record-size", 100, 1, MaxBatchBytes / 2);
        var batchBytes = (int)tool.Arguments.Number("--batch-size", 65_536, 1024, MaxBatchBytes);
        var inFlight = (int)tool.Arguments.Number("--in-flight", 5, 1, 64);
        var acks = (short)tool.Arguments.Number("--acks", -1, -1, 1);
        if (acks == 0)
            throw new ToolException("--acks 0 has no answers to measure");
        var topic = await tool.Cluster.TopicAsync(name, cancellationToken).ConfigureAwait(false);
        var value = new byte[size];
        new Random(1).NextBytes(value);

        var started = tool.Time.GetTimestamp();
        var pending = new Queue<Task<double>>();
        var latencies = new List<double>();
        var sent = 0L;
        for (var turn = 0; sent < total; turn++)
        {
            var partition = topic.Partitions[turn % topic.Partitions.Count];
            var leader = await tool.Cluster.NodeAsync(partition.LeaderId, cancellationToken).ConfigureAwait(false);
            using var builder = new RecordBatchBuilder(new RecordBatchOptions { MaxBytes = batchBytes + size + 1024 });
            var now = tool.Time.GetUtcNow().ToUnixTimeMilliseconds();
            while (sent < total && builder.UncompressedBytes < batchBytes && builder.TryAppend(now, NullableBytes.Null, value))
                sent++;
            pending.Enqueue(SendAsync(tool.Time, leader, topic, partition.PartitionIndex, builder.Build().ToArray(), acks, cancellationToken));
            if (pending.Count >= inFlight)
                latencies.Add(await pending.Dequeue().ConfigureAwait(false));
        }

        while (pending.TryDequeue(out var last))
            latencies.Add(await last.ConfigureAwait(false));
        var seconds = tool.Time.GetElapsedTime(started).TotalSeconds;
        latencies.Sort();
        await tool.Output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{sent} records of {size} bytes in {seconds:0.00} s: {sent / seconds:0} records/s, {sent * size / seconds / 1048576:0.0} MiB/s; per batch {latencies.Average():0.00} ms mean, {latencies[latencies.Count / 2]:0.00} ms median, {latencies[(int)(latencies.Count * 0.99)]:0.00} ms p99")).ConfigureAwait(false);
    }

    private static async Task<double> SendAsync(
        TimeProvider time, WireConnection leader, MetadataResponse.MetadataResponseTopic topic, int partition, byte[] batch, short acks, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var answer = await leader.SendAsync(_ => RecordCommands.Request(topic.Name!, partition, batch, acks), cancellationToken).ConfigureAwait(false);
        var result = answer.Responses[0].PartitionResponses[0];
        ClusterClient.Check(result.ErrorCode, result.ErrorMessage, $"Partition {partition}");
        return time.GetElapsedTime(began).TotalMilliseconds;
    }

    private static async Task ConsumeAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        var fetchBytes = (int)tool.Arguments.Number("--fetch-size", 1_048_576, 1024, 50 * 1024 * 1024);
        var topic = await tool.Cluster.TopicAsync(name, cancellationToken).ConfigureAwait(false);
        var partitions = topic.Partitions.Select(partition => new TopicPartitionName(name, partition.PartitionIndex)).ToList();
        var positions = await tool.Cluster.OffsetsAsync(partitions, -2, cancellationToken).ConfigureAwait(false);
        var ends = await tool.Cluster.OffsetsAsync(partitions, -1, cancellationToken).ConfigureAwait(false);
        var wanted = tool.Arguments.Number("--records", long.MaxValue, 1);
        var (count, bytes) = (0L, 0L);
        var started = tool.Time.GetTimestamp();
        while (count < wanted && partitions.Exists(partition => positions[partition] < ends[partition]))
        {
            foreach (var partition in partitions.Where(partition => positions[partition] < ends[partition]))
            {
                var batches = await RecordCommands.FetchAsync(tool.Cluster, topic, partition, positions[partition], fetchBytes, maxWaitMs: 100, readCommitted: false, cancellationToken).ConfigureAwait(false);
                bytes += batches.Length;
                var (next, records) = Count(batches.Span, positions[partition]);
                positions[partition] = batches.IsEmpty ? ends[partition] : next;
                count += records;
            }
        }

        var seconds = tool.Time.GetElapsedTime(started).TotalSeconds;
        await tool.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{count} records, {bytes} bytes in {seconds:0.00} s: {count / seconds:0} records/s, {bytes / seconds / 1048576:0.0} MiB/s")).ConfigureAwait(false);
    }

    private static (long Next, long Records) Count(ReadOnlySpan<byte> batches, long position)
    {
        var records = 0L;
        while (RecordBatchView.TryRead(batches, out var batch) == RecordBatchStatus.Valid)
        {
            position = batch.Header.LastOffset + 1;
            records += batch.Header.RecordCount;
            batches = batches[batch.Bytes.Length..];
        }

        return (position, records);
    }
}
