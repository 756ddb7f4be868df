using Broker.Lite.Coordination;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>OffsetCommit (8): store a group's positions.</summary>
/// <remarks>
/// v2–4 carry a retention time, which the broker's own setting replaces (KIP-211). v6: leader epochs. v7: static members. v9: members of the consumer protocol, by their epoch (KIP-848). Generation -1
/// with an empty member id is a client that assigns partitions itself; it is allowed while the group has no members.
/// </remarks>
internal sealed class OffsetCommitHandler(BrokerState broker) : RequestHandler<OffsetCommitRequest, OffsetCommitResponse>(2, 9)
{
    protected override async ValueTask<OffsetCommitResponse?> HandleAsync(OffsetCommitRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var commits = new List<GroupOffsets.Commit>();
        foreach (var topic in request.Topics)
        {
            var known = view.Find(topic.Name);
            foreach (var partition in topic.Partitions)
            {
                commits.Add(new GroupOffsets.Commit(
                    new OffsetPartition(topic.Name, partition.PartitionIndex),
                    partition.CommittedOffset,
                    partition.CommittedLeaderEpoch,
                    partition.CommittedMetadata,
                    Exists: known?.Find(partition.PartitionIndex) is not null));
            }
        }

        var errors = await broker.Loop.InvokeAsync(() => broker.Offsets.CommitAll(
            request.GroupId,
            request.MemberId,
            request.GroupInstanceId,
            request.GenerationIdOrMemberEpoch,
            knowsEpochs: context.Version >= 9,
            commits)).ConfigureAwait(false);

        var response = new OffsetCommitResponse();
        var next = 0;
        foreach (var topic in request.Topics)
        {
            response.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition => new OffsetCommitResponse.OffsetCommitResponsePartition
                {
                    PartitionIndex = partition.PartitionIndex,
                    ErrorCode = errors[next++],
                }),
            });
        }

        return response;
    }
}
