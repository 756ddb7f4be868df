using Confluent.Kafka;
using Streams.Core;

namespace Streams.Kafka.Librdkafka;

/// <summary>A topic with a place for each partition's deliveries.</summary>
internal sealed class KafkaTopic : ProducerTopic
{
    public KafkaTopic(string name, int partitionCount, KafkaRecordProducer producer)
        : base(name, partitionCount)
    {
        Partitions = new PartitionDeliveries[partitionCount];
        for (var partition = 0; partition < partitionCount; partition++) Partitions[partition] = new PartitionDeliveries(name, partition, producer);
    }

    public PartitionDeliveries[] Partitions { get; }
}

/// <summary>What the broker has said about the records of one partition.</summary>
/// <remarks>
/// Reports come on Confluent.Kafka's polling thread and, during a flush, on the flushing thread at the same time.
/// </remarks>
internal sealed class PartitionDeliveries
{
    private readonly KafkaRecordProducer _producer;
    private long _lastOffset = -1;

    public PartitionDeliveries(string topic, int partition, KafkaRecordProducer producer)
    {
        _producer = producer;
        ConfluentPartition = new Confluent.Kafka.TopicPartition(topic, partition);

        // Made once: a delegate per record would be garbage.
        Handler = Handle;
    }

    public Confluent.Kafka.TopicPartition ConfluentPartition { get; }

    public Action<DeliveryReport<byte[]?, byte[]?>> Handler { get; }

    /// <summary>Offset of the last acknowledged record; -1 for none.</summary>
    public long LastOffset => Interlocked.Read(ref _lastOffset);

    private void Handle(DeliveryReport<byte[]?, byte[]?> report)
    {
        if (report.Error.IsError)
        {
            _producer.Failed(ConfluentPartition, report.Error);
        }
        else
        {
            var offset = report.Offset.Value;
            for (var last = LastOffset; offset > last; last = LastOffset)
            {
                if (Interlocked.CompareExchange(ref _lastOffset, offset, last) == last) break;
            }
        }

        _producer.Delivered();
    }
}
