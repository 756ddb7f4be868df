using Broker.Lite.Coordination;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeGroups (15): state and members of groups. A group that does not exist is Dead, without error.</summary>
/// <remarks>v3: authorised operations on request. v4: instance ids. Subscriptions and assignments are shown for stable groups only, as
/// Kafka does.</remarks>
internal sealed class DescribeGroupsHandler(BrokerState broker) : RequestHandler<DescribeGroupsRequest, DescribeGroupsResponse>(0, 5)
{
    protected override async ValueTask<DescribeGroupsResponse?> HandleAsync(
        DescribeGroupsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        new()
        {
            Groups = await broker.Loop.InvokeAsync(() => request.Groups.ConvertAll(groupId => Describe(groupId, request))).ConfigureAwait(false),
        };

    private DescribeGroupsResponse.DescribedGroup Describe(string groupId, DescribeGroupsRequest request)
    {
        if (groupId.Length == 0)
            return new() { GroupId = groupId, ErrorCode = ErrorCode.InvalidGroupId, GroupState = nameof(GroupState.Dead) };
        // A group with the consumer protocol has ConsumerGroupDescribe; clients ask that first, and this for the others.
        if (broker.Groups.Find(groupId) is not { Consumer: null } group)
            return new() { GroupId = groupId, GroupState = nameof(GroupState.Dead) };

        var isStable = group.State == GroupState.Stable;
        return new()
        {
            GroupId = groupId,
            GroupState = group.State.ToString(),
            ProtocolType = group.ProtocolType ?? "",
            ProtocolData = isStable ? group.ProtocolName ?? "" : "",
            AuthorizedOperations = request.IncludeAuthorizedOperations ? AuthorizedOperations.Group : AuthorizedOperations.NotAsked,
            Members = group.Members.Select(member => new DescribeGroupsResponse.DescribedGroupMember
            {
                MemberId = member.Id,
                GroupInstanceId = member.InstanceId,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                MemberMetadata = isStable ? member.MetadataFor(group.ProtocolName) : ReadOnlyMemory<byte>.Empty,
                MemberAssignment = isStable ? member.Assignment : ReadOnlyMemory<byte>.Empty,
            }).ToList(),
        };
    }
}
