using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ListGroups (16): every group.</summary>
/// <remarks>v4: filtered by state (KIP-518). v5: and by type (KIP-848). Names are compared without case.</remarks>
internal sealed class ListGroupsHandler(BrokerState broker) : RequestHandler<ListGroupsRequest, ListGroupsResponse>(0, 5)
{
    private const string Classic = "classic";
    private const string Consumer = "consumer";

    protected override async ValueTask<ListGroupsResponse?> HandleAsync(ListGroupsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var states = new HashSet<string>(request.StatesFilter, StringComparer.OrdinalIgnoreCase);
        var types = new HashSet<string>(request.TypesFilter, StringComparer.OrdinalIgnoreCase);
        var groups = await broker.Loop.InvokeAsync(() => broker.Groups.All
            .OrderBy(group => group.Id, StringComparer.Ordinal)
            .Select(group => new ListGroupsResponse.ListedGroup
            {
                GroupId = group.Id,
                ProtocolType = group.Consumer is null ? group.ProtocolType ?? "" : Consumer,
                GroupState = group.Consumer?.State ?? group.State.ToString(),
                GroupType = group.Consumer is null ? Classic : Consumer,
            })
            .Where(group => (states.Count == 0 || states.Contains(group.GroupState)) && (types.Count == 0 || types.Contains(group.GroupType)))
            .ToList()).ConfigureAwait(false);
        return new ListGroupsResponse { Groups = groups };
    }
}
