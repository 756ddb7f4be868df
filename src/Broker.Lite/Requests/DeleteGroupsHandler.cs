using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DeleteGroups (42): remove groups without members, and their offsets (KIP-229).</summary>
internal sealed class DeleteGroupsHandler(BrokerState broker) : RequestHandler<DeleteGroupsRequest, DeleteGroupsResponse>(0, 2)
{
    protected override async ValueTask<DeleteGroupsResponse?> HandleAsync(DeleteGroupsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        new()
        {
            Results = await broker.Loop.InvokeAsync(() => request.GroupsNames.ConvertAll(groupId => new DeleteGroupsResponse.DeletableGroupResult
            {
                GroupId = groupId,
                ErrorCode = broker.Offsets.DeleteGroup(groupId),
            })).ConfigureAwait(false),
        };
}
