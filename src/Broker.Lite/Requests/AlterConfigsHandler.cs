using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>AlterConfigs (33): replace all values set on a topic, a group or the broker; what is not named falls back to its default.</summary>
internal sealed class AlterConfigsHandler(BrokerState broker) : RequestHandler<AlterConfigsRequest, AlterConfigsResponse>(0, 2)
{
    protected override async ValueTask<AlterConfigsResponse?> HandleAsync(AlterConfigsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        new()
        {
            Responses = await broker.Loop.InvokeAsync(() => request.Resources.ConvertAll(resource =>
            {
                var (error, message) = ConfigAlteration.Apply(
                    broker, resource.ResourceType, resource.ResourceName, request.ValidateOnly, (_, _, values) => Replace(resource, values));
                return new AlterConfigsResponse.AlterConfigsResourceResponse
                {
                    ErrorCode = error,
                    ErrorMessage = message,
                    ResourceType = resource.ResourceType,
                    ResourceName = resource.ResourceName,
                };
            })).ConfigureAwait(false),
        };

    private static (ErrorCode Error, string? Message) Replace(AlterConfigsRequest.AlterConfigsResource resource, Dictionary<string, string?> values)
    {
        values.Clear();
        // Clients send back all they were told, with what they change behind it: the last one counts.
        foreach (var config in resource.Configs)
            values[config.Name] = config.Value;

        return (ErrorCode.None, null);
    }
}
