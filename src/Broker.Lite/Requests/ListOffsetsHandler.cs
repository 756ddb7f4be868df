using Broker.Lite.Logs;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ListOffsets (2): the ends of partitions, or the first offset whose timestamp is not before a given one.</summary>
/// <remarks>
/// Timestamps -1 end, -2 start, -3 the record with the largest timestamp (v7, KIP-734). v2: for read-committed clients the end is the last
/// stable offset. v4: leader epochs. A timestamp after all records: offset -1 and timestamp -1, no error.
/// </remarks>
internal sealed class ListOffsetsHandler(BrokerState broker) : RequestHandler<ListOffsetsRequest, ListOffsetsResponse>(1, 7)
{
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long LargestTimestamp = -3;
    private const sbyte ReadCommitted = 1;

    protected override ValueTask<ListOffsetsResponse?> HandleAsync(ListOffsetsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var response = new ListOffsetsResponse();
        foreach (var topic in request.Topics)
        {
            var known = view.Find(topic.Name);
            response.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(asked => Find(known?.Find(asked.PartitionIndex), asked, request.IsolationLevel, context.Version)),
            });
        }

        return ValueTask.FromResult<ListOffsetsResponse?>(response);
    }

    private static ListOffsetsResponse.ListOffsetsPartitionResponse Find(
        Partition? partition, ListOffsetsRequest.ListOffsetsPartition asked, sbyte isolationLevel, short version)
    {
        var result = new ListOffsetsResponse.ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex };
        result.ErrorCode = partition is null ? ErrorCode.UnknownTopicOrPartition : Partition.CheckLeaderEpoch(asked.CurrentLeaderEpoch);
        if (result.ErrorCode != ErrorCode.None)
            return result;

        var isolation = isolationLevel == ReadCommitted ? ReadIsolation.ReadCommitted : ReadIsolation.ReadUncommitted;
        switch (asked.Timestamp)
        {
            case Latest:
                result.Offset = isolation == ReadIsolation.ReadCommitted ? partition!.LastStableOffset : partition!.HighWatermark;
                break;
            case Earliest:
                result.Offset = partition!.LogStartOffset;
                break;
            case LargestTimestamp when version >= 7:
                Set(result, partition!.FindLargestTimestamp());
                break;
            case < 0:
                // Later versions ask for tiered storage here.
                result.ErrorCode = ErrorCode.UnsupportedVersion;
                break;
            default:
                Set(result, partition!.FindByTimestamp(asked.Timestamp, isolation));
                break;
        }

        if (result.Offset >= 0 && version >= 4)
            result.LeaderEpoch = Partition.LeaderEpoch;
        return result;
    }

    private static void Set(ListOffsetsResponse.ListOffsetsPartitionResponse result, OffsetLookup found)
    {
        result.ErrorCode = found.Error;
        result.Offset = found.Offset;
        result.Timestamp = found.Timestamp;
    }
}
