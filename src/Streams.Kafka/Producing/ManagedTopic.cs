using Streams.Core;

namespace Streams.Kafka.Producing;

/// <summary>A topic with a place for what each partition waits for.</summary>
internal sealed class ManagedTopic : ProducerTopic
{
    public ManagedTopic(string name, int partitionCount)
        : base(name, partitionCount)
    {
        Partitions = new ProducerPartition[partitionCount];
        for (var partition = 0; partition < partitionCount; partition++) Partitions[partition] = new ProducerPartition(new TopicPartition(name, partition));
    }

    public ProducerPartition[] Partitions { get; }
}
