namespace Streams.Core;

/// <summary>Where records leave the graph: serialises them and hands them to the producer.</summary>
internal sealed class SinkNode<K, V> : Processor<K, V>
{
    /// <summary>A null-keyed record may go anywhere; staying on one partition for a while makes fuller batches (KIP-480).</summary>
    private const int RecordsPerStickyPartition = 128;

    private readonly string? _topicName;
    private readonly SinkOptions<K, V> _options;
    private readonly IPartitionKeySerializer? _partitionKey;
    private readonly RecordCollector _collector;
    private readonly Dictionary<string, ProducerTopic> _dynamicTopics = [];
    private readonly Dictionary<string, SinkMetrics> _metricsByTopic = [];
    private ProducerTopic? _topic;
    private ProducerTopic? _measuredTopic;
    private SinkMetrics? _metrics;
    private TaskMetrics? _task;
    private int _keylessRecords;

    public SinkNode(string? topic, SinkOptions<K, V> options, RecordCollector collector)
    {
        _topicName = topic;
        _options = options;
        _partitionKey = options.KeySerializer as IPartitionKeySerializer;
        _collector = collector;
    }

    public override void Process(in Record<K, V> record)
    {
        if (record.Timestamp < 0)
            throw new ProductionException($"Sink '{NodeName}' got a record with timestamp {record.Timestamp}; records are written with a timestamp of 0 or more (Unix milliseconds).");
        var topic = _topicName is null ? ChooseTopic(in record) : _topic ??= _collector.GetTopic(_topicName, NodeName);

        var key = _collector.KeyBuffer;
        var value = _collector.ValueBuffer;
        key.Clear();
        value.Clear();
        try
        {
            if (record.HasKey) _options.KeySerializer.Serialize(record.Key, key);
            if (record.HasValue) _options.ValueSerializer.Serialize(record.Value, value);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            RecordCollector.HandleSerializationFailure(this, topic.Name, record.Timestamp, record.HeadersOrNull, failure);
            return;
        }

        var partition = ChoosePartition(topic, in record, key.WrittenSpan);
        Measure(topic, record.Timestamp, key.WrittenSpan.Length + value.WrittenSpan.Length);
        if (Tracing.IsOn) SendTraced(topic, partition, in record);
        else _collector.Send(this, topic, partition, new OutgoingRecord(key.WrittenSpan, record.HasKey, value.WrittenSpan, record.HasValue, record.Timestamp, record.HeadersOrNull));
    }

    protected override void Init() => _task = Context.Task.Metrics;

    private void Measure(ProducerTopic topic, long timestamp, int bytes)
    {
        // A sink that chooses its topic per record has numbers per topic; how many topics there are is the user's choice, as for the producer.
        if (!ReferenceEquals(topic, _measuredTopic))
        {
            if (!_metricsByTopic.TryGetValue(topic.Name, out _metrics))
            {
                _metrics = _task!.AddSink(NodeName, topic.Name);
                _metricsByTopic.Add(topic.Name, _metrics);
            }

            _measuredTopic = topic;
        }

        _metrics!.Produced(bytes, _task!.NowMs - timestamp);
    }

    private void SendTraced(ProducerTopic topic, int partition, in Record<K, V> record)
    {
        using var activity = Tracing.StartSend(topic.Name, partition, NodeName);
        var key = _collector.KeyBuffer.WrittenSpan;
        var value = _collector.ValueBuffer.WrittenSpan;
        _collector.Send(this, topic, partition, new OutgoingRecord(key, record.HasKey, value, record.HasValue, record.Timestamp, Tracing.Inject(record.HeadersOrNull)));
    }

    private int ChoosePartition(ProducerTopic topic, in Record<K, V> record, ReadOnlySpan<byte> key)
    {
        var count = topic.PartitionCount;
        if (_options.Partitioner?.Invoke(topic.Name, in record, count) is { } chosen)
        {
            if ((uint)chosen >= (uint)count)
                throw new ProductionException($"The partitioner of sink '{NodeName}' chose partition {chosen} of topic '{topic.Name}', which has {count} (0 to {count - 1}).");
            return chosen;
        }

        if (count == 1) return 0;
        if (!record.HasKey) return (int)((uint)_keylessRecords++ / RecordsPerStickyPartition % (uint)count);
        return Murmur2.Partition(_partitionKey is null ? key : _partitionKey.PartitionKey(key), count);
    }

    private ProducerTopic ChooseTopic(in Record<K, V> record)
    {
        var name = _options.TopicExtractor!(in record, Context.RecordMetadata)
            ?? throw new ProductionException($"The topic extractor of sink '{NodeName}' returned null; it must name a topic for every record.");
        if (_dynamicTopics.TryGetValue(name, out var topic)) return topic;
        topic = _collector.GetTopic(name, NodeName);
        _dynamicTopics.Add(name, topic);
        return topic;
    }
}
