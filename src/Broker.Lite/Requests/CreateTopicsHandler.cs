using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>CreateTopics (19): make topics, or only say whether they could be made.</summary>
/// <remarks>
/// v1: validate only. v4: -1 partitions or replicas stand for the broker's defaults (KIP-464); like Kafka's, this broker takes it in older
/// versions too, and kafkajs counts on that. v5: the answer carries the topic's effective configuration (KIP-525). v7: and its id.
/// </remarks>
internal sealed class CreateTopicsHandler(BrokerState broker) : RequestHandler<CreateTopicsRequest, CreateTopicsResponse>(0, 7)
{
    private const int UseDefault = -1;

    protected override async ValueTask<CreateTopicsResponse?> HandleAsync(CreateTopicsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var twice = request.Topics
            .GroupBy(topic => topic.Name, StringComparer.Ordinal)
            .Where(group => group.Count() > 1)
            .Select(group => group.Key)
            .ToHashSet(StringComparer.Ordinal);
        var response = new CreateTopicsResponse();
        foreach (var topic in request.Topics)
        {
            if (!twice.Contains(topic.Name))
                response.Topics.Add(await CreateAsync(topic, request.ValidateOnly, cancellationToken).ConfigureAwait(false));
        }

        foreach (var name in twice)
            response.Topics.Add(Failed(name, ErrorCode.InvalidRequest, "The request names this topic more than once"));
        return response;
    }

    private async ValueTask<CreateTopicsResponse.CreatableTopicResult> CreateAsync(
        CreateTopicsRequest.CreatableTopic asked, bool validateOnly, CancellationToken cancellationToken)
    {
        var (error, message) = CheckPlacement(asked, out var partitions);
        if (error != ErrorCode.None)
            return Failed(asked.Name, error, message);
        var configs = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var config in asked.Configs)
        {
            if (!configs.TryAdd(config.Name, config.Value))
                return Failed(asked.Name, ErrorCode.InvalidConfig, $"{config.Name} is given more than once");
        }

        cancellationToken.ThrowIfCancellationRequested();
        var spec = new NewTopic { Name = asked.Name, Partitions = partitions, Configs = configs };
        var result = await broker.Loop.InvokeAsync(() => broker.Catalog.Create(spec, validateOnly)).ConfigureAwait(false);
        if (result.Error != ErrorCode.None)
            return Failed(asked.Name, result.Error, result.Message);

        var effective = broker.View.Config;
        return new()
        {
            Name = asked.Name,
            TopicId = result.TopicId,
            ErrorMessage = null,
            NumPartitions = result.Partitions,
            ReplicationFactor = 1,
            Configs = TopicConfigKeys.All.Values.Select(key =>
            {
                var (value, source) = effective.ForTopic(key, result.Configs);
                return new CreateTopicsResponse.CreatableTopicConfigs { Name = key.Name, Value = value, ConfigSource = (sbyte)source };
            }).ToList(),
        };
    }

    /// <summary>Checks the number of partitions and where their replicas shall be; there is one place.</summary>
    private (ErrorCode Error, string? Message) CheckPlacement(CreateTopicsRequest.CreatableTopic asked, out int? partitions)
    {
        partitions = null;
        if (asked.Assignments.Count > 0)
        {
            if (asked.NumPartitions != UseDefault || asked.ReplicationFactor != UseDefault)
                return (ErrorCode.InvalidRequest, "Partition and replica counts cannot be given together with an assignment");
            var numbers = asked.Assignments.Select(assignment => assignment.PartitionIndex).Order();
            if (!numbers.SequenceEqual(Enumerable.Range(0, asked.Assignments.Count)))
                return (ErrorCode.InvalidReplicaAssignment, "Partitions must be numbered from 0 without gaps");
            if (asked.Assignments.Exists(assignment => assignment.BrokerIds is not [var id] || id != broker.BrokerId))
                return (ErrorCode.InvalidReplicaAssignment, $"The only broker is {broker.BrokerId}");
            partitions = asked.Assignments.Count;
            return (ErrorCode.None, null);
        }

        if (asked.ReplicationFactor is not (1 or UseDefault))
            return (ErrorCode.InvalidReplicationFactor, $"Replication factor {asked.ReplicationFactor} is not possible with 1 broker");
        if (asked.NumPartitions == UseDefault)
            return (ErrorCode.None, null);
        partitions = asked.NumPartitions;
        return (ErrorCode.None, null);
    }

    private static CreateTopicsResponse.CreatableTopicResult Failed(string name, ErrorCode error, string? message) =>
        new() { Name = name, ErrorCode = error, ErrorMessage = message, Configs = [] };
}
