using Broker.Lite.Coordination;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>AddPartitionsToTxn (24): take partitions into a producer's transaction, all of them or none.</summary>
/// <remarks>
/// v2: PRODUCER_FENCED, for which older versions have INVALID_PRODUCER_EPOCH (KIP-588). v4 and later are sent by brokers to each other
/// (KIP-890) and have no use here. If one partition does not exist, the others are OPERATION_NOT_ATTEMPTED.
/// </remarks>
internal sealed class AddPartitionsToTxnHandler(BrokerState broker) : RequestHandler<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(0, 3)
{
    protected override async ValueTask<AddPartitionsToTxnResponse?> HandleAsync(
        AddPartitionsToTxnRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var partitions = new HashSet<OffsetPartition>();
        var response = new AddPartitionsToTxnResponse();
        var isRefused = false;
        foreach (var topic in request.V3AndBelowTopics)
        {
            response.ResultsByTopicV3AndBelow.Add(new()
            {
                Name = topic.Name,
                ResultsByPartition = topic.Partitions.ConvertAll(partition =>
                {
                    partitions.Add(new OffsetPartition(topic.Name, partition));
                    // Only the broker writes to its own topics: offsets get into a transaction with AddOffsetsToTxn.
                    var error = TopicName.IsInternal(topic.Name) ? ErrorCode.TopicAuthorizationFailed
                        : view.Find(topic.Name, partition) is null ? ErrorCode.UnknownTopicOrPartition
                        : ErrorCode.None;
                    isRefused |= error != ErrorCode.None;
                    return new AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult { PartitionIndex = partition, PartitionErrorCode = error };
                }),
            });
        }

        var outcome = isRefused
            ? ErrorCode.OperationNotAttempted
            : TransactionErrors.InVersion(
                await broker.Loop.InvokeAsync(() => broker.Transactions.AddPartitions(
                    request.V3AndBelowTransactionalId, request.V3AndBelowProducerId, request.V3AndBelowProducerEpoch, partitions)).ConfigureAwait(false),
                context.Version);
        foreach (var result in response.ResultsByTopicV3AndBelow.SelectMany(topic => topic.ResultsByPartition))
        {
            if (result.PartitionErrorCode == ErrorCode.None)
                result.PartitionErrorCode = outcome;
        }

        return response;
    }
}
