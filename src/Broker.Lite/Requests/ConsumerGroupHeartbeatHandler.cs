using Broker.Lite.Coordination;
using Broker.Lite.Security.Acls;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ConsumerGroupHeartbeat (68): all that a member of the consumer protocol does: join, stay, be moved, leave (KIP-848).</summary>
/// <remarks>v1: the client makes its member id itself, and may subscribe to a regular expression.</remarks>
internal sealed class ConsumerGroupHeartbeatHandler(BrokerState broker)
    : RequestHandler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(0, 1)
{
    protected override async ValueTask<ConsumerGroupHeartbeatResponse?> HandleAsync(
        ConsumerGroupHeartbeatRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var heartbeat = new ConsumerHeartbeat
        {
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            MemberEpoch = request.MemberEpoch,
            InstanceId = request.InstanceId,
            RackId = request.RackId,
            ClientId = context.ClientId,
            ClientHost = context.ClientHost,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs,
            Topics = request.SubscribedTopicNames,
            TopicRegex = request.SubscribedTopicRegex,
            MayDescribe = Sight(context),
            ServerAssignor = request.ServerAssignor,
            Owned = request.TopicPartitions?
                .SelectMany(topic => topic.Partitions.Select(partition => new PartitionId(topic.TopicId, partition)))
                .ToHashSet(),
        };
        var result = await broker.Loop.InvokeAsync(() => broker.Consumers.Heartbeat(heartbeat)).ConfigureAwait(false);
        return new ConsumerGroupHeartbeatResponse
        {
            ErrorCode = result.Error,
            ErrorMessage = result.Message,
            MemberId = result.MemberId,
            MemberEpoch = result.MemberEpoch,
            HeartbeatIntervalMs = broker.Consumers.HeartbeatIntervalMs(request.GroupId),
            Assignment = result.Assignment is not { } assignment ? null : new()
            {
                TopicPartitions =
                [
                    .. assignment
                        .GroupBy(partition => partition.TopicId, partition => partition.Partition)
                        .OrderBy(topic => topic.Key)
                        .Select(topic => new ConsumerGroupHeartbeatResponse.TopicPartitions { TopicId = topic.Key, Partitions = [.. topic.Order()] }),
                ],
            },
        };
    }

    // It outlives the request, of which it therefore keeps only who asked.
    private static Func<string, bool> Sight(RequestContext context)
    {
        if (context.IsUnrestricted)
            return static _ => true;
        var (authorizer, principal, host) = (context.Authorizer!, context.Session.Principal, context.Host);
        return topic => authorizer.IsAllowed(principal, host, AclOperation.Describe, AclResourceType.Topic, topic);
    }
}
