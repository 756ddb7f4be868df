using Broker.Lite.Metadata;
using Broker.Lite.Requests;
using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Security.Guards;

/// <summary>Guards of the APIs of consumer groups.</summary>
internal static class GroupGuards
{
    private const ErrorCode Refused = ErrorCode.GroupAuthorizationFailed;
    private const ErrorCode TopicRefused = ErrorCode.TopicAuthorizationFailed;
    private const int NoGeneration = -1;

    public static IEnumerable<RequestGuard> All =>
    [
        Member<JoinGroupRequest, JoinGroupResponse>(
            request => request.GroupId, request => new() { ErrorCode = Refused, GenerationId = NoGeneration, MemberId = request.MemberId, ProtocolName = "" }),
        Member<SyncGroupRequest, SyncGroupResponse>(request => request.GroupId, _ => new() { ErrorCode = Refused }),
        Member<HeartbeatRequest, HeartbeatResponse>(request => request.GroupId, _ => new() { ErrorCode = Refused }),
        Member<LeaveGroupRequest, LeaveGroupResponse>(request => request.GroupId, _ => new() { ErrorCode = Refused }),
        new RequestGuard<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(ConsumerHeartbeatAsync),
        new RequestGuard<OffsetCommitRequest, OffsetCommitResponse>(OffsetCommitAsync),
        new RequestGuard<OffsetFetchRequest, OffsetFetchResponse>(OffsetFetchAsync),
        new RequestGuard<OffsetDeleteRequest, OffsetDeleteResponse>(OffsetDeleteAsync),
        new RequestGuard<ListGroupsRequest, ListGroupsResponse>(ListGroupsAsync),
        new RequestGuard<DescribeGroupsRequest, DescribeGroupsResponse>(DescribeGroupsAsync),
        new RequestGuard<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(ConsumerGroupDescribeAsync),
        new RequestGuard<FindCoordinatorRequest, FindCoordinatorResponse>(FindCoordinatorAsync),
        Guard.Each<DeleteGroupsRequest, DeleteGroupsResponse, string, DeleteGroupsResponse.DeletableGroupResult>(
            request => request.GroupsNames,
            (context, group) => context.MayGroup(AclOperation.Delete, group),
            group => new() { GroupId = group, ErrorCode = Refused },
            response => response.Results),
    ];

    private static RequestGuard Member<TRequest, TResponse>(Func<TRequest, string?> group, Func<TRequest, TResponse> refused)
        where TRequest : class, IRequest<TResponse>, IApiSchema
        where TResponse : class, IApiMessage, new() =>
        Guard.Whole(AclOperation.Read, AclResourceType.Group, group, refused);

    private static ValueTask<ConsumerGroupHeartbeatResponse?> ConsumerHeartbeatAsync(
        ConsumerGroupHeartbeatRequest request, RequestContext context, ClusterView view, Func<ValueTask<ConsumerGroupHeartbeatResponse?>> next)
    {
        var error = !context.MayGroup(AclOperation.Read, request.GroupId) ? Refused
            : request.SubscribedTopicNames?.TrueForAll(topic => context.MayTopic(AclOperation.Describe, topic)) == false ? TopicRefused
            : ErrorCode.None;
        return error == ErrorCode.None
            ? next()
            : ValueTask.FromResult<ConsumerGroupHeartbeatResponse?>(new ConsumerGroupHeartbeatResponse { ErrorCode = error, ErrorMessage = null, MemberId = request.MemberId });
    }

    private static async ValueTask<OffsetCommitResponse?> OffsetCommitAsync(OffsetCommitRequest request, RequestContext context, ClusterView view, Func<ValueTask<OffsetCommitResponse?>> next)
    {
        if (!context.MayGroup(AclOperation.Read, request.GroupId))
            return new OffsetCommitResponse { Topics = request.Topics.ConvertAll(topic => Failed(topic, Refused)) };
        var taken = Guard.TakeOut(request.Topics, topic => context.MayTopic(AclOperation.Read, topic.Name));
        if (taken.Count > 0 && request.Topics.Count == 0)
            return new OffsetCommitResponse { Topics = taken.ConvertAll(topic => Failed(topic, TopicRefused)) };
        var response = await next().ConfigureAwait(false);
        response?.Topics.AddRange(taken.Select(topic => Failed(topic, TopicRefused)));
        return response;
    }

    private static OffsetCommitResponse.OffsetCommitResponseTopic Failed(OffsetCommitRequest.OffsetCommitRequestTopic topic, ErrorCode error) => new()
    {
        Name = topic.Name,
        Partitions = topic.Partitions.ConvertAll(partition => new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error }),
    };

    private static async ValueTask<OffsetFetchResponse?> OffsetFetchAsync(OffsetFetchRequest request, RequestContext context, ClusterView view, Func<ValueTask<OffsetFetchResponse?>> next)
    {
        if (context.Version < 8)
            return await OffsetFetchOfOneAsync(request, context, next).ConfigureAwait(false);
        var refusedGroups = Guard.TakeOut(request.Groups, group => context.MayGroup(AclOperation.Describe, group.GroupId));
        var refusedTopics = new Dictionary<string, List<OffsetFetchRequest.OffsetFetchRequestTopics>>(StringComparer.Ordinal);
        foreach (var group in request.Groups)
        {
            if (group.Topics is not null)
                refusedTopics[group.GroupId] = Guard.TakeOut(group.Topics, topic => context.MayTopic(AclOperation.Describe, topic.Name));
        }

        var response = await next().ConfigureAwait(false);
        foreach (var group in response?.Groups ?? [])
        {
            if (!refusedTopics.TryGetValue(group.GroupId, out var refused))
            {
                group.Topics.RemoveAll(topic => !context.IsVisible(AclOperation.Describe, AclResourceType.Topic, topic.Name));
            }
            else if (group.ErrorCode == ErrorCode.None)
            {
                group.Topics.AddRange(refused.Select(topic => new OffsetFetchResponse.OffsetFetchResponseTopics
                {
                    Name = topic.Name,
                    Partitions = topic.PartitionIndexes.ConvertAll(partition => new OffsetFetchResponse.OffsetFetchResponsePartitions
                    {
                        PartitionIndex = partition,
                        CommittedOffset = -1,
                        CommittedLeaderEpoch = -1,
                        Metadata = "",
                        ErrorCode = TopicRefused,
                    }),
                }));
            }
        }

        response?.Groups.AddRange(refusedGroups.Select(group => new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = group.GroupId, ErrorCode = Refused }));
        return response;
    }

    private static async ValueTask<OffsetFetchResponse?> OffsetFetchOfOneAsync(OffsetFetchRequest request, RequestContext context, Func<ValueTask<OffsetFetchResponse?>> next)
    {
        if (!context.MayGroup(AclOperation.Describe, request.GroupId))
        {
            // Before version 2 there is no place for an error but at the partitions.
            return new OffsetFetchResponse { ErrorCode = Refused, Topics = context.Version >= 2 ? [] : (request.Topics ?? []).ConvertAll(topic => Failed(topic, Refused)) };
        }

        if (request.Topics is null)
        {
            var all = await next().ConfigureAwait(false);
            all?.Topics.RemoveAll(topic => !context.IsVisible(AclOperation.Describe, AclResourceType.Topic, topic.Name));
            return all;
        }

        var taken = Guard.TakeOut(request.Topics, topic => context.MayTopic(AclOperation.Describe, topic.Name));
        var response = await next().ConfigureAwait(false);
        if (response?.ErrorCode == ErrorCode.None)
            response.Topics.AddRange(taken.Select(topic => Failed(topic, TopicRefused)));
        return response;
    }

    private static OffsetFetchResponse.OffsetFetchResponseTopic Failed(OffsetFetchRequest.OffsetFetchRequestTopic topic, ErrorCode error) => new()
    {
        Name = topic.Name,
        Partitions = topic.PartitionIndexes.ConvertAll(partition => new OffsetFetchResponse.OffsetFetchResponsePartition
        {
            PartitionIndex = partition,
            CommittedOffset = -1,
            CommittedLeaderEpoch = -1,
            Metadata = "",
            ErrorCode = error,
        }),
    };

    private static async ValueTask<OffsetDeleteResponse?> OffsetDeleteAsync(OffsetDeleteRequest request, RequestContext context, ClusterView view, Func<ValueTask<OffsetDeleteResponse?>> next)
    {
        if (!context.MayGroup(AclOperation.Delete, request.GroupId))
            return new OffsetDeleteResponse { ErrorCode = Refused };
        var taken = Guard.TakeOut(request.Topics, topic => context.MayTopic(AclOperation.Read, topic.Name));
        var response = await next().ConfigureAwait(false);
        if (response?.ErrorCode == ErrorCode.None)
        {
            response.Topics.AddRange(taken.Select(topic => new OffsetDeleteResponse.OffsetDeleteResponseTopic
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition => new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = TopicRefused }),
            }));
        }

        return response;
    }

    private static async ValueTask<ListGroupsResponse?> ListGroupsAsync(ListGroupsRequest request, RequestContext context, ClusterView view, Func<ValueTask<ListGroupsResponse?>> next)
    {
        var response = await next().ConfigureAwait(false);
        if (!context.IsVisible(AclOperation.Describe, AclResourceType.Cluster, AclBinding.ClusterName))
            response?.Groups.RemoveAll(group => !context.IsVisible(AclOperation.Describe, AclResourceType.Group, group.GroupId));
        return response;
    }

    private static async ValueTask<DescribeGroupsResponse?> DescribeGroupsAsync(DescribeGroupsRequest request, RequestContext context, ClusterView view, Func<ValueTask<DescribeGroupsResponse?>> next)
    {
        var taken = Guard.TakeOut(request.Groups, group => context.MayGroup(AclOperation.Describe, group));
        var response = await next().ConfigureAwait(false);
        foreach (var group in response?.Groups ?? [])
        {
            if (group.AuthorizedOperations != AuthorizedOperations.NotAsked)
                group.AuthorizedOperations = Guard.Operations(context, group.AuthorizedOperations, AclResourceType.Group, group.GroupId);
        }

        response?.Groups.AddRange(taken.Select(group => new DescribeGroupsResponse.DescribedGroup { GroupId = group, ErrorCode = Refused, AuthorizedOperations = AuthorizedOperations.NotAsked }));
        return response;
    }

    private static async ValueTask<ConsumerGroupDescribeResponse?> ConsumerGroupDescribeAsync(
        ConsumerGroupDescribeRequest request, RequestContext context, ClusterView view, Func<ValueTask<ConsumerGroupDescribeResponse?>> next)
    {
        var taken = Guard.TakeOut(request.GroupIds, group => context.MayGroup(AclOperation.Describe, group));
        var response = await next().ConfigureAwait(false);
        foreach (var group in response?.Groups ?? [])
        {
            if (group.AuthorizedOperations != AuthorizedOperations.NotAsked)
                group.AuthorizedOperations = Guard.Operations(context, group.AuthorizedOperations, AclResourceType.Group, group.GroupId);
        }

        response?.Groups.AddRange(taken.Select(group => new ConsumerGroupDescribeResponse.DescribedGroup
        {
            GroupId = group,
            ErrorCode = Refused,
            ErrorMessage = null,
            AuthorizedOperations = AuthorizedOperations.NotAsked,
        }));
        return response;
    }

    private static async ValueTask<FindCoordinatorResponse?> FindCoordinatorAsync(
        FindCoordinatorRequest request, RequestContext context, ClusterView view, Func<ValueTask<FindCoordinatorResponse?>> next)
    {
        const sbyte TransactionKey = 1;
        var isTransaction = request.KeyType == TransactionKey;
        var type = isTransaction ? AclResourceType.TransactionalId : AclResourceType.Group;
        var error = isTransaction ? ErrorCode.TransactionalIdAuthorizationFailed : Refused;
        if (context.Version < 4)
        {
            return context.May(AclOperation.Describe, type, request.Key)
                ? await next().ConfigureAwait(false)
                : new FindCoordinatorResponse { ErrorCode = error, ErrorMessage = null, NodeId = -1, Port = -1 };
        }

        var taken = Guard.TakeOut(request.CoordinatorKeys, key => context.May(AclOperation.Describe, type, key));
        var response = await next().ConfigureAwait(false);
        response?.Coordinators.AddRange(taken.Select(key => new FindCoordinatorResponse.Coordinator { Key = key, ErrorCode = error, ErrorMessage = null, NodeId = -1, Port = -1 }));
        return response;
    }
}
