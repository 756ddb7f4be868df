using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>InitProducerId (22): a producer id for an idempotent producer.</summary>
/// <remarks>
/// v3: a producer may bring its current id and epoch and keep the id with the next epoch (KIP-360), which is for transactional producers:
/// an idempotent one simply gets a new id. Transactional ids are refused with the error that every client takes as final, until there are
/// transactions.
/// </remarks>
internal sealed class InitProducerIdHandler(BrokerState broker) : RequestHandler<InitProducerIdRequest, InitProducerIdResponse>(0, 4)
{
    protected override async ValueTask<InitProducerIdResponse?> HandleAsync(
        InitProducerIdRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (request.TransactionalId is { } transactionalId)
        {
            return new InitProducerIdResponse
            {
                ErrorCode = transactionalId.Length == 0 ? ErrorCode.InvalidRequest : ErrorCode.TransactionalIdAuthorizationFailed,
                ProducerEpoch = -1,
            };
        }

        var (error, producerId) = await broker.Loop.InvokeAsync(() => broker.Catalog.NextProducerId()).ConfigureAwait(false);
        return new InitProducerIdResponse { ErrorCode = error, ProducerId = producerId, ProducerEpoch = (short)(error == ErrorCode.None ? 0 : -1) };
    }
}
