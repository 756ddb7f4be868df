using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Client;

/// <summary>The tool's view of a cluster: connections to its brokers, leaders of partitions and coordinators of groups.</summary>
internal sealed class ClusterClient(ClientSettings settings) : IAsyncDisposable
{
    private const int Retries = 20;
    private static readonly TimeSpan _retryPause = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<(string, int), WireConnection> _connections = [];
    private readonly Dictionary<int, (string Host, int Port)> _nodes = [];

    /// <summary>Any broker: the first bootstrap server that answers.</summary>
    public async Task<WireConnection> AnyAsync(CancellationToken cancellationToken)
    {
        ToolException? last = null;
        foreach (var address in settings.Bootstrap)
        {
            try
            {
                return await ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            }
            catch (ToolException e)
            {
                last = e;
            }
        }

        throw last!;
    }

    /// <summary>The broker with a node id, known from metadata or a coordinator's address.</summary>
    public Task<WireConnection> NodeAsync(int nodeId, CancellationToken cancellationToken) =>
        _nodes.TryGetValue(nodeId, out var address) ? ConnectAsync(address, cancellationToken) : throw new ToolException($"The cluster has no broker {nodeId}");

    /// <summary>The broker that takes changes of topics and settings.</summary>
    public async Task<WireConnection> ControllerAsync(CancellationToken cancellationToken)
    {
        var metadata = await MetadataAsync([], cancellationToken).ConfigureAwait(false);
        return metadata.ControllerId >= 0 ? await NodeAsync(metadata.ControllerId, cancellationToken).ConfigureAwait(false) : await AnyAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks about topics, null for all; none is created.</summary>
    public async Task<MetadataResponse> MetadataAsync(IReadOnlyList<string>? topics, CancellationToken cancellationToken)
    {
        var any = await AnyAsync(cancellationToken).ConfigureAwait(false);
        var metadata = await any.SendAsync(
            version => new MetadataRequest
            {
                Topics = topics?.Select(name => new MetadataRequest.MetadataRequestTopic { Name = name }).ToList() ?? (version == 0 ? [] : null),
                AllowAutoTopicCreation = version < 4,
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var node in metadata.Brokers)
            _nodes[node.NodeId] = (node.Host, node.Port);
        return metadata;
    }

    /// <summary>A topic with its partitions.</summary>
    /// <exception cref="ToolException">There is none, or it may not be seen.</exception>
    public async Task<MetadataResponse.MetadataResponseTopic> TopicAsync(string name, CancellationToken cancellationToken)
    {
        var topic = (await MetadataAsync([name], cancellationToken).ConfigureAwait(false)).Topics.Single();
        Check(topic.ErrorCode, null, $"Topic {name}");
        return topic;
    }

    /// <summary>The coordinator of a group.</summary>
    public async Task<WireConnection> CoordinatorAsync(string group, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var any = await AnyAsync(cancellationToken).ConfigureAwait(false);
            var answer = await any.SendAsync(
                version => version >= 4 ? new FindCoordinatorRequest { CoordinatorKeys = [group] } : new FindCoordinatorRequest { Key = group },
                cancellationToken).ConfigureAwait(false);
            var found = answer.Coordinators.Count > 0
                ? answer.Coordinators[0]
                : new FindCoordinatorResponse.Coordinator { NodeId = answer.NodeId, Host = answer.Host, Port = answer.Port, ErrorCode = answer.ErrorCode, ErrorMessage = answer.ErrorMessage };
            if (found.ErrorCode == ErrorCode.CoordinatorNotAvailable && attempt < Retries)
            {
                // A cluster that never had a group makes its offsets topic now.
                await Task.Delay(_retryPause, cancellationToken).ConfigureAwait(false);
                continue;
            }

            Check(found.ErrorCode, found.ErrorMessage, $"Group {group}");
            return await ConnectAsync((found.Host, found.Port), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs a request for partitions against the leader of each and returns the answers.</summary>
    public async Task<List<TResponse>> ToLeadersAsync<TResponse>(
        IEnumerable<TopicPartitionName> partitions, Func<List<TopicPartitionName>, short, IRequest<TResponse>> build, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var wanted = partitions.ToList();
        if (wanted.Count == 0)
            return [];
        var metadata = await MetadataAsync([.. wanted.Select(partition => partition.Topic).Distinct(StringComparer.Ordinal)], cancellationToken).ConfigureAwait(false);
        var leaders = new Dictionary<TopicPartitionName, int>();
        foreach (var topic in metadata.Topics)
        {
            Check(topic.ErrorCode, null, $"Topic {topic.Name}");
            foreach (var partition in topic.Partitions)
                leaders[new(topic.Name!, partition.PartitionIndex)] = partition.LeaderId;
        }

        var answers = new List<TResponse>();
        foreach (var group in wanted.GroupBy(partition => leaders.TryGetValue(partition, out var leader) ? leader : throw new ToolException($"There is no partition {partition}")))
        {
            if (group.Key < 0)
                throw new ToolException($"Partition {group.First()} has no leader");
            var node = await NodeAsync(group.Key, cancellationToken).ConfigureAwait(false);
            answers.Add(await node.SendAsync(version => build([.. group], version), cancellationToken).ConfigureAwait(false));
        }

        return answers;
    }

    /// <summary>Offsets of partitions: at a timestamp in milliseconds, -1 for the end, -2 for the start; -1 where there is none.</summary>
    public async Task<Dictionary<TopicPartitionName, long>> OffsetsAsync(IEnumerable<TopicPartitionName> partitions, long timestamp, CancellationToken cancellationToken)
    {
        var answers = await ToLeadersAsync(
            partitions,
            (mine, version) => new ListOffsetsRequest
            {
                ReplicaId = -1,
                Topics = [.. mine.GroupBy(partition => partition.Topic, StringComparer.Ordinal).Select(topic => new ListOffsetsRequest.ListOffsetsTopic
                {
                    Name = topic.Key,
                    Partitions = [.. topic.Select(partition => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = partition.Partition, Timestamp = timestamp, CurrentLeaderEpoch = -1, MaxNumOffsets = 1 })],
                })],
            },
            cancellationToken).ConfigureAwait(false);
        var offsets = new Dictionary<TopicPartitionName, long>();
        foreach (var topic in answers.SelectMany(answer => answer.Topics))
        {
            foreach (var partition in topic.Partitions)
            {
                Check(partition.ErrorCode, null, $"Offsets of {topic.Name}-{partition.PartitionIndex}");
                offsets[new(topic.Name, partition.PartitionIndex)] = partition.OldStyleOffsets.Count > 0 ? partition.OldStyleOffsets[0] : partition.Offset;
            }
        }

        return offsets;
    }

    /// <exception cref="ToolException">There is an error.</exception>
    public static void Check(ErrorCode error, string? message, string subject)
    {
        if (error != ErrorCode.None)
            throw new ToolException(string.IsNullOrEmpty(message) ? $"{subject}: {error.ProtocolName()}" : $"{subject}: {message} ({error.ProtocolName()})");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<WireConnection> ConnectAsync((string Host, int Port) address, CancellationToken cancellationToken)
    {
        if (_connections.TryGetValue(address, out var known))
            return known;
        var connection = await WireConnection.OpenAsync(address, settings, cancellationToken).ConfigureAwait(false);
        _connections[address] = connection;
        return connection;
    }
}
