using Broker.Lite.Metadata;
using Broker.Lite.Requests;
using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Security.Guards;

/// <summary>Guards of the APIs that read, write, show and change topics.</summary>
internal static class TopicGuards
{
    private const ErrorCode Refused = ErrorCode.TopicAuthorizationFailed;
    private const long NoOffset = -1;

    public static IEnumerable<RequestGuard> All =>
    [
        new RequestGuard<ProduceRequest, ProduceResponse>(ProduceAsync),
        new RequestGuard<FetchRequest, FetchResponse>(FetchAsync),
        new RequestGuard<MetadataRequest, MetadataResponse>(MetadataAsync),
        new RequestGuard<CreateTopicsRequest, CreateTopicsResponse>(CreateTopicsAsync),
        new RequestGuard<DeleteTopicsRequest, DeleteTopicsResponse>(DeleteTopicsAsync),
        new RequestGuard<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(DescribeTopicPartitionsAsync),
        Guard.Each<ListOffsetsRequest, ListOffsetsResponse, ListOffsetsRequest.ListOffsetsTopic, ListOffsetsResponse.ListOffsetsTopicResponse>(
            request => request.Topics,
            (context, topic) => context.MayTopic(AclOperation.Describe, topic.Name),
            topic => new()
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition => new ListOffsetsResponse.ListOffsetsPartitionResponse
                {
                    PartitionIndex = partition.PartitionIndex,
                    ErrorCode = Refused,
                    Timestamp = -1,
                    Offset = NoOffset,
                }),
            },
            response => response.Topics),
        Guard.Each<CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsRequest.CreatePartitionsTopic, CreatePartitionsResponse.CreatePartitionsTopicResult>(
            request => request.Topics,
            (context, topic) => context.MayTopic(AclOperation.Alter, topic.Name),
            topic => new() { Name = topic.Name, ErrorCode = Refused, ErrorMessage = "The principal is not authorized to perform this action" },
            response => response.Results),
        Guard.Each<DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsRequest.DeleteRecordsTopic, DeleteRecordsResponse.DeleteRecordsTopicResult>(
            request => request.Topics,
            (context, topic) => context.MayTopic(AclOperation.Delete, topic.Name),
            topic => new()
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition => new DeleteRecordsResponse.DeleteRecordsPartitionResult
                {
                    PartitionIndex = partition.PartitionIndex,
                    ErrorCode = Refused,
                    LowWatermark = NoOffset,
                }),
            },
            response => response.Topics),
        Guard.Each<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderEpochRequest.OffsetForLeaderTopic, OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult>(
            request => request.Topics,
            (context, topic) => context.MayTopic(AclOperation.Describe, topic.Topic),
            topic => new()
            {
                Topic = topic.Topic,
                Partitions = topic.Partitions.ConvertAll(partition => new OffsetForLeaderEpochResponse.EpochEndOffset
                {
                    Partition = partition.Partition,
                    ErrorCode = Refused,
                    LeaderEpoch = -1,
                    EndOffset = NoOffset,
                }),
            },
            response => response.Topics),
        Guard.Each<DescribeProducersRequest, DescribeProducersResponse, DescribeProducersRequest.TopicRequest, DescribeProducersResponse.TopicResponse>(
            request => request.Topics,
            (context, topic) => context.MayTopic(AclOperation.Read, topic.Name),
            topic => new()
            {
                Name = topic.Name,
                Partitions = topic.PartitionIndexes.ConvertAll(partition => new DescribeProducersResponse.PartitionResponse { PartitionIndex = partition, ErrorCode = Refused }),
            },
            response => response.Topics),
    ];

    private static async ValueTask<ProduceResponse?> ProduceAsync(ProduceRequest request, RequestContext context, ClusterView view, Func<ValueTask<ProduceResponse?>> next)
    {
        if (request.TransactionalId is not null && !context.MayTransaction(AclOperation.Write, request.TransactionalId))
        {
            context.CloseConnection = request.Acks == 0;
            return new ProduceResponse { Responses = request.TopicData.ConvertAll(topic => Failed(topic, ErrorCode.TransactionalIdAuthorizationFailed)) };
        }

        var taken = Guard.TakeOut(request.TopicData, topic => context.MayTopic(AclOperation.Write, topic.Name));
        var response = await next().ConfigureAwait(false);
        response?.Responses.AddRange(taken.Select(topic => Failed(topic, Refused)));
        // Without acknowledgements the end of the connection is the only way to say no.
        context.CloseConnection |= request.Acks == 0 && taken.Count > 0;
        return response;
    }

    private static ProduceResponse.TopicProduceResponse Failed(ProduceRequest.TopicProduceData topic, ErrorCode error) => new()
    {
        Name = topic.Name,
        PartitionResponses = topic.PartitionData.ConvertAll(partition => new ProduceResponse.PartitionProduceResponse
        {
            Index = partition.Index,
            ErrorCode = error,
            BaseOffset = NoOffset,
            LogAppendTimeMs = -1,
            LogStartOffset = -1,
            ErrorMessage = null,
        }),
    };

    /// <summary>
    /// Looks at the answer and not at the request: with a session (KIP-227) most partitions are not in the request, and a permission may be
    /// taken away while it lasts.
    /// </summary>
    private static async ValueTask<FetchResponse?> FetchAsync(FetchRequest request, RequestContext context, ClusterView view, Func<ValueTask<FetchResponse?>> next)
    {
        // A refusal is told at once, not when data arrives.
        if (request.Topics.Exists(topic => !context.IsVisible(AclOperation.Read, AclResourceType.Topic, NameOf(topic.Topic, topic.TopicId, view))))
            request.MaxWaitMs = 0;
        var response = await next().ConfigureAwait(false);
        foreach (var topic in response?.Responses ?? [])
        {
            if (context.MayTopic(AclOperation.Read, NameOf(topic.Topic, topic.TopicId, view)))
                continue;
            topic.Partitions = topic.Partitions.ConvertAll(partition => new FetchResponse.PartitionData
            {
                PartitionIndex = partition.PartitionIndex,
                ErrorCode = Refused,
                HighWatermark = -1,
                LastStableOffset = -1,
                LogStartOffset = -1,
                Records = ReadOnlyMemory<byte>.Empty,
            });
        }

        return response;
    }

    private static async ValueTask<MetadataResponse?> MetadataAsync(MetadataRequest request, RequestContext context, ClusterView view, Func<ValueTask<MetadataResponse?>> next)
    {
        var asksForAll = request.Topics is null || (context.Version == 0 && request.Topics.Count == 0);
        var refused = new List<MetadataResponse.MetadataResponseTopic>();
        if (!asksForAll)
        {
            var taken = Guard.TakeOut(request.Topics!, topic => topic.Name is null
                ? view.Find(topic.TopicId) is not { } known || context.MayTopic(AclOperation.Describe, known.Name)
                : context.MayTopic(AclOperation.Describe, topic.Name) && (view.Find(topic.Name) is not null || !request.AllowAutoTopicCreation || MayCreate(context, topic.Name)));
            // Who asks by id does not learn that there is such a topic.
            refused = taken.ConvertAll(topic => topic.Name is null
                ? new MetadataResponse.MetadataResponseTopic { ErrorCode = ErrorCode.UnknownTopicId, TopicId = topic.TopicId, Name = null }
                : new() { ErrorCode = Refused, Name = topic.Name, IsInternal = false });
        }

        MetadataResponse? response;
        if (refused.Count > 0 && request.Topics!.Count == 0 && context.Version == 0)
        {
            // In version 0 the empty rest would mean all topics; brokers alone can be asked for with a name that cannot exist.
            request.Topics.Add(new() { Name = "" });
            response = await next().ConfigureAwait(false);
            response?.Topics.Clear();
        }
        else
        {
            response = await next().ConfigureAwait(false);
        }

        if (response is null)
            return null;
        if (asksForAll)
            response.Topics.RemoveAll(topic => !context.IsVisible(AclOperation.Describe, AclResourceType.Topic, topic.Name));
        foreach (var topic in response.Topics.Where(topic => topic.TopicAuthorizedOperations != AuthorizedOperations.NotAsked && topic.Name is not null))
            topic.TopicAuthorizedOperations = Guard.Operations(context, topic.TopicAuthorizedOperations, AclResourceType.Topic, topic.Name!);
        if (response.ClusterAuthorizedOperations != AuthorizedOperations.NotAsked)
            response.ClusterAuthorizedOperations = ClusterGuards.OperationsOf(context, response.ClusterAuthorizedOperations);
        response.Topics.AddRange(refused);
        return response;
    }

    private static async ValueTask<CreateTopicsResponse?> CreateTopicsAsync(CreateTopicsRequest request, RequestContext context, ClusterView view, Func<ValueTask<CreateTopicsResponse?>> next)
    {
        var taken = Guard.TakeOut(request.Topics, topic => MayCreate(context, topic.Name));
        var response = await next().ConfigureAwait(false);
        foreach (var topic in response?.Topics ?? [])
        {
            if (topic.ErrorCode != ErrorCode.None || context.IsVisible(AclOperation.DescribeConfigs, AclResourceType.Topic, topic.Name))
                continue;
            // Made, but what it is like may not be told (KIP-525).
            topic.TopicConfigErrorCode = Refused;
            topic.NumPartitions = -1;
            topic.ReplicationFactor = -1;
            topic.Configs = [];
        }

        response?.Topics.AddRange(taken.Select(topic => topic.Name).Distinct(StringComparer.Ordinal).Select(name =>
            new CreateTopicsResponse.CreatableTopicResult { Name = name, ErrorCode = Refused, ErrorMessage = "Authorization failed.", NumPartitions = -1, ReplicationFactor = -1, Configs = [] }));
        return response;
    }

    private static async ValueTask<DeleteTopicsResponse?> DeleteTopicsAsync(DeleteTopicsRequest request, RequestContext context, ClusterView view, Func<ValueTask<DeleteTopicsResponse?>> next)
    {
        var byName = Guard.TakeOut(request.TopicNames, name => context.MayTopic(AclOperation.Delete, name));
        var states = Guard.TakeOut(request.Topics, topic =>
            topic.Name is null ? view.Find(topic.TopicId) is not { } known || context.MayTopic(AclOperation.Delete, known.Name) : context.MayTopic(AclOperation.Delete, topic.Name));
        var response = await next().ConfigureAwait(false);
        response?.Responses.AddRange(byName.Select(name => new DeleteTopicsResponse.DeletableTopicResult { Name = name, ErrorCode = Refused, ErrorMessage = null }));
        response?.Responses.AddRange(states.Select(topic => new DeleteTopicsResponse.DeletableTopicResult { Name = topic.Name, TopicId = topic.TopicId, ErrorCode = Refused, ErrorMessage = null }));
        return response;
    }

    private static async ValueTask<DescribeTopicPartitionsResponse?> DescribeTopicPartitionsAsync(
        DescribeTopicPartitionsRequest request, RequestContext context, ClusterView view, Func<ValueTask<DescribeTopicPartitionsResponse?>> next)
    {
        var asksForAll = request.Topics.Count == 0;
        var taken = Guard.TakeOut(request.Topics, topic => context.MayTopic(AclOperation.Describe, topic.Name));
        var refused = taken.ConvertAll(topic => new DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic { Name = topic.Name, ErrorCode = Refused });
        if (!asksForAll && request.Topics.Count == 0)
            return new DescribeTopicPartitionsResponse { Topics = refused }; // the empty rest would mean all topics
        var response = await next().ConfigureAwait(false);
        if (asksForAll)
            response?.Topics.RemoveAll(topic => !context.IsVisible(AclOperation.Describe, AclResourceType.Topic, topic.Name));
        foreach (var topic in response?.Topics ?? [])
        {
            if (topic.TopicAuthorizedOperations != AuthorizedOperations.NotAsked && topic.Name is not null)
                topic.TopicAuthorizedOperations = Guard.Operations(context, topic.TopicAuthorizedOperations, AclResourceType.Topic, topic.Name);
        }

        response?.Topics.AddRange(refused);
        return response;
    }

    private static bool MayCreate(RequestContext context, string name) =>
        context.IsVisible(AclOperation.Create, AclResourceType.Cluster, AclBinding.ClusterName) || context.MayTopic(AclOperation.Create, name);

    private static string? NameOf(string name, Guid id, ClusterView view) => string.IsNullOrEmpty(name) && id != Guid.Empty ? view.Find(id)?.Name : name;
}
