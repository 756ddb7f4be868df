using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>FindCoordinator (10): always this broker.</summary>
/// <remarks>v0: groups only. v1: key type 0 group, 1 transactional id. v4: many keys in one request, an error for each (KIP-699).</remarks>
internal sealed class FindCoordinatorHandler(BrokerState broker) : RequestHandler<FindCoordinatorRequest, FindCoordinatorResponse>(0, 4)
{
    private const sbyte GroupKey = 0;
    private const sbyte TransactionKey = 1;

    protected override ValueTask<FindCoordinatorResponse?> HandleAsync(
        FindCoordinatorRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (context.Version >= 4)
        {
            return ValueTask.FromResult<FindCoordinatorResponse?>(new FindCoordinatorResponse
            {
                Coordinators = request.CoordinatorKeys.ConvertAll(key => Find(key, request.KeyType, context)),
            });
        }

        var coordinator = Find(request.Key, request.KeyType, context);
        return ValueTask.FromResult<FindCoordinatorResponse?>(new FindCoordinatorResponse
        {
            ErrorCode = coordinator.ErrorCode,
            ErrorMessage = coordinator.ErrorMessage,
            NodeId = coordinator.NodeId,
            Host = coordinator.Host,
            Port = coordinator.Port,
        });
    }

    private FindCoordinatorResponse.Coordinator Find(string key, sbyte keyType, RequestContext context)
    {
        if (keyType is not (GroupKey or TransactionKey))
            return Failed(key, ErrorCode.InvalidRequest, $"Key type {keyType} is unknown");
        if (key.Length == 0)
            return Failed(key, keyType == GroupKey ? ErrorCode.InvalidGroupId : ErrorCode.InvalidRequest, "The key is empty");
        return new()
        {
            Key = key,
            NodeId = broker.BrokerId,
            Host = context.Advertised.Host,
            Port = context.Advertised.Port,
            ErrorMessage = null,
        };
    }

    private static FindCoordinatorResponse.Coordinator Failed(string key, ErrorCode error, string message) =>
        new() { Key = key, ErrorCode = error, ErrorMessage = message, NodeId = -1, Port = -1 };
}
