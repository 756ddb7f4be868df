using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Kafka.Producing;

/// <summary>One request with the heads of several partitions of one leader.</summary>
internal sealed class ProduceCall(BrokerLane lane)
{
    private const short AcksAll = -1;

    public BrokerLane Lane => lane;

    public List<ProducerPartition> Partitions { get; } = [];

    /// <summary>Bytes of the batches, before compression.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether its answer has come, or will not.</summary>
    public bool IsEnded { get; set; }

    public void Add(ProducerPartition partition)
    {
        Partitions.Add(partition);
        Bytes += partition.Head!.BufferedBytes;
    }

    /// <summary>The request, when all its batches are built.</summary>
    public ProduceRequest ToRequest(string? transactionalId, int timeoutMs)
    {
        var request = new ProduceRequest { TransactionalId = transactionalId, Acks = AcksAll, TimeoutMs = timeoutMs };
        ProduceRequest.TopicProduceData? topic = null;
        foreach (var partition in Partitions)
        {
            if (topic?.Name != partition.Id.Topic)
            {
                topic = request.TopicData.Find(other => other.Name == partition.Id.Topic);
                if (topic is null) request.TopicData.Add(topic = new ProduceRequest.TopicProduceData { Name = partition.Id.Topic });
            }

            topic.PartitionData.Add(new ProduceRequest.PartitionProduceData { Index = partition.Id.Partition, Records = partition.Head!.Bytes });
        }

        return request;
    }

    /// <summary>What the answer says of each partition of the request; partitions that nobody asked about do not count.</summary>
    public static Dictionary<TopicPartition, ProduceResponse.PartitionProduceResponse> ByPartition(ProduceResponse answer)
    {
        var found = new Dictionary<TopicPartition, ProduceResponse.PartitionProduceResponse>();
        foreach (var topic in answer.Responses)
        {
            foreach (var partition in topic.PartitionResponses) found[new TopicPartition(topic.Name, partition.Index)] = partition;
        }

        return found;
    }
}
