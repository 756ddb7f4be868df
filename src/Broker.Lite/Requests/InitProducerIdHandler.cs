using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>InitProducerId (22): a producer id and epoch, of its own for an idempotent producer, of the transactional id for the others.</summary>
/// <remarks>
/// v3: a producer may bring its current id and epoch and keep the id with the next epoch (KIP-360), which is for transactional producers:
/// an idempotent one simply gets a new id. v4: PRODUCER_FENCED, for which older versions have INVALID_PRODUCER_EPOCH (KIP-588).
/// </remarks>
internal sealed class InitProducerIdHandler(BrokerState broker) : RequestHandler<InitProducerIdRequest, InitProducerIdResponse>(0, 4)
{
    protected override async ValueTask<InitProducerIdResponse?> HandleAsync(
        InitProducerIdRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var (error, producerId, epoch) = await broker.Loop.InvokeAsync(() => Initialise(request)).ConfigureAwait(false);
        return new InitProducerIdResponse
        {
            ErrorCode = error == ErrorCode.ProducerFenced && context.Version < 4 ? ErrorCode.InvalidProducerEpoch : error,
            ProducerId = producerId,
            ProducerEpoch = epoch,
        };
    }

    private (ErrorCode Error, long ProducerId, short ProducerEpoch) Initialise(InitProducerIdRequest request)
    {
        if (request.TransactionalId is { } transactionalId)
            return broker.Transactions.Initialise(transactionalId, request.TransactionTimeoutMs, request.ProducerId, request.ProducerEpoch);
        var (error, producerId) = broker.Catalog.NextProducerId();
        return error == ErrorCode.None ? (error, producerId, (short)0) : (error, -1, (short)-1);
    }
}
