using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>Heartbeat (12): a member says that it lives, and learns whether it has to join again.</summary>
/// <remarks>v3: static members, FENCED_INSTANCE_ID (KIP-345).</remarks>
internal sealed class HeartbeatHandler(BrokerState broker) : RequestHandler<HeartbeatRequest, HeartbeatResponse>(0, 4)
{
    protected override async ValueTask<HeartbeatResponse?> HandleAsync(HeartbeatRequest request, RequestContext context, CancellationToken cancellationToken) =>
        new()
        {
            ErrorCode = await broker.Loop
                .InvokeAsync(() => broker.Coordinator.Heartbeat(request.GroupId, request.MemberId, request.GroupInstanceId, request.GenerationId))
                .ConfigureAwait(false),
        };
}
