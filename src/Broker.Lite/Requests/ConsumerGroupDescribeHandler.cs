using System.Collections.Immutable;
using Broker.Lite.Coordination;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ConsumerGroupDescribe (69): state and members of groups with the consumer protocol (KIP-848).</summary>
/// <remarks>v1: the members' type. A classic group is not found, whereupon clients ask DescribeGroups.</remarks>
internal sealed class ConsumerGroupDescribeHandler(BrokerState broker)
    : RequestHandler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(0, 1)
{
    private const sbyte ConsumerProtocolMember = 1;

    protected override async ValueTask<ConsumerGroupDescribeResponse?> HandleAsync(
        ConsumerGroupDescribeRequest request, RequestContext context, CancellationToken cancellationToken) =>
        new()
        {
            Groups = await broker.Loop
                .InvokeAsync(() => request.GroupIds.ConvertAll(groupId => Describe(groupId, request.IncludeAuthorizedOperations, context.Version)))
                .ConfigureAwait(false),
        };

    private ConsumerGroupDescribeResponse.DescribedGroup Describe(string groupId, bool withOperations, short version)
    {
        if (groupId.Length == 0)
            return new() { GroupId = groupId, ErrorCode = ErrorCode.InvalidGroupId, ErrorMessage = "The group id is empty" };
        if (broker.Groups.Find(groupId)?.Consumer is not { } group)
        {
            return new()
            {
                GroupId = groupId,
                ErrorCode = ErrorCode.GroupIdNotFound,
                ErrorMessage = $"There is no group {groupId} with the consumer protocol",
                GroupState = nameof(GroupState.Dead),
            };
        }

        var view = broker.View;
        return new()
        {
            GroupId = groupId,
            ErrorMessage = null,
            GroupState = group.State,
            GroupEpoch = group.Epoch,
            AssignmentEpoch = group.TargetEpoch,
            AssignorName = ConsumerGroupCoordinator.AssignorOf(group),
            AuthorizedOperations = withOperations ? AuthorizedOperations.Group : AuthorizedOperations.NotAsked,
            Members =
            [
                .. group.Members.Values.OrderBy(member => member.Id, StringComparer.Ordinal).Select(member => new ConsumerGroupDescribeResponse.Member
                {
                    MemberId = member.Id,
                    InstanceId = member.InstanceId,
                    RackId = member.RackId,
                    MemberEpoch = member.Epoch,
                    ClientId = member.ClientId,
                    ClientHost = member.ClientHost,
                    SubscribedTopicNames = [.. member.Topics],
                    SubscribedTopicRegex = member.TopicRegex,
                    Assignment = Describe(member.Assigned, view),
                    TargetAssignment = Describe(group.TargetOf(member.Id), view),
                    MemberType = version >= 1 ? ConsumerProtocolMember : (sbyte)-1,
                }),
            ],
        };
    }

    private static ConsumerGroupDescribeResponse.Assignment Describe(ImmutableHashSet<PartitionId> partitions, ClusterView view) => new()
    {
        TopicPartitions =
        [
            .. partitions
                .GroupBy(partition => partition.TopicId, partition => partition.Partition)
                .Select(topic => new ConsumerGroupDescribeResponse.TopicPartitions
                {
                    TopicId = topic.Key,
                    TopicName = view.Find(topic.Key)?.Name ?? "",
                    Partitions = [.. topic.Order()],
                })
                .OrderBy(topic => topic.TopicName, StringComparer.Ordinal),
        ],
    };
}
