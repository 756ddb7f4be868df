using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DeleteTopics (20): remove topics with their data and all groups' offsets in them.</summary>
/// <remarks>v5: an error message. v6: by name or by id (KIP-516).</remarks>
internal sealed class DeleteTopicsHandler(BrokerState broker) : RequestHandler<DeleteTopicsRequest, DeleteTopicsResponse>(0, 6)
{
    protected override async ValueTask<DeleteTopicsResponse?> HandleAsync(DeleteTopicsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var asked = context.Version >= 6
            ? request.Topics.ConvertAll(topic => (topic.Name, topic.TopicId))
            : request.TopicNames.ConvertAll(name => ((string?)name, Guid.Empty));
        var response = new DeleteTopicsResponse();
        foreach (var (name, id) in asked)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var error = await broker.Loop.InvokeAsync(() => Delete(name, id)).ConfigureAwait(false);
            response.Responses.Add(new() { Name = name, TopicId = id, ErrorCode = error });
        }

        return response;
    }

    private ErrorCode Delete(string? name, Guid id)
    {
        if (name is not null && id != Guid.Empty)
            return ErrorCode.InvalidRequest;
        var topic = name is not null ? broker.View.Find(name) : broker.View.Find(id);
        if (topic is null)
            return name is null ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
        if (!broker.View.Config.Flag(BrokerConfigKeys.DeleteTopicEnable))
            return ErrorCode.TopicDeletionDisabled;
        if (topic.IsInternal)
            return ErrorCode.InvalidTopicException; // groups would lose their offsets while their members go on
        var error = broker.Catalog.Delete(topic);
        if (error == ErrorCode.None)
            broker.Offsets.OnTopicDeleted(topic.Name);
        return error;
    }
}
