using System.Text;
using Streams.Core;

namespace WordCount;

/// <summary>The example's topics, through the same ports that the engine uses.</summary>
internal sealed class Topics(ICluster cluster, string applicationId)
{
    public async Task CreateAsync(int partitions)
    {
        using var admin = cluster.CreateAdmin(applicationId);
        await admin.CreateTopicsAsync(
            [
                new NewTopic(WordCountTopology.Lines, partitions, -1, new Dictionary<string, string>()),
                new NewTopic(WordCountTopology.WordCounts, partitions, -1, new Dictionary<string, string> { ["cleanup.policy"] = "compact" }),
            ],
            CancellationToken.None);
    }

    /// <summary>
    /// Writes the lines, round robin over the partitions. Line number i always goes to partition i modulo their number, so a partition's end
    /// offset says which of its lines are there already: an interrupted run goes on where it stopped, without loss or doubling.
    /// </summary>
    public async Task<(long Written, long AlreadyThere)> ProduceAsync(IEnumerable<string> lines, Action<long> progress, CancellationToken cancellationToken)
    {
        var ends = await EndOffsetsAsync(WordCountTopology.Lines);
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = applicationId + "-lines" });
        var topic = producer.GetTopic(WordCountTopology.Lines);
        var buffer = new byte[1024];
        var number = 0L;
        var written = 0L;
        foreach (var line in lines)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var partition = (int)(number % topic.PartitionCount);
            if (number++ / topic.PartitionCount < ends[new TopicPartition(WordCountTopology.Lines, partition)]) continue;
            var size = Encoding.UTF8.GetMaxByteCount(line.Length);
            if (buffer.Length < size) buffer = new byte[size];
            var length = Encoding.UTF8.GetBytes(line, buffer);
            producer.Send(topic, partition, new OutgoingRecord(default, false, buffer.AsSpan(0, length), true, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), null));
            if (++written % 10_000 == 0) progress(written);
        }

        producer.Flush(cancellationToken);
        progress(written);
        return (written, number - written);
    }

    /// <summary>Whether the application has committed everything that its topics hold.</summary>
    public async Task<bool> IsAllCommittedAsync(CancellationToken cancellationToken)
    {
        var inputs = new List<TopicPartition>();
        using var admin = cluster.CreateAdmin(applicationId);
        var own = (await admin.ListTopicsAsync(cancellationToken)).Where(topic => topic.StartsWith(applicationId + "-", StringComparison.Ordinal) && topic.EndsWith("-repartition", StringComparison.Ordinal)).ToList();
        if (own.Count == 0) return false;
        foreach (var (topic, partitions) in await admin.DescribeTopicsAsync([WordCountTopology.Lines, .. own], cancellationToken))
            inputs.AddRange(Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition)));

        // The lines first: what they become in the repartition topic is written before their offsets are committed.
        await using var group = cluster.CreateGroupCoordinator(applicationId, applicationId);
        var committed = await group.FetchOffsetsAsync(inputs, cancellationToken);
        var ends = await admin.EndOffsetsAsync(inputs, readCommitted: false, cancellationToken);
        return inputs.All(partition => ends[partition] == (committed.TryGetValue(partition, out var commit) ? commit.Offset : 0));
    }

    /// <summary>The last count of every word.</summary>
    public async Task<Dictionary<string, long>> ReadCountsAsync()
    {
        var ends = (await EndOffsetsAsync(WordCountTopology.WordCounts)).Where(end => end.Value > 0).ToDictionary();
        using var consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = applicationId + "-report" });
        var counts = new Dictionary<string, long>();
        if (ends.Count == 0) return counts;
        using var admin = cluster.CreateAdmin(applicationId);
        var begins = await admin.BeginningOffsetsAsync([.. ends.Keys], CancellationToken.None);
        consumer.Assign([.. begins.Select(begin => new TopicPartitionOffset(begin.Key, begin.Value))]);
        foreach (var (partition, begin) in begins)
        {
            if (begin == ends[partition]) ends.Remove(partition);
        }

        while (ends.Count > 0)
        {
            using var batch = consumer.Poll(TimeSpan.FromSeconds(1));
            if (batch is null) continue;
            for (var index = 0; index < batch.Count; index++)
                counts[Serdes.String.Deserialize(batch.Key(index))] = Serdes.Int64.Deserialize(batch.Value(index));
            if (ends.TryGetValue(batch.Partition, out var end) && batch.NextOffset >= end) ends.Remove(batch.Partition);
        }

        return counts;
    }

    private async Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(string topic)
    {
        using var admin = cluster.CreateAdmin(applicationId);
        var partitions = (await admin.DescribeTopicsAsync([topic], CancellationToken.None))[topic];
        return await admin.EndOffsetsAsync([.. Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition))], readCommitted: false, CancellationToken.None);
    }
}
