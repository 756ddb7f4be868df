using System.Text;

namespace Guide.Samples;

/// <summary>Feeds and watches the samples that run on a broker.</summary>
internal static class Topics
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static void Produce(ICluster cluster, string topic, IEnumerable<(string Key, string Value)> records)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "guide" });
        var handle = producer.GetTopic(topic);
        foreach (var (key, value) in records)
        {
            var keyBytes = Encoding.UTF8.GetBytes(key);
            producer.Send(handle, Murmur2.Partition(keyBytes, handle.PartitionCount), new OutgoingRecord(keyBytes, true, Encoding.UTF8.GetBytes(value), true, 1000, null));
        }

        producer.Flush(CancellationToken.None);
    }

    public static Dictionary<string, long> Counts(ICluster cluster, string topic)
    {
        using var admin = cluster.CreateAdmin("guide");
        var partitions = admin.DescribeTopicsAsync([topic], CancellationToken.None).GetAwaiter().GetResult()[topic];
        List<TopicPartition> all = [.. Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition))];
        var open = admin.EndOffsetsAsync(all, readCommitted: false, CancellationToken.None).GetAwaiter().GetResult().Where(end => end.Value > 0).ToDictionary();
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "guide" });
        consumer.Assign([.. open.Keys.Select(partition => new TopicPartitionOffset(partition, 0))]);
        var counts = new Dictionary<string, long>();
        while (open.Count > 0)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(5));
            if (batch is null) continue;
            for (var index = 0; index < batch.Count; index++)
                counts[Serdes.String.Deserialize(batch.Key(index))] = Serdes.Int64.Deserialize(batch.Value(index));
            if (open.TryGetValue(batch.Partition, out var end) && batch.NextOffset >= end) open.Remove(batch.Partition);
        }

        return counts;
    }

    /// <summary>Looks until the application has done its work, keeps what it wrote, and ends it; it ends it too when that takes too long.</summary>
    public static async Task StopWhenAsync(CancellationTokenSource stop, Func<bool> condition, Action<Dictionary<string, long>> keep, ICluster cluster)
    {
        await Task.Yield();
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            timeout.CancelAfter(_patience);
            while (!condition()) await Task.Delay(20, timeout.Token);
            keep(Counts(cluster, "word-counts"));
        }
        finally
        {
            await stop.CancelAsync();
        }
    }
}
