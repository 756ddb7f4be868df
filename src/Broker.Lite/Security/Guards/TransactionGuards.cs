using Broker.Lite.Metadata;
using Broker.Lite.Requests;
using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Security.Guards;

/// <summary>Guards of the APIs of idempotent and transactional producers.</summary>
internal static class TransactionGuards
{
    private const ErrorCode Refused = ErrorCode.TransactionalIdAuthorizationFailed;

    public static IEnumerable<RequestGuard> All =>
    [
        new RequestGuard<InitProducerIdRequest, InitProducerIdResponse>(InitProducerIdAsync),
        new RequestGuard<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(AddPartitionsAsync),
        new RequestGuard<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(AddOffsetsAsync),
        new RequestGuard<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(CommitOffsetsAsync),
        new RequestGuard<DescribeTransactionsRequest, DescribeTransactionsResponse>(DescribeAsync),
        new RequestGuard<ListTransactionsRequest, ListTransactionsResponse>(ListAsync),
        Guard.Whole<EndTxnRequest, EndTxnResponse>(AclOperation.Write, AclResourceType.TransactionalId, request => request.TransactionalId, _ => new() { ErrorCode = Refused }),
        Guard.Cluster<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(AclOperation.Alter, request => new()
        {
            Markers = request.Markers.ConvertAll(marker => new WriteTxnMarkersResponse.WritableTxnMarkerResult
            {
                ProducerId = marker.ProducerId,
                Topics = marker.Topics.ConvertAll(topic => new WriteTxnMarkersResponse.WritableTxnMarkerTopicResult
                {
                    Name = topic.Name,
                    Partitions = topic.PartitionIndexes.ConvertAll(partition => new WriteTxnMarkersResponse.WritableTxnMarkerPartitionResult
                    {
                        PartitionIndex = partition,
                        ErrorCode = ErrorCode.ClusterAuthorizationFailed,
                    }),
                }),
            }),
        }),
    ];

    private static ValueTask<InitProducerIdResponse?> InitProducerIdAsync(InitProducerIdRequest request, RequestContext context, ClusterView view, Func<ValueTask<InitProducerIdResponse?>> next)
    {
        ErrorCode error;
        if (request.TransactionalId is not null)
        {
            error = context.MayTransaction(AclOperation.Write, request.TransactionalId) ? ErrorCode.None : Refused;
        }
        else
        {
            // Whoever may write to some topic may do so without duplicates (KIP-679).
            var may = context.IsVisible(AclOperation.IdempotentWrite, AclResourceType.Cluster, AclBinding.ClusterName)
                || context.Authorizer!.IsAllowedSomewhere(context.Session.Principal, context.Host, AclOperation.Write, AclResourceType.Topic);
            error = may ? ErrorCode.None : ErrorCode.ClusterAuthorizationFailed;
        }

        return error == ErrorCode.None ? next() : ValueTask.FromResult<InitProducerIdResponse?>(new InitProducerIdResponse { ErrorCode = error, ProducerId = -1, ProducerEpoch = -1 });
    }

    private static async ValueTask<AddPartitionsToTxnResponse?> AddPartitionsAsync(
        AddPartitionsToTxnRequest request, RequestContext context, ClusterView view, Func<ValueTask<AddPartitionsToTxnResponse?>> next)
    {
        if (context.Version >= 4)
        {
            // That form is for brokers among themselves.
            return context.MayCluster(AclOperation.ClusterAction) ? await next().ConfigureAwait(false) : new AddPartitionsToTxnResponse { ErrorCode = ErrorCode.ClusterAuthorizationFailed };
        }

        if (!context.MayTransaction(AclOperation.Write, request.V3AndBelowTransactionalId))
            return new AddPartitionsToTxnResponse { ResultsByTopicV3AndBelow = request.V3AndBelowTopics.ConvertAll(topic => Failed(topic, Refused)) };
        var refused = request.V3AndBelowTopics.FindAll(topic => !context.MayTopic(AclOperation.Write, topic.Name));
        if (refused.Count == 0)
            return await next().ConfigureAwait(false);
        // All or nothing: the others are not added either.
        return new AddPartitionsToTxnResponse
        {
            ResultsByTopicV3AndBelow = request.V3AndBelowTopics.ConvertAll(topic =>
                Failed(topic, refused.Contains(topic) ? ErrorCode.TopicAuthorizationFailed : ErrorCode.OperationNotAttempted)),
        };
    }

    private static AddPartitionsToTxnResponse.AddPartitionsToTxnTopicResult Failed(AddPartitionsToTxnRequest.AddPartitionsToTxnTopic topic, ErrorCode error) => new()
    {
        Name = topic.Name,
        ResultsByPartition = topic.Partitions.ConvertAll(partition => new AddPartitionsToTxnResponse.AddPartitionsToTxnPartitionResult { PartitionIndex = partition, PartitionErrorCode = error }),
    };

    private static ValueTask<AddOffsetsToTxnResponse?> AddOffsetsAsync(AddOffsetsToTxnRequest request, RequestContext context, ClusterView view, Func<ValueTask<AddOffsetsToTxnResponse?>> next)
    {
        var error = !context.MayTransaction(AclOperation.Write, request.TransactionalId) ? Refused
            : !context.MayGroup(AclOperation.Read, request.GroupId) ? ErrorCode.GroupAuthorizationFailed
            : ErrorCode.None;
        return error == ErrorCode.None ? next() : ValueTask.FromResult<AddOffsetsToTxnResponse?>(new AddOffsetsToTxnResponse { ErrorCode = error });
    }

    private static async ValueTask<TxnOffsetCommitResponse?> CommitOffsetsAsync(
        TxnOffsetCommitRequest request, RequestContext context, ClusterView view, Func<ValueTask<TxnOffsetCommitResponse?>> next)
    {
        var error = !context.MayTransaction(AclOperation.Write, request.TransactionalId) ? Refused
            : !context.MayGroup(AclOperation.Read, request.GroupId) ? ErrorCode.GroupAuthorizationFailed
            : ErrorCode.None;
        if (error != ErrorCode.None)
            return new TxnOffsetCommitResponse { Topics = request.Topics.ConvertAll(topic => Failed(topic, error)) };
        var taken = Guard.TakeOut(request.Topics, topic => context.MayTopic(AclOperation.Read, topic.Name));
        if (taken.Count > 0 && request.Topics.Count == 0)
            return new TxnOffsetCommitResponse { Topics = taken.ConvertAll(topic => Failed(topic, ErrorCode.TopicAuthorizationFailed)) };
        var response = await next().ConfigureAwait(false);
        response?.Topics.AddRange(taken.Select(topic => Failed(topic, ErrorCode.TopicAuthorizationFailed)));
        return response;
    }

    private static TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic Failed(TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic topic, ErrorCode error) => new()
    {
        Name = topic.Name,
        Partitions = topic.Partitions.ConvertAll(partition => new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error }),
    };

    private static async ValueTask<DescribeTransactionsResponse?> DescribeAsync(
        DescribeTransactionsRequest request, RequestContext context, ClusterView view, Func<ValueTask<DescribeTransactionsResponse?>> next)
    {
        var taken = Guard.TakeOut(request.TransactionalIds, id => context.MayTransaction(AclOperation.Describe, id));
        var response = await next().ConfigureAwait(false);
        foreach (var transaction in response?.TransactionStates ?? [])
            transaction.Topics.RemoveAll(topic => !context.IsVisible(AclOperation.Describe, AclResourceType.Topic, topic.Topic));
        response?.TransactionStates.AddRange(taken.Select(id => new DescribeTransactionsResponse.DescribedTransaction { TransactionalId = id, ErrorCode = Refused }));
        return response;
    }

    private static async ValueTask<ListTransactionsResponse?> ListAsync(ListTransactionsRequest request, RequestContext context, ClusterView view, Func<ValueTask<ListTransactionsResponse?>> next)
    {
        var response = await next().ConfigureAwait(false);
        response?.TransactionStates.RemoveAll(transaction => !context.IsVisible(AclOperation.Describe, AclResourceType.TransactionalId, transaction.TransactionalId));
        return response;
    }
}
