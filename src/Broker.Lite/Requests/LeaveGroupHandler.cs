using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>LeaveGroup (13): members leave, or an administrator removes them.</summary>
/// <remarks>v3: many members in one request, each with its error, static ones by instance id (KIP-345). v5: a reason, for the log only
/// (KIP-800).</remarks>
internal sealed class LeaveGroupHandler(BrokerState broker) : RequestHandler<LeaveGroupRequest, LeaveGroupResponse>(0, 5)
{
    protected override async ValueTask<LeaveGroupResponse?> HandleAsync(LeaveGroupRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (context.Version <= 2)
        {
            return new LeaveGroupResponse
            {
                ErrorCode = await broker.Loop
                    .InvokeAsync(() => broker.Coordinator.Leave(request.GroupId, request.MemberId, instanceId: null))
                    .ConfigureAwait(false),
            };
        }

        if (request.GroupId.Length == 0)
            return new LeaveGroupResponse { ErrorCode = ErrorCode.InvalidGroupId };
        var members = await broker.Loop.InvokeAsync(() => request.Members.ConvertAll(member => new LeaveGroupResponse.MemberResponse
        {
            MemberId = member.MemberId,
            GroupInstanceId = member.GroupInstanceId,
            ErrorCode = broker.Coordinator.Leave(request.GroupId, member.MemberId, member.GroupInstanceId),
        })).ConfigureAwait(false);
        return new LeaveGroupResponse { Members = members };
    }
}
