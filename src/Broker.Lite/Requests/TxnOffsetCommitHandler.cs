using Broker.Lite.Coordination;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>TxnOffsetCommit (28): store a group's positions that count once the producer's transaction is committed.</summary>
/// <remarks>
/// v2: leader epochs. v3: generation, member and instance id, so that a consumer that lost its partitions cannot commit (KIP-447). The
/// group must have been added to the transaction before.
/// </remarks>
internal sealed class TxnOffsetCommitHandler(BrokerState broker) : RequestHandler<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(0, 3)
{
    protected override async ValueTask<TxnOffsetCommitResponse?> HandleAsync(
        TxnOffsetCommitRequest request, RequestContext context, CancellationToken cancellationToken)
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

        var errors = await broker.Loop.InvokeAsync(() => Commit(request, commits)).ConfigureAwait(false);
        var next = 0;
        return new TxnOffsetCommitResponse
        {
            Topics = request.Topics.ConvertAll(topic => new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition => new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition
                {
                    PartitionIndex = partition.PartitionIndex,
                    ErrorCode = errors[next++],
                }),
            }),
        };
    }

    private ErrorCode[] Commit(TxnOffsetCommitRequest request, List<GroupOffsets.Commit> commits)
    {
        var error = broker.Transactions.CheckOffsets(request.TransactionalId, request.ProducerId, request.ProducerEpoch, request.GroupId);
        if (error == ErrorCode.None)
        {
            return broker.Offsets.CommitInTransaction(
                request.GroupId, request.MemberId, request.GroupInstanceId, request.GenerationId, request.ProducerId, request.ProducerEpoch, commits);
        }

        var errors = new ErrorCode[commits.Count];
        Array.Fill(errors, error);
        return errors;
    }
}
