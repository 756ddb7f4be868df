using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>AddOffsetsToTxn (25): take a group's offsets into a producer's transaction.</summary>
/// <remarks>v2: PRODUCER_FENCED, for which older versions have INVALID_PRODUCER_EPOCH (KIP-588).</remarks>
internal sealed class AddOffsetsToTxnHandler(BrokerState broker) : RequestHandler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(0, 3)
{
    protected override async ValueTask<AddOffsetsToTxnResponse?> HandleAsync(
        AddOffsetsToTxnRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var error = await broker.Loop
            .InvokeAsync(() => broker.Transactions.AddOffsets(request.TransactionalId, request.ProducerId, request.ProducerEpoch, request.GroupId))
            .ConfigureAwait(false);
        return new AddOffsetsToTxnResponse { ErrorCode = TransactionErrors.InVersion(error, context.Version) };
    }
}
