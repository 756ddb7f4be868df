using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>
/// OffsetForLeaderEpoch (23): where an epoch ends, for clients that check whether the log was cut behind their back (KIP-101, KIP-320).
/// </summary>
/// <remarks>The only epoch is 0 and ends at the end of the log; any other is unknown: epoch -1, offset -1.</remarks>
internal sealed class OffsetForLeaderEpochHandler(BrokerState broker)
    : RequestHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(0, 4)
{
    protected override ValueTask<OffsetForLeaderEpochResponse?> HandleAsync(
        OffsetForLeaderEpochRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        return ValueTask.FromResult<OffsetForLeaderEpochResponse?>(new OffsetForLeaderEpochResponse
        {
            Topics = request.Topics.ConvertAll(topic => new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult
            {
                Topic = topic.Topic,
                Partitions = topic.Partitions.ConvertAll(asked => Find(view.Find(topic.Topic, asked.Partition), asked)),
            }),
        });
    }

    private static OffsetForLeaderEpochResponse.EpochEndOffset Find(Partition? partition, OffsetForLeaderEpochRequest.OffsetForLeaderPartition asked)
    {
        var result = new OffsetForLeaderEpochResponse.EpochEndOffset { Partition = asked.Partition };
        result.ErrorCode = partition is null ? ErrorCode.UnknownTopicOrPartition : Partition.CheckLeaderEpoch(asked.CurrentLeaderEpoch);
        if (result.ErrorCode == ErrorCode.None && asked.LeaderEpoch == Partition.LeaderEpoch)
        {
            result.LeaderEpoch = Partition.LeaderEpoch;
            result.EndOffset = partition!.LogEndOffset;
        }

        return result;
    }
}
