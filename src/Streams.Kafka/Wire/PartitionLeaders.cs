using System.Collections.Concurrent;
using Kafka.Protocol;
using Streams.Core;

namespace Streams.Kafka.Wire;

/// <summary>The broker that leads a partition, and since which election.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Epoch">Leader epoch; -1 when the cluster does not tell.</param>
internal readonly record struct Leader(BrokerAddress Address, int Epoch);

/// <summary>Which broker leads which partition, as the cluster last said. Safe from several threads.</summary>
/// <remarks>Knows only what it was asked to look up; an entry stays until it is forgotten or replaced by a newer epoch's.</remarks>
internal sealed class PartitionLeaders(BrokerPool brokers)
{
    private readonly ConcurrentDictionary<TopicPartition, Leader> _leaders = [];
    private readonly ConcurrentDictionary<int, BrokerAddress> _nodes = [];

    /// <summary>The leader, as far as is known.</summary>
    public Leader? Find(TopicPartition partition) => _leaders.TryGetValue(partition, out var leader) ? leader : null;

    /// <summary>Where a node is, as far as is known.</summary>
    public BrokerAddress? Address(int nodeId) => _nodes.TryGetValue(nodeId, out var address) ? address : null;

    /// <summary>Takes the leader for unknown until it has been looked up again.</summary>
    public void Forget(TopicPartition partition) => _leaders.TryRemove(partition, out _);

    /// <summary>Looks the leaders of whole topics up, once.</summary>
    /// <returns>What the cluster says against each topic; empty when it knows all of them. A partition that has no leader now just stays unknown.</returns>
    /// <exception cref="ConnectionLostException">No answer; another attempt may succeed.</exception>
    /// <exception cref="ClusterException">The broker refuses.</exception>
    public async Task<IReadOnlyDictionary<string, ErrorCode>> RefreshAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        var answer = await brokers.MetadataAsync(topics, cancellationToken).ConfigureAwait(false);
        var addresses = answer.Brokers.ToDictionary(broker => broker.NodeId, broker => new BrokerAddress(broker.Host, broker.Port));
        foreach (var (nodeId, address) in addresses) _nodes[nodeId] = address;
        var refused = new Dictionary<string, ErrorCode>();
        foreach (var topic in answer.Topics)
        {
            if (topic.Name is not { } name) continue;
            if (topic.ErrorCode is not (ErrorCode.None or ErrorCode.LeaderNotAvailable)) refused[name] = topic.ErrorCode;
            foreach (var partition in topic.Partitions)
            {
                if (!addresses.TryGetValue(partition.LeaderId, out var address)) continue;
                var found = new Leader(address, partition.LeaderEpoch);

                // A broker that has not heard of the last election yet must not send us back to the leader before it (KIP-320).
                _leaders.AddOrUpdate(new TopicPartition(name, partition.PartitionIndex), found, (_, known) => found.Epoch >= 0 && found.Epoch < known.Epoch ? known : found);
            }
        }

        return refused;
    }
}
