using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>CreatePartitions (37): let topics grow (KIP-195). Partitions can never be taken away.</summary>
internal sealed class CreatePartitionsHandler(BrokerState broker) : RequestHandler<CreatePartitionsRequest, CreatePartitionsResponse>(0, 3)
{
    protected override async ValueTask<CreatePartitionsResponse?> HandleAsync(
        CreatePartitionsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var twice = request.Topics
            .GroupBy(topic => topic.Name, StringComparer.Ordinal)
            .Where(group => group.Count() > 1)
            .Select(group => group.Key)
            .ToHashSet(StringComparer.Ordinal);
        var response = new CreatePartitionsResponse();
        foreach (var asked in request.Topics)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (error, message) = twice.Contains(asked.Name)
                ? (ErrorCode.InvalidRequest, "The request names this topic more than once")
                : await broker.Loop.InvokeAsync(() => Grow(asked, request.ValidateOnly)).ConfigureAwait(false);
            response.Results.Add(new() { Name = asked.Name, ErrorCode = error, ErrorMessage = message });
        }

        return response;
    }

    private (ErrorCode Error, string? Message) Grow(CreatePartitionsRequest.CreatePartitionsTopic asked, bool validateOnly)
    {
        if (broker.View.Find(asked.Name) is not { } topic)
            return (ErrorCode.UnknownTopicOrPartition, null);
        // Which partition holds a group depends on their number, so the groups' own topic must not grow.
        if (topic.IsInternal)
            return (ErrorCode.InvalidTopicException, "Partitions of internal topics cannot be added");
        if (asked.Assignments is { Count: > 0 } assignments
            && (assignments.Count != asked.Count - topic.Partitions.Length
                || assignments.Exists(assignment => assignment.BrokerIds is not [var id] || id != broker.BrokerId)))
            return (ErrorCode.InvalidReplicaAssignment, $"Each new partition needs one replica, on broker {broker.BrokerId}");
        return broker.Catalog.AddPartitions(topic, asked.Count, validateOnly);
    }
}
