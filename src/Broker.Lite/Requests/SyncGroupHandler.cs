using Broker.Lite.Coordination;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>SyncGroup (14): the leader hands in the assignment, everybody gets its part of it.</summary>
/// <remarks>v3: static members (KIP-345). v5: protocol type and name, checked against the generation's (KIP-559).</remarks>
internal sealed class SyncGroupHandler(BrokerState broker) : RequestHandler<SyncGroupRequest, SyncGroupResponse>(0, 5)
{
    protected override async ValueTask<SyncGroupResponse?> HandleAsync(SyncGroupRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var assignments = new Dictionary<string, ReadOnlyMemory<byte>>(request.Assignments.Count, StringComparer.Ordinal);
        foreach (var assignment in request.Assignments)
            assignments[assignment.MemberId] = assignment.Assignment.ToArray();
        var call = new SyncCall
        {
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            InstanceId = request.GroupInstanceId,
            GenerationId = request.GenerationId,
            ProtocolType = request.ProtocolType,
            ProtocolName = request.ProtocolName,
            Assignments = assignments,
        };
        var syncing = await broker.Loop.InvokeAsync(() => broker.Coordinator.Sync(call)).ConfigureAwait(false);
        var result = await syncing.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new SyncGroupResponse
        {
            ErrorCode = result.Error,
            ProtocolType = result.ProtocolType,
            ProtocolName = result.ProtocolName,
            Assignment = result.Assignment,
        };
    }
}
