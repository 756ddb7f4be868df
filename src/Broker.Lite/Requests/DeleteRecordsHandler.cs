using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DeleteRecords (21): move the start of partitions forward; -1 means up to the high watermark (KIP-107).</summary>
internal sealed class DeleteRecordsHandler(BrokerState broker) : RequestHandler<DeleteRecordsRequest, DeleteRecordsResponse>(0, 2)
{
    private const long ToHighWatermark = -1;

    protected override ValueTask<DeleteRecordsResponse?> HandleAsync(DeleteRecordsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var response = new DeleteRecordsResponse();
        foreach (var asked in request.Topics)
        {
            var topic = view.Find(asked.Name);
            response.Topics.Add(new()
            {
                Name = asked.Name,
                Partitions = asked.Partitions.ConvertAll(partition => Delete(view, topic, partition)),
            });
        }

        return ValueTask.FromResult<DeleteRecordsResponse?>(response);
    }

    private static DeleteRecordsResponse.DeleteRecordsPartitionResult Delete(ClusterView view, Topic? topic, DeleteRecordsRequest.DeleteRecordsPartition asked)
    {
        var result = new DeleteRecordsResponse.DeleteRecordsPartitionResult { PartitionIndex = asked.PartitionIndex, LowWatermark = -1 };
        if (topic?.Find(asked.PartitionIndex) is not { } partition)
        {
            result.ErrorCode = ErrorCode.UnknownTopicOrPartition;
            return result;
        }

        if (topic.IsInternal)
        {
            result.ErrorCode = ErrorCode.InvalidTopicException;
            return result;
        }

        // A topic that is only compacted promises the last value of every key.
        var (policy, _) = view.Config.ForTopic(TopicConfigKeys.All[TopicConfigKeys.CleanupPolicy], topic.Configs);
        if (!ConfigKey.Elements(policy).Contains("delete"))
        {
            result.ErrorCode = ErrorCode.PolicyViolation;
            return result;
        }

        var offset = asked.Offset == ToHighWatermark ? partition.HighWatermark : asked.Offset;
        result.ErrorCode = offset < 0 || offset > partition.HighWatermark ? ErrorCode.OffsetOutOfRange : partition.DeleteRecords(offset);
        if (result.ErrorCode == ErrorCode.None)
            result.LowWatermark = partition.LogStartOffset;
        return result;
    }
}
