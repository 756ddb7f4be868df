using Broker.Lite.Diagnostics;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// The journal of groups as Kafka keeps it: the compacted topic <c>__consumer_offsets</c>, a group always in the same partition of it.
/// </summary>
internal sealed class OffsetsTopic(TopicCatalog catalog, TimeProvider time, ILogger logger) : IGroupJournal
{
    private readonly CoordinatorTopic _topic = new(catalog, time, TopicName.ConsumerOffsets, BrokerConfigKeys.OffsetsTopicPartitions);

    public JournalResult Append(string groupId, IReadOnlyList<JournalEntry> entries) => _topic.Append(groupId, entries);

    public JournalResult AppendInTransaction(string groupId, long producerId, short producerEpoch, IReadOnlyList<JournalEntry> entries) =>
        _topic.Append(groupId, entries, producerId, producerEpoch);

    public int PartitionOf(string groupId) => catalog.View.Find(TopicName.ConsumerOffsets) is { } topic
        ? CoordinatorTopic.PartitionOf(groupId, topic.Partitions.Length)
        : 0;

    /// <summary>The partition of a group, whose topic is created if there is none yet.</summary>
    public ErrorCode TryGetPartition(string groupId, out Partition? partition) => _topic.TryGetPartition(groupId, out partition);

    /// <summary>Reads the whole topic into the groups. Before the broker serves anybody.</summary>
    public void Replay(GroupDirectory groups)
    {
        long records = 0;
        _topic.ReadAll(
            (partition, batch, record) =>
            {
                records++;
                // Copied: the readers of the formats work on memory, and this happens once per start.
                var value = record.IsValueNull ? (ReadOnlyMemory<byte>?)null : record.Value.ToArray();
                var origin = new ReplayOrigin(record.Offset, batch.IsTransactional ? batch.ProducerId : -1);
                try
                {
                    if (!OffsetsTopicFormat.Replay(record.Key.ToArray(), value, groups, origin))
                        Log.GroupRecordSkipped(logger, partition.Topic, partition.Index, record.Offset, "its version is not known");
                }
                catch (ProtocolException e)
                {
                    Log.GroupRecordSkipped(logger, partition.Topic, partition.Index, record.Offset, e.Message);
                }
            },
            (partition, producerId, isCommit) => groups.CompleteTransaction(
                producerId, isCommit, groupId => PartitionOf(groupId) == partition.Index));
        Log.GroupsRestored(logger, groups.All.Count, groups.All.Sum(group => group.Offsets.Count), records);
    }
}
