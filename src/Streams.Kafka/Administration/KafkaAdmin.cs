using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Administration;

/// <summary>Administration over the managed connections (docs/adr/0010-administration-over-our-own-wire.md).</summary>
/// <remarks>Every call asks for fresh metadata, so nothing is cached that could be stale; the engine calls at start and around rebalances, not per record.</remarks>
internal sealed class KafkaAdmin(BrokerPool brokers, Retry retry) : IClusterAdmin
{
    private const long LatestTimestamp = -1;
    private const long EarliestTimestamp = -2;
    private const sbyte ReadUncommitted = 0;
    private const sbyte ReadCommitted = 1;
    private const int ConsumerReplicaId = -1;

    public Task<IReadOnlyDictionary<string, int>> DescribeTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);
        return RunAsync<IReadOnlyDictionary<string, int>>("Describing topics", async token =>
        {
            var counts = new Dictionary<string, int>();
            if (topics.Count == 0) return counts;
            var metadata = await brokers.MetadataAsync(topics, token).ConfigureAwait(false);
            foreach (var topic in metadata.Topics)
            {
                // Not retried: right after its creation on another broker a topic may be missing here, and the caller looks again in any case.
                if (topic.ErrorCode == ErrorCode.UnknownTopicOrPartition) continue;
                WireErrors.Check(topic.ErrorCode, $"Describing topic {topic.Name}");
                if (topic.Name is not null && topic.Partitions.Count > 0) counts[topic.Name] = topic.Partitions.Count;
            }

            return counts;
        }, cancellationToken);
    }

    public Task<IReadOnlyDictionary<TopicPartition, IReadOnlyCollection<string>>> ReplicaRacksAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);
        return RunAsync<IReadOnlyDictionary<TopicPartition, IReadOnlyCollection<string>>>("Asking for the racks of replicas", async token =>
        {
            var racks = new Dictionary<TopicPartition, IReadOnlyCollection<string>>();
            if (topics.Count == 0) return racks;
            var metadata = await brokers.MetadataAsync(topics, token).ConfigureAwait(false);
            var rackOf = metadata.Brokers.Where(broker => broker.Rack is { Length: > 0 }).ToDictionary(broker => broker.NodeId, broker => broker.Rack!);
            foreach (var topic in metadata.Topics)
            {
                if (topic.ErrorCode == ErrorCode.UnknownTopicOrPartition || topic.Name is null) continue;
                WireErrors.Check(topic.ErrorCode, $"Describing topic {topic.Name}");

                // A replica whose broker is down is not among the brokers: what is known of the others counts.
                foreach (var partition in topic.Partitions)
                    racks[new TopicPartition(topic.Name, partition.PartitionIndex)] = partition.ReplicaNodes.Where(rackOf.ContainsKey).Select(node => rackOf[node]).ToHashSet();
            }

            return racks;
        }, cancellationToken);
    }

    public Task<IReadOnlyCollection<string>> ListTopicsAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyCollection<string>>("Listing topics", async token =>
        {
            var metadata = await brokers.MetadataAsync(null, token).ConfigureAwait(false);
            return metadata.Topics.Where(topic => topic.Name is not null && topic.ErrorCode == ErrorCode.None).Select(topic => topic.Name!).ToArray();
        }, cancellationToken);

    public Task CreateTopicsAsync(IReadOnlyCollection<NewTopic> topics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);

        // What a failed attempt has made is not made again: it answers TOPIC_ALREADY_EXISTS, which is as good.
        return topics.Count == 0 ? Task.CompletedTask : RunAsync("Creating topics", async token =>
        {
            var answer = await SendToControllerAsync<CreateTopicsResponse>(_ => CreateRequest(topics), token).ConfigureAwait(false);
            foreach (var topic in answer.Topics)
            {
                if (topic.ErrorCode != ErrorCode.TopicAlreadyExists) WireErrors.Check(topic.ErrorCode, $"Creating topic {topic.Name}", topic.ErrorMessage);
            }

            return true;
        }, cancellationToken);
    }

    public Task DeleteTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topics);
        return topics.Count == 0 ? Task.CompletedTask : RunAsync("Deleting topics", async token =>
        {
            const short NamesAreStructsFrom = 6;
            var answer = await SendToControllerAsync<DeleteTopicsResponse>(
                version => version >= NamesAreStructsFrom
                    ? new DeleteTopicsRequest
                    {
                        Topics = [.. topics.Select(name => new DeleteTopicsRequest.DeleteTopicState { Name = name })],
                        TimeoutMs = RequestTimeoutMs,
                    }
                    : new DeleteTopicsRequest { TopicNames = [.. topics], TimeoutMs = RequestTimeoutMs },
                token).ConfigureAwait(false);
            foreach (var topic in answer.Responses)
            {
                if (topic.ErrorCode != ErrorCode.UnknownTopicOrPartition) WireErrors.Check(topic.ErrorCode, $"Deleting topic {topic.Name}", topic.ErrorMessage);
            }

            return true;
        }, cancellationToken);
    }

    public Task<IReadOnlyDictionary<TopicPartition, long>> BeginningOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
        ListOffsetsAsync(partitions, EarliestTimestamp, ReadUncommitted, cancellationToken);

    public Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(
        IReadOnlyCollection<TopicPartition> partitions, bool readCommitted, CancellationToken cancellationToken) =>
        ListOffsetsAsync(partitions, LatestTimestamp, readCommitted ? ReadCommitted : ReadUncommitted, cancellationToken);

    public async Task<IReadOnlyDictionary<TopicPartition, long>> OffsetsForTimeAsync(
        IReadOnlyCollection<TopicPartition> partitions, DateTimeOffset time, CancellationToken cancellationToken)
    {
        // Negative timestamps are commands of the protocol (-1 latest, -2 earliest): an older time means the first record.
        var timestamp = Math.Max(0, time.ToUnixTimeMilliseconds());

        // The end is asked first: what is written in between is then found by the look-up or lies behind the end, never skipped.
        var ends = await ListOffsetsAsync(partitions, LatestTimestamp, ReadUncommitted, cancellationToken).ConfigureAwait(false);
        var found = await ListOffsetsAsync(partitions, timestamp, ReadUncommitted, cancellationToken).ConfigureAwait(false);
        return found.ToDictionary(pair => pair.Key, pair => pair.Value >= 0 ? pair.Value : ends[pair.Key]);
    }

    public Task DeleteRecordsAsync(IReadOnlyCollection<TopicPartitionOffset> before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(before);
        return before.Count == 0 ? Task.CompletedTask : RunAsync("Deleting records", async token =>
        {
            foreach (var (leader, partitions) in await ByLeaderAsync(before, item => item.Partition, token).ConfigureAwait(false))
            {
                var topics = partitions.GroupBy(item => item.Partition.Topic).Select(topic => new DeleteRecordsRequest.DeleteRecordsTopic
                {
                    Name = topic.Key,
                    Partitions =
                    [
                        .. topic.Select(item => new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = item.Partition.Partition, Offset = item.Offset }),
                    ],
                });
                var request = new DeleteRecordsRequest { Topics = [.. topics], TimeoutMs = RequestTimeoutMs };
                var answer = await brokers.SendAsync<DeleteRecordsResponse>(leader, _ => request, brokers.Settings.RequestTimeout, token).ConfigureAwait(false);
                foreach (var topic in answer.Topics)
                {
                    foreach (var partition in topic.Partitions)
                        WireErrors.Check(partition.ErrorCode, $"Deleting records of {topic.Name}-{partition.PartitionIndex}");
                }
            }

            return true;
        }, cancellationToken);
    }

    /// <summary>The connections belong to the cluster, which outlives its administrators.</summary>
    public void Dispose()
    {
    }

    private int RequestTimeoutMs => (int)brokers.Settings.RequestTimeout.TotalMilliseconds;

    private Task<T> RunAsync<T>(string what, Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken) =>
        retry.RunAsync(what, brokers.Settings.ApiTimeout, operation, cancellationToken);

    private CreateTopicsRequest CreateRequest(IReadOnlyCollection<NewTopic> topics) => new()
    {
        TimeoutMs = RequestTimeoutMs,
        Topics =
        [
            .. topics.Select(topic => new CreateTopicsRequest.CreatableTopic
            {
                Name = topic.Name,
                NumPartitions = topic.PartitionCount,
                ReplicationFactor = topic.ReplicationFactor,
                Configs = [.. topic.Config.Select(pair => new CreateTopicsRequest.CreatableTopicConfig { Name = pair.Key, Value = pair.Value })],
            }),
        ],
    };

    private Task<IReadOnlyDictionary<TopicPartition, long>> ListOffsetsAsync(
        IReadOnlyCollection<TopicPartition> partitions, long timestamp, sbyte isolationLevel, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        return RunAsync<IReadOnlyDictionary<TopicPartition, long>>("Listing offsets", async token =>
        {
            var offsets = new Dictionary<TopicPartition, long>();
            if (partitions.Count == 0) return offsets;
            foreach (var (leader, own) in await ByLeaderAsync(partitions, partition => partition, token).ConfigureAwait(false))
            {
                var topics = own.GroupBy(partition => partition.Topic).Select(topic => new ListOffsetsRequest.ListOffsetsTopic
                {
                    Name = topic.Key,
                    Partitions =
                    [
                        .. topic.Select(partition => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = partition.Partition, Timestamp = timestamp }),
                    ],
                });
                var request = new ListOffsetsRequest { ReplicaId = ConsumerReplicaId, IsolationLevel = isolationLevel, Topics = [.. topics] };
                var answer = await brokers.SendAsync<ListOffsetsResponse>(leader, _ => request, brokers.Settings.RequestTimeout, token).ConfigureAwait(false);
                foreach (var topic in answer.Topics)
                {
                    foreach (var partition in topic.Partitions)
                    {
                        WireErrors.Check(partition.ErrorCode, $"Listing offsets of {topic.Name}-{partition.PartitionIndex}");

                        // Version 0 had a list of segment starts instead of one offset.
                        var offset = partition.OldStyleOffsets.Count > 0 ? partition.OldStyleOffsets[0] : partition.Offset;
                        offsets[new TopicPartition(topic.Name, partition.PartitionIndex)] = offset;
                    }
                }
            }

            var missing = partitions.Where(partition => !offsets.ContainsKey(partition)).ToArray();
            return missing.Length == 0
                ? offsets
                : throw new ConnectionLostException($"the answer lacks {string.Join(", ", missing)}");
        }, cancellationToken);
    }

    private async Task<TResponse> SendToControllerAsync<TResponse>(Func<short, IRequest<TResponse>> build, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var metadata = await brokers.MetadataAsync([], cancellationToken).ConfigureAwait(false);
        var controller = metadata.Brokers.Find(broker => broker.NodeId == metadata.ControllerId);
        if (controller is null) throw new ConnectionLostException("the cluster names no controller at the moment");
        var address = new BrokerAddress(controller.Host, controller.Port);
        return await brokers.SendAsync(address, build, brokers.Settings.RequestTimeout + brokers.Settings.RequestTimeout, cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<KeyValuePair<BrokerAddress, List<T>>>> ByLeaderAsync<T>(
        IReadOnlyCollection<T> items, Func<T, TopicPartition> partitionOf, CancellationToken cancellationToken)
    {
        var metadata = await brokers.MetadataAsync(items.Select(item => partitionOf(item).Topic).Distinct(), cancellationToken).ConfigureAwait(false);
        var addresses = metadata.Brokers.ToDictionary(broker => broker.NodeId, broker => new BrokerAddress(broker.Host, broker.Port));
        var leaders = new Dictionary<TopicPartition, BrokerAddress>();
        foreach (var topic in metadata.Topics)
        {
            WireErrors.Check(topic.ErrorCode, $"Looking for the leaders of topic {topic.Name}");
            foreach (var partition in topic.Partitions)
            {
                if (addresses.TryGetValue(partition.LeaderId, out var leader)) leaders[new TopicPartition(topic.Name!, partition.PartitionIndex)] = leader;
            }
        }

        var groups = new Dictionary<BrokerAddress, List<T>>();
        foreach (var item in items)
        {
            if (!leaders.TryGetValue(partitionOf(item), out var leader))
                throw new RetriableErrorException(ErrorCode.LeaderNotAvailable, $"Looking for the leader of {partitionOf(item)}");
            if (!groups.TryGetValue(leader, out var list)) groups.Add(leader, list = []);
            list.Add(item);
        }

        return [.. groups];
    }
}
