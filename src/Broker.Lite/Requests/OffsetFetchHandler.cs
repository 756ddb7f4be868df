using Broker.Lite.Coordination;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>OffsetFetch (9): a group's committed positions.</summary>
/// <remarks>
/// v2: a null topic list means all. v5: leader epochs. v7: the client may insist on offsets without open transactions (KIP-447). v8: many
/// groups in one request. A group or partition without commit is no error: offset -1, leader epoch -1, empty metadata.
/// </remarks>
internal sealed class OffsetFetchHandler(BrokerState broker) : RequestHandler<OffsetFetchRequest, OffsetFetchResponse>(1, 8)
{
    private static readonly CommittedOffset _none = new(-1, -1, "", -1);

    protected override async ValueTask<OffsetFetchResponse?> HandleAsync(OffsetFetchRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (context.Version >= 8)
        {
            var groups = await broker.Loop.InvokeAsync(() => request.Groups.ConvertAll(group => new OffsetFetchResponse.OffsetFetchResponseGroup
            {
                GroupId = group.GroupId,
                Topics = Find(group.GroupId, group.Topics?.ConvertAll(topic => (topic.Name, topic.PartitionIndexes))).ConvertAll(topic =>
                    new OffsetFetchResponse.OffsetFetchResponseTopics
                    {
                        Name = topic.Topic,
                        Partitions = topic.Offsets.ConvertAll(offset => new OffsetFetchResponse.OffsetFetchResponsePartitions
                        {
                            PartitionIndex = offset.Partition,
                            CommittedOffset = offset.Committed.Offset,
                            CommittedLeaderEpoch = offset.Committed.LeaderEpoch,
                            Metadata = offset.Committed.Metadata,
                        }),
                    }),
            })).ConfigureAwait(false);
            return new OffsetFetchResponse { Groups = groups };
        }

        var topics = await broker.Loop
            .InvokeAsync(() => Find(request.GroupId, request.Topics?.ConvertAll(topic => (topic.Name, topic.PartitionIndexes))))
            .ConfigureAwait(false);
        return new OffsetFetchResponse
        {
            Topics = topics.ConvertAll(topic => new OffsetFetchResponse.OffsetFetchResponseTopic
            {
                Name = topic.Topic,
                Partitions = topic.Offsets.ConvertAll(offset => new OffsetFetchResponse.OffsetFetchResponsePartition
                {
                    PartitionIndex = offset.Partition,
                    CommittedOffset = offset.Committed.Offset,
                    CommittedLeaderEpoch = offset.Committed.LeaderEpoch,
                    Metadata = offset.Committed.Metadata,
                }),
            }),
        };
    }

    private List<(string Topic, List<(int Partition, CommittedOffset Committed)> Offsets)> Find(
        string groupId, List<(string Name, List<int> Partitions)>? topics)
    {
        if (topics is not null)
        {
            return topics.ConvertAll(topic => (
                topic.Name,
                topic.Partitions.ConvertAll(partition => (partition, broker.Offsets.Find(groupId, new OffsetPartition(topic.Name, partition)) ?? _none))));
        }

        return broker.Groups.Find(groupId) is not { } group ? [] : group.Offsets
            .GroupBy(entry => entry.Key.Topic, entry => (entry.Key.Partition, entry.Value), StringComparer.Ordinal)
            .Select(topic => (topic.Key, topic.OrderBy(entry => entry.Partition).ToList()))
            .ToList();
    }
}
