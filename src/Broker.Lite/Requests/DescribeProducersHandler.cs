using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeProducers (61): the idempotent producers that partitions remember, and their open transactions (KIP-664).</summary>
internal sealed class DescribeProducersHandler(BrokerState broker) : RequestHandler<DescribeProducersRequest, DescribeProducersResponse>(0, 0)
{
    protected override ValueTask<DescribeProducersResponse?> HandleAsync(
        DescribeProducersRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        return ValueTask.FromResult<DescribeProducersResponse?>(new DescribeProducersResponse
        {
            Topics = request.Topics.ConvertAll(topic => new DescribeProducersResponse.TopicResponse
            {
                Name = topic.Name,
                Partitions = topic.PartitionIndexes.ConvertAll(index => Describe(index, view.Find(topic.Name, index))),
            }),
        });
    }

    private static DescribeProducersResponse.PartitionResponse Describe(int index, Partition? partition)
    {
        if (partition is null)
            return new() { PartitionIndex = index, ErrorCode = ErrorCode.UnknownTopicOrPartition, ErrorMessage = "There is no such partition" };
        return new()
        {
            PartitionIndex = index,
            ErrorMessage = null,
            ActiveProducers =
            [
                .. partition.DescribeProducers().Select(producer => new DescribeProducersResponse.ProducerState
                {
                    ProducerId = producer.ProducerId,
                    ProducerEpoch = producer.ProducerEpoch,
                    LastSequence = producer.LastSequence,
                    LastTimestamp = producer.LastTimestamp,
                    CoordinatorEpoch = producer.CoordinatorEpoch,
                    CurrentTxnStartOffset = producer.CurrentTransactionStartOffset,
                }),
            ],
        };
    }
}
