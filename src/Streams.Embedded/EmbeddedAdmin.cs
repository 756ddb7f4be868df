using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Embedded;

/// <summary>Topics and offsets of a broker in this process.</summary>
internal sealed class EmbeddedAdmin(BrokerConnection connection) : IClusterAdmin
{
    private const long EarliestTimestamp = -2;
    private const long LatestTimestamp = -1;
    private const int TimeoutMs = 30_000;

    public async Task<IReadOnlyDictionary<string, int>> DescribeTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        if (topics.Count == 0) return new Dictionary<string, int>();
        var response = await connection.AskAsync(
            new MetadataRequest { Topics = [.. topics.Select(topic => new MetadataRequest.MetadataRequestTopic { Name = topic })], AllowAutoTopicCreation = false },
            cancellationToken).ConfigureAwait(false);
        var counts = new Dictionary<string, int>();
        foreach (var topic in response.Topics)
        {
            if (topic.ErrorCode == ErrorCode.UnknownTopicOrPartition) continue;
            BrokerErrors.ThrowIfError(topic.ErrorCode, $"Topic '{topic.Name}'");
            counts[topic.Name!] = topic.Partitions.Count;
        }

        return counts;
    }

    public async Task<IReadOnlyCollection<string>> ListTopicsAsync(CancellationToken cancellationToken)
    {
        var response = await connection.AskAsync(new MetadataRequest { Topics = null, AllowAutoTopicCreation = false }, cancellationToken).ConfigureAwait(false);
        return [.. response.Topics.Where(topic => !topic.IsInternal).Select(topic => topic.Name!)];
    }

    public async Task CreateTopicsAsync(IReadOnlyCollection<NewTopic> topics, CancellationToken cancellationToken)
    {
        if (topics.Count == 0) return;
        var request = new CreateTopicsRequest { TimeoutMs = TimeoutMs };
        foreach (var topic in topics)
        {
            request.Topics.Add(new CreateTopicsRequest.CreatableTopic
            {
                Name = topic.Name,
                NumPartitions = topic.PartitionCount,
                ReplicationFactor = topic.ReplicationFactor,
                Configs = [.. topic.Config.Select(setting => new CreateTopicsRequest.CreatableTopicConfig { Name = setting.Key, Value = setting.Value })],
            });
        }

        var response = await connection.AskAsync(request, cancellationToken).ConfigureAwait(false);
        foreach (var topic in response.Topics)
        {
            if (topic.ErrorCode != ErrorCode.TopicAlreadyExists)
                BrokerErrors.ThrowIfError(topic.ErrorCode, $"Topic '{topic.Name}' cannot be created{(topic.ErrorMessage is { Length: > 0 } reason ? $" ({reason})" : "")}");
        }
    }

    public async Task DeleteTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        if (topics.Count == 0) return;
        var response = await connection.AskAsync(
            new DeleteTopicsRequest
            {
                Topics = [.. topics.Select(topic => new DeleteTopicsRequest.DeleteTopicState { Name = topic })],
                TopicNames = [.. topics],
                TimeoutMs = TimeoutMs,
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var topic in response.Responses)
        {
            if (topic.ErrorCode != ErrorCode.UnknownTopicOrPartition) BrokerErrors.ThrowIfError(topic.ErrorCode, $"Topic '{topic.Name}' cannot be deleted");
        }
    }

    public Task<IReadOnlyDictionary<TopicPartition, long>> BeginningOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
        ListOffsetsAsync(partitions, EarliestTimestamp, readCommitted: false, cancellationToken);

    public Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, bool readCommitted, CancellationToken cancellationToken) =>
        ListOffsetsAsync(partitions, LatestTimestamp, readCommitted, cancellationToken);

    public async Task<IReadOnlyDictionary<TopicPartition, long>> OffsetsForTimeAsync(
        IReadOnlyCollection<TopicPartition> partitions,
        DateTimeOffset time,
        CancellationToken cancellationToken)
    {
        var found = await ListOffsetsAsync(partitions, Math.Max(0, time.ToUnixTimeMilliseconds()), readCommitted: false, cancellationToken).ConfigureAwait(false);
        if (found.Values.All(offset => offset >= 0)) return found;
        var ends = await EndOffsetsAsync([.. found.Where(entry => entry.Value < 0).Select(entry => entry.Key)], readCommitted: false, cancellationToken).ConfigureAwait(false);
        return found.ToDictionary(entry => entry.Key, entry => entry.Value < 0 ? ends[entry.Key] : entry.Value);
    }

    public async Task DeleteRecordsAsync(IReadOnlyCollection<TopicPartitionOffset> before, CancellationToken cancellationToken)
    {
        if (before.Count == 0) return;
        var request = new DeleteRecordsRequest { TimeoutMs = TimeoutMs };
        foreach (var topic in before.GroupBy(entry => entry.Partition.Topic))
        {
            request.Topics.Add(new DeleteRecordsRequest.DeleteRecordsTopic
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(entry => new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = entry.Partition.Partition, Offset = entry.Offset })],
            });
        }

        var response = await connection.AskAsync(request, cancellationToken).ConfigureAwait(false);
        foreach (var topic in response.Topics)
        {
            foreach (var partition in topic.Partitions) BrokerErrors.ThrowIfError(partition.ErrorCode, $"Records of {topic.Name}-{partition.PartitionIndex} cannot be deleted");
        }
    }

    public void Dispose()
    {
        // A local connection holds nothing.
    }

    private async Task<IReadOnlyDictionary<TopicPartition, long>> ListOffsetsAsync(
        IReadOnlyCollection<TopicPartition> partitions,
        long timestamp,
        bool readCommitted,
        CancellationToken cancellationToken)
    {
        var offsets = new Dictionary<TopicPartition, long>();
        if (partitions.Count == 0) return offsets;
        var request = new ListOffsetsRequest { ReplicaId = -1, IsolationLevel = readCommitted ? (sbyte)1 : (sbyte)0 };
        foreach (var topic in partitions.GroupBy(partition => partition.Topic))
        {
            request.Topics.Add(new ListOffsetsRequest.ListOffsetsTopic
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(partition => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = partition.Partition, Timestamp = timestamp })],
            });
        }

        var response = await connection.AskAsync(request, cancellationToken).ConfigureAwait(false);
        foreach (var topic in response.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                BrokerErrors.ThrowIfError(partition.ErrorCode, $"Offsets of {topic.Name}-{partition.PartitionIndex} cannot be looked up");
                offsets[new TopicPartition(topic.Name, partition.PartitionIndex)] = partition.Offset;
            }
        }

        return offsets;
    }
}
