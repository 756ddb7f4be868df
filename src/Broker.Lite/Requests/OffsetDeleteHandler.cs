using Broker.Lite.Coordination;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>OffsetDelete (47): forget committed positions of topics the group no longer subscribes to (KIP-496).</summary>
internal sealed class OffsetDeleteHandler(BrokerState broker) : RequestHandler<OffsetDeleteRequest, OffsetDeleteResponse>(0, 0)
{
    protected override async ValueTask<OffsetDeleteResponse?> HandleAsync(OffsetDeleteRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        var partitions = request.Topics
            .SelectMany(topic => topic.Partitions.Select(partition => new OffsetPartition(topic.Name, partition.PartitionIndex)))
            .ToList();
        var (groupError, errors) = await broker.Loop.InvokeAsync(() => broker.Offsets.Delete(request.GroupId, partitions)).ConfigureAwait(false);
        if (groupError != ErrorCode.None)
            return new OffsetDeleteResponse { ErrorCode = groupError };

        var next = 0;
        return new OffsetDeleteResponse
        {
            Topics = request.Topics.ConvertAll(topic => new OffsetDeleteResponse.OffsetDeleteResponseTopic
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(partition =>
                {
                    var error = errors[next++];
                    if (error == ErrorCode.None && view.Find(topic.Name, partition.PartitionIndex) is null)
                        error = ErrorCode.UnknownTopicOrPartition;
                    return new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error };
                }),
            }),
        };
    }
}
