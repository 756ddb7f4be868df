using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeTransactions (65): where transactional ids stand (KIP-664).</summary>
internal sealed class DescribeTransactionsHandler(BrokerState broker) : RequestHandler<DescribeTransactionsRequest, DescribeTransactionsResponse>(0, 0)
{
    protected override async ValueTask<DescribeTransactionsResponse?> HandleAsync(
        DescribeTransactionsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        await broker.Loop
            .InvokeAsync(() => new DescribeTransactionsResponse { TransactionStates = request.TransactionalIds.ConvertAll(Describe) })
            .ConfigureAwait(false);

    private DescribeTransactionsResponse.DescribedTransaction Describe(string transactionalId)
    {
        if (broker.Transactions.Find(transactionalId) is not { } transaction)
        {
            return new()
            {
                TransactionalId = transactionalId,
                ErrorCode = transactionalId.Length == 0 ? ErrorCode.InvalidRequest : ErrorCode.TransactionalIdNotFound,
            };
        }

        return new()
        {
            TransactionalId = transactionalId,
            TransactionState = transaction.State.ToString(),
            TransactionTimeoutMs = transaction.TimeoutMs,
            TransactionStartTimeMs = transaction.StartTimestampMs,
            ProducerId = transaction.ProducerId,
            ProducerEpoch = transaction.ProducerEpoch,
            Topics =
            [
                .. transaction.Partitions
                    .GroupBy(partition => partition.Topic, partition => partition.Partition, StringComparer.Ordinal)
                    .OrderBy(topic => topic.Key, StringComparer.Ordinal)
                    .Select(topic => new DescribeTransactionsResponse.TopicData { Topic = topic.Key, Partitions = [.. topic.Order()] }),
            ],
        };
    }
}
