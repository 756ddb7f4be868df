using Broker.Lite.Coordination;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>JoinGroup (11): become a member, and wait until the next generation has formed.</summary>
/// <remarks>
/// v0: the session time-out is the rebalance time-out too. v4: a member without id is told its id first (KIP-394). v5: static members
/// (KIP-345). v7: protocol type in the response, protocol may be null. v9: a returning static leader may skip the assignment (KIP-814).
/// </remarks>
internal sealed class JoinGroupHandler(BrokerState broker) : RequestHandler<JoinGroupRequest, JoinGroupResponse>(0, 9)
{
    protected override async ValueTask<JoinGroupResponse?> HandleAsync(JoinGroupRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var call = new JoinCall
        {
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            ClientId = context.ClientId,
            ClientHost = context.ClientHost,
            SessionTimeoutMs = request.SessionTimeoutMs,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs >= 0 ? request.RebalanceTimeoutMs : request.SessionTimeoutMs,
            ProtocolType = request.ProtocolType,
            Protocols = request.Protocols.ConvertAll(protocol => new MemberProtocol(protocol.Name, protocol.Metadata.ToArray())),
            RequiresKnownMemberId = context.Version >= 4,
            SupportsSkippingAssignment = context.Version >= 9,
        };
        var joining = await broker.Loop.InvokeAsync(() => broker.Coordinator.Join(call)).ConfigureAwait(false);
        var result = await joining.WaitAsync(cancellationToken).ConfigureAwait(false);

        var response = new JoinGroupResponse
        {
            ErrorCode = result.Error,
            GenerationId = result.GenerationId,
            ProtocolType = result.ProtocolType,
            ProtocolName = result.ProtocolName ?? (context.Version >= 7 ? null : ""),
            Leader = result.LeaderId,
            SkipAssignment = result.SkipAssignment,
            MemberId = result.MemberId,
        };
        foreach (var member in result.Members)
            response.Members.Add(new() { MemberId = member.MemberId, GroupInstanceId = member.InstanceId, Metadata = member.Metadata });
        return response;
    }
}
