using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>ListPartitionReassignments (46): with one broker none is ever in progress (KIP-455).</summary>
internal sealed class ListPartitionReassignmentsHandler() : RequestHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(0, 0)
{
    protected override ValueTask<ListPartitionReassignmentsResponse?> HandleAsync(
        ListPartitionReassignmentsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ListPartitionReassignmentsResponse?>(new ListPartitionReassignmentsResponse { ErrorMessage = null });
}
