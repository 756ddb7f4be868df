using System.Text;
using Streams.Core;

namespace Streams.Tests.Shared;

/// <summary>Topics of a cluster, through the same ports that the engine uses.</summary>
internal static class TestTopics
{
    public static async Task CreateAsync(ICluster cluster, string topic, int partitions)
    {
        using var admin = cluster.CreateAdmin("test");

        // Tests write records of some years ago, which the default retention would delete as soon as the broker looks.
        await admin.CreateTopicsAsync([new NewTopic(topic, partitions, 1, new Dictionary<string, string> { ["retention.ms"] = "-1" })], CancellationToken.None);
    }

    public static void Produce(ICluster cluster, string topic, IEnumerable<(string Key, string Value)> records)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        var handle = producer.GetTopic(topic);
        var timestamp = 1_700_000_000_000L;
        foreach (var (key, value) in records)
        {
            var keyBytes = Encoding.UTF8.GetBytes(key);
            producer.Send(
                handle,
                Murmur2.Partition(keyBytes, handle.PartitionCount),
                new OutgoingRecord(keyBytes, true, Encoding.UTF8.GetBytes(value), true, timestamp++, null));
        }

        producer.Flush(CancellationToken.None);
    }

    public static IReadOnlyList<(string Key, string Value)> ReadAll(ICluster cluster, string topic) =>
        [.. ReadRaw(cluster, topic).Select(record => (Encoding.UTF8.GetString(record.Key!), Encoding.UTF8.GetString(record.Value!)))];

    /// <summary>Every record of a topic, partition by partition; null for absent keys and values.</summary>
    public static IReadOnlyList<(byte[]? Key, byte[]? Value, long Timestamp)> ReadRaw(ICluster cluster, string topic, bool readCommitted = false)
    {
        var ends = Offsets(cluster, topic, end: true);
        var begins = Offsets(cluster, topic, end: false);
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test-reader", ReadCommitted = readCommitted });
        var open = ends.Where(entry => entry.Value > begins[entry.Key]).ToDictionary();
        consumer.Assign([.. open.Select(entry => new TopicPartitionOffset(entry.Key, begins[entry.Key]))]);
        var records = new List<(byte[]?, byte[]?, long)>();
        while (open.Count > 0)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(5));
            if (batch is null) continue;
            for (var index = 0; index < batch.Count; index++)
            {
                records.Add((
                    batch[index].HasKey ? batch.Key(index).ToArray() : null,
                    batch[index].HasValue ? batch.Value(index).ToArray() : null,
                    batch[index].Timestamp));
            }

            if (open.TryGetValue(batch.Partition, out var end) && batch.NextOffset >= end) open.Remove(batch.Partition);
        }

        return records;
    }

    /// <summary>What readers of committed records see, with headers; waits until transactions that are open at the call have ended.</summary>
    public static IReadOnlyList<(string? Key, string? Value, Headers Headers)> ReadCommitted(ICluster cluster, string topic)
    {
        var open = Offsets(cluster, topic, end: true).Where(entry => entry.Value > 0).ToDictionary();
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "test-reader", ReadCommitted = true });
        consumer.Assign([.. open.Select(entry => new TopicPartitionOffset(entry.Key, 0))]);
        var records = new List<(string?, string?, Headers)>();
        while (open.Count > 0)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(5));
            if (batch is null) continue;
            for (var index = 0; index < batch.Count; index++)
            {
                records.Add((
                    batch[index].HasKey ? Encoding.UTF8.GetString(batch.Key(index)) : null,
                    batch[index].HasValue ? Encoding.UTF8.GetString(batch.Value(index)) : null,
                    batch.Headers(index) ?? Headers.Empty));
            }

            if (open.TryGetValue(batch.Partition, out var end) && batch.NextOffset >= end) open.Remove(batch.Partition);
        }

        return records;
    }

    public static async Task WaitForCountAsync(ICluster cluster, string topic, long count, TimeSpan patience) =>
        await WaitUntilAsync(() => Offsets(cluster, topic, end: true).Values.Sum() >= count, patience);

    /// <summary>Looks again and again: what is waited for happens on other threads that have no event to offer.</summary>
    public static async Task WaitUntilAsync(Func<bool> condition, TimeSpan patience)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!condition()) await Task.Delay(10, timeout.Token);
    }

    public static IReadOnlyDictionary<TopicPartition, long> Offsets(ICluster cluster, string topic, bool end)
    {
        using var admin = cluster.CreateAdmin("test");
        var partitions = admin.DescribeTopicsAsync([topic], CancellationToken.None).GetAwaiter().GetResult()[topic];
        var all = Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition)).ToList();
        return end
            ? admin.EndOffsetsAsync(all, readCommitted: false, CancellationToken.None).GetAwaiter().GetResult()
            : admin.BeginningOffsetsAsync(all, CancellationToken.None).GetAwaiter().GetResult();
    }
}
