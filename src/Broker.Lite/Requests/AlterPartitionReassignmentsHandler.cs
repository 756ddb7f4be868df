using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>
/// AlterPartitionReassignments (45): a partition may be assigned to the one broker, where it is; to any other it cannot be, and nothing is ever in
/// progress that could be cancelled (KIP-455).
/// </summary>
internal sealed class AlterPartitionReassignmentsHandler(BrokerState broker)
    : RequestHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(0, 0)
{
    protected override ValueTask<AlterPartitionReassignmentsResponse?> HandleAsync(
        AlterPartitionReassignmentsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var view = broker.View;
        return ValueTask.FromResult<AlterPartitionReassignmentsResponse?>(new AlterPartitionReassignmentsResponse
        {
            ErrorMessage = null,
            Responses = request.Topics.ConvertAll(topic => new AlterPartitionReassignmentsResponse.ReassignableTopicResponse
            {
                Name = topic.Name,
                Partitions = topic.Partitions.ConvertAll(asked =>
                {
                    var (error, message) = Check(view.Find(topic.Name, asked.PartitionIndex), asked.Replicas);
                    return new AlterPartitionReassignmentsResponse.ReassignablePartitionResponse
                    {
                        PartitionIndex = asked.PartitionIndex,
                        ErrorCode = error,
                        ErrorMessage = message,
                    };
                }),
            }),
        });
    }

    private (ErrorCode Error, string? Message) Check(Partition? partition, List<int>? replicas)
    {
        if (partition is null)
            return (ErrorCode.UnknownTopicOrPartition, "There is no such partition");
        if (replicas is null)
            return (ErrorCode.NoReassignmentInProgress, "No reassignment is in progress");
        return replicas is [var id] && id == broker.BrokerId
            ? (ErrorCode.None, null)
            : (ErrorCode.InvalidReplicaAssignment, $"The only broker is {broker.BrokerId}");
    }
}
