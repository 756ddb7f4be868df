using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeTopicPartitions (75): topics with their partitions, page by page (KIP-966).</summary>
/// <remarks>
/// No topics asked for means all. Topics come in the order of their names; a page ends at the client's limit or ours, and the cursor says
/// where the next one starts.
/// </remarks>
internal sealed class DescribeTopicPartitionsHandler(BrokerState broker)
    : RequestHandler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(0, 0)
{
    // Kafka: max.request.partition.size.limit.
    private const int MaxPartitions = 2000;

    protected override ValueTask<DescribeTopicPartitionsResponse?> HandleAsync(
        DescribeTopicPartitionsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var response = new DescribeTopicPartitionsResponse();
        if (request.ResponsePartitionLimit < 1 || request.Cursor is { PartitionIndex: < 0 })
        {
            foreach (var topic in request.Topics)
                response.Topics.Add(new() { Name = topic.Name, ErrorCode = ErrorCode.InvalidRequest });
            return ValueTask.FromResult<DescribeTopicPartitionsResponse?>(response);
        }

        var names = (request.Topics.Count > 0 ? request.Topics.Select(topic => topic.Name) : view.Topics.Keys)
            .Distinct(StringComparer.Ordinal)
            .Where(name => request.Cursor is not { } cursor || string.CompareOrdinal(name, cursor.TopicName) >= 0)
            .Order(StringComparer.Ordinal);
        var left = Math.Min(request.ResponsePartitionLimit, MaxPartitions);
        foreach (var name in names)
        {
            var first = request.Cursor is { } cursor && cursor.TopicName == name ? cursor.PartitionIndex : 0;
            if (left == 0)
            {
                response.NextCursor = new() { TopicName = name, PartitionIndex = first };
                break;
            }

            if (view.Find(name) is not { } topic)
            {
                response.Topics.Add(new()
                {
                    Name = name,
                    ErrorCode = TopicName.Fault(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException,
                });
                continue;
            }

            var count = Math.Clamp(topic.Partitions.Length - first, 0, left);
            response.Topics.Add(Describe(topic, first, count));
            left -= count;
            if (first + count >= topic.Partitions.Length)
                continue;
            response.NextCursor = new() { TopicName = name, PartitionIndex = first + count };
            break;
        }

        return ValueTask.FromResult<DescribeTopicPartitionsResponse?>(response);
    }

    private DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic Describe(Topic topic, int first, int count) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = topic.IsInternal,
        TopicAuthorizedOperations = AuthorizedOperations.Topic,
        Partitions = Enumerable.Range(first, count).Select(index => new DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition
        {
            PartitionIndex = index,
            LeaderId = broker.BrokerId,
            LeaderEpoch = Partition.LeaderEpoch,
            ReplicaNodes = [broker.BrokerId],
            IsrNodes = [broker.BrokerId],
            EligibleLeaderReplicas = [],
            LastKnownElr = [],
        }).ToList(),
    };
}
