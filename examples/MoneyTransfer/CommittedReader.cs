using Streams.Core;

namespace MoneyTransfer;

/// <summary>Reads a topic from its beginning, committed records only, and knows when it is at the end.</summary>
internal sealed class CommittedReader<V> : IDisposable
{
    private readonly ICluster _cluster;
    private readonly string _topic;
    private readonly IDeserializer<V> _values;
    private readonly IRecordConsumer _consumer;
    private readonly Dictionary<TopicPartition, long> _positions = [];

    public CommittedReader(ICluster cluster, string topic, IDeserializer<V> values)
    {
        _cluster = cluster;
        _topic = topic;
        _values = values;
        _consumer = cluster.CreateConsumer(new ConsumerOptions { ClientId = "reader-" + topic, ReadCommitted = true });
    }

    /// <summary>Gives out what there is, up to the end of the topic as it is now.</summary>
    public async Task ReadToEndAsync(Action<string, V> read, CancellationToken cancellationToken)
    {
        using var admin = _cluster.CreateAdmin("reader-" + _topic);
        if (_positions.Count == 0)
        {
            var partitions = (await admin.DescribeTopicsAsync([_topic], cancellationToken))[_topic];
            foreach (var partition in Enumerable.Range(0, partitions)) _positions[new TopicPartition(_topic, partition)] = 0;
            _consumer.Assign([.. _positions.Keys.Select(partition => new TopicPartitionOffset(partition, 0))]);
        }

        var ends = await admin.EndOffsetsAsync(_positions.Keys, readCommitted: true, cancellationToken);
        while (_positions.Any(position => position.Value < ends[position.Key]))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var batch = _consumer.Poll(TimeSpan.FromMilliseconds(100));
            if (batch is null) continue;
            for (var index = 0; index < batch.Count; index++) read(Serdes.String.Deserialize(batch.Key(index)), _values.Deserialize(batch.Value(index)));
            _positions[batch.Partition] = batch.NextOffset;
        }
    }

    public void Dispose() => _consumer.Dispose();
}
