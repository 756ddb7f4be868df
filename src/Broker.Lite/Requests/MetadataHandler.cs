using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>Metadata (3): the one broker, and topics with their partitions; creates missing topics if client and broker allow it.</summary>
/// <remarks>
/// v0: an empty list means all topics. v1: null means all, empty none. v4: the client says whether topics may be created; before, yes.
/// v8–10: authorised operations on request (KIP-430). v10: topic ids; from v12 a topic can be asked for by id (KIP-516).
/// Leader epochs are 0 for ever: there is one leader and it never changes.
/// </remarks>
internal sealed class MetadataHandler(BrokerState broker) : RequestHandler<MetadataRequest, MetadataResponse>(0, 12)
{
    protected override async ValueTask<MetadataResponse?> HandleAsync(MetadataRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var response = new MetadataResponse
        {
            ClusterId = view.ClusterId,
            ControllerId = broker.BrokerId,
            Brokers = [new() { NodeId = broker.BrokerId, Host = context.Advertised.Host, Port = context.Advertised.Port }],
        };
        if (request.IncludeClusterAuthorizedOperations && context.Version <= 10)
            response.ClusterAuthorizedOperations = AuthorizedOperations.Cluster;

        if (request.Topics is null || (context.Version == 0 && request.Topics.Count == 0))
        {
            foreach (var topic in view.Topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal))
                response.Topics.Add(Describe(topic, request));
            return response;
        }

        var mayCreate = request.AllowAutoTopicCreation && view.Config.Flag(BrokerConfigKeys.AutoCreateTopics);
        foreach (var asked in request.Topics)
            response.Topics.Add(await FindAsync(asked, mayCreate, request, cancellationToken).ConfigureAwait(false));
        return response;
    }

    private async ValueTask<MetadataResponse.MetadataResponseTopic> FindAsync(
        MetadataRequest.MetadataRequestTopic asked, bool mayCreate, MetadataRequest request, CancellationToken cancellationToken)
    {
        if (asked.Name is null)
        {
            return broker.View.Find(asked.TopicId) is { } byId
                ? Describe(byId, request)
                : new() { ErrorCode = ErrorCode.UnknownTopicId, TopicId = asked.TopicId, Name = null };
        }

        if (broker.View.Find(asked.Name) is { } topic)
            return Describe(topic, request);
        if (TopicName.Fault(asked.Name) is not null)
            return new() { ErrorCode = ErrorCode.InvalidTopicException, Name = asked.Name };
        if (!mayCreate)
            return new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = asked.Name };

        cancellationToken.ThrowIfCancellationRequested();
        await broker.Loop.InvokeAsync(() => broker.Catalog.Create(new NewTopic { Name = asked.Name })).ConfigureAwait(false);
        // Whether this request created it or another one did meanwhile, it is there now, unless creating failed.
        return broker.View.Find(asked.Name) is { } created
            ? Describe(created, request)
            : new() { ErrorCode = ErrorCode.UnknownTopicOrPartition, Name = asked.Name };
    }

    private MetadataResponse.MetadataResponseTopic Describe(Topic topic, MetadataRequest request)
    {
        var result = new MetadataResponse.MetadataResponseTopic
        {
            Name = topic.Name,
            TopicId = topic.Id,
            IsInternal = topic.IsInternal,
            TopicAuthorizedOperations = request.IncludeTopicAuthorizedOperations ? AuthorizedOperations.Topic : AuthorizedOperations.NotAsked,
        };
        for (var partition = 0; partition < topic.Partitions.Length; partition++)
        {
            result.Partitions.Add(new()
            {
                PartitionIndex = partition,
                LeaderId = broker.BrokerId,
                LeaderEpoch = Partition.LeaderEpoch,
                ReplicaNodes = [broker.BrokerId],
                IsrNodes = [broker.BrokerId],
            });
        }

        return result;
    }
}
