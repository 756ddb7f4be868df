using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>EndTxn (26): commit or abort a producer's transaction.</summary>
/// <remarks>
/// v2: PRODUCER_FENCED, for which older versions have INVALID_PRODUCER_EPOCH (KIP-588). v5 would hand out the next epoch (KIP-890, second
/// part), which is not offered.
/// </remarks>
internal sealed class EndTxnHandler(BrokerState broker) : RequestHandler<EndTxnRequest, EndTxnResponse>(0, 3)
{
    protected override async ValueTask<EndTxnResponse?> HandleAsync(EndTxnRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var error = await broker.Loop
            .InvokeAsync(() => broker.Transactions.End(request.TransactionalId, request.ProducerId, request.ProducerEpoch, request.Committed))
            .ConfigureAwait(false);
        return new EndTxnResponse { ErrorCode = TransactionErrors.InVersion(error, context.Version) };
    }
}
