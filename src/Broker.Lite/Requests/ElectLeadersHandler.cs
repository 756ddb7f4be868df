using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ElectLeaders (43): every partition has its one replica for leader, so no election is ever needed.</summary>
/// <remarks>v1: the kind of election, preferred (0) or unclean (1) (KIP-460). Null partitions mean all; those without need are then not listed.</remarks>
internal sealed class ElectLeadersHandler(BrokerState broker) : RequestHandler<ElectLeadersRequest, ElectLeadersResponse>(0, 2)
{
    private const sbyte Unclean = 1;

    protected override ValueTask<ElectLeadersResponse?> HandleAsync(ElectLeadersRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (request.ElectionType is < 0 or > Unclean)
            return ValueTask.FromResult<ElectLeadersResponse?>(new ElectLeadersResponse { ErrorCode = ErrorCode.InvalidRequest });
        var view = broker.View;
        var response = new ElectLeadersResponse();
        foreach (var topic in request.TopicPartitions ?? [])
        {
            response.ReplicaElectionResults.Add(new()
            {
                Topic = topic.Topic,
                PartitionResult = topic.Partitions.ConvertAll(index => view.Find(topic.Topic, index) is null
                    ? new ElectLeadersResponse.PartitionResult { PartitionId = index, ErrorCode = ErrorCode.UnknownTopicOrPartition, ErrorMessage = "There is no such partition" }
                    : new ElectLeadersResponse.PartitionResult { PartitionId = index, ErrorCode = ErrorCode.ElectionNotNeeded, ErrorMessage = "Its only replica leads it" }),
            });
        }

        return ValueTask.FromResult<ElectLeadersResponse?>(response);
    }
}
