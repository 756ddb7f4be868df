using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ListGroups (16): every group. v4: filtered by state, whose names are compared without case (KIP-518).</summary>
internal sealed class ListGroupsHandler(BrokerState broker) : RequestHandler<ListGroupsRequest, ListGroupsResponse>(0, 4)
{
    protected override async ValueTask<ListGroupsResponse?> HandleAsync(ListGroupsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var states = new HashSet<string>(request.StatesFilter, StringComparer.OrdinalIgnoreCase);
        var groups = await broker.Loop.InvokeAsync(() => broker.Groups.All
            .Where(group => states.Count == 0 || states.Contains(group.State.ToString()))
            .OrderBy(group => group.Id, StringComparer.Ordinal)
            .Select(group => new ListGroupsResponse.ListedGroup
            {
                GroupId = group.Id,
                ProtocolType = group.ProtocolType ?? "",
                GroupState = group.State.ToString(),
            })
            .ToList()).ConfigureAwait(false);
        return new ListGroupsResponse { Groups = groups };
    }
}
