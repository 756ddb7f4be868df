using Broker.Lite.Coordination;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>OffsetFetch (9): a group's committed positions.</summary>
/// <remarks>
/// v2: a null topic list means all. v5: leader epochs. v7: the client may insist on offsets that no open transaction can change (KIP-447): where one can, UNSTABLE_OFFSET_COMMIT. v8: many
/// groups in one request. v9: member epochs (KIP-848). A group or partition without commit is no error: offset -1, leader epoch -1, empty metadata.
/// </remarks>
internal sealed class OffsetFetchHandler(BrokerState broker) : RequestHandler<OffsetFetchRequest, OffsetFetchResponse>(1, 9)
{
    private static readonly CommittedOffset _none = new(-1, -1, "", -1);

    protected override async ValueTask<OffsetFetchResponse?> HandleAsync(OffsetFetchRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (context.Version >= 8)
        {
            var groups = await broker.Loop.InvokeAsync(() => request.Groups.ConvertAll(group => Find(group, request.RequireStable))).ConfigureAwait(false);
            return new OffsetFetchResponse { Groups = groups };
        }

        var topics = await broker.Loop
            .InvokeAsync(() => Find(request.GroupId, request.Topics?.ConvertAll(topic => (topic.Name, topic.PartitionIndexes)), request.RequireStable))
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
                    ErrorCode = offset.Error,
                }),
            }),
        };
    }

    private OffsetFetchResponse.OffsetFetchResponseGroup Find(OffsetFetchRequest.OffsetFetchRequestGroup asked, bool requireStable)
    {
        var response = new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = asked.GroupId };
        // A member of the consumer protocol may say who it is, to hear in time that it is not any more.
        if (asked.MemberEpoch >= 0 && asked.MemberId is { } memberId && broker.Groups.Find(asked.GroupId)?.Consumer is { } consumer)
            response.ErrorCode = ConsumerGroupCoordinator.CheckMember(consumer, memberId, asked.MemberEpoch);
        if (response.ErrorCode != ErrorCode.None)
            return response;
        foreach (var (topic, offsets) in Find(asked.GroupId, asked.Topics?.ConvertAll(topic => (topic.Name, topic.PartitionIndexes)), requireStable))
        {
            response.Topics.Add(new()
            {
                Name = topic,
                Partitions = offsets.ConvertAll(offset => new OffsetFetchResponse.OffsetFetchResponsePartitions
                {
                    PartitionIndex = offset.Partition,
                    CommittedOffset = offset.Committed.Offset,
                    CommittedLeaderEpoch = offset.Committed.LeaderEpoch,
                    Metadata = offset.Committed.Metadata,
                    ErrorCode = offset.Error,
                }),
            });
        }

        return response;
    }

    private List<(string Topic, List<FoundOffset> Offsets)> Find(string groupId, List<(string Name, List<int> Partitions)>? topics, bool requireStable)
    {
        if (topics is not null)
        {
            return topics.ConvertAll(topic => (
                topic.Name,
                topic.Partitions.ConvertAll(partition => Find(groupId, new OffsetPartition(topic.Name, partition), requireStable))));
        }

        return broker.Groups.Find(groupId) is not { } group ? [] : group.Offsets.Keys
            .GroupBy(partition => partition.Topic, StringComparer.Ordinal)
            .Select(topic => (topic.Key, topic.OrderBy(partition => partition.Partition).Select(partition => Find(groupId, partition, requireStable)).ToList()))
            .ToList();
    }

    private FoundOffset Find(string groupId, OffsetPartition partition, bool requireStable) =>
        requireStable && broker.Offsets.IsUnstable(groupId, partition)
            ? new FoundOffset(partition.Partition, _none, ErrorCode.UnstableOffsetCommit)
            : new FoundOffset(partition.Partition, broker.Offsets.Find(groupId, partition) ?? _none, ErrorCode.None);

    private readonly record struct FoundOffset(int Partition, CommittedOffset Committed, ErrorCode Error);
}
