using Broker.Lite.Metadata;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>IncrementalAlterConfigs (44): set, reset, or add to and take from lists, one value at a time (KIP-339).</summary>
internal sealed class IncrementalAlterConfigsHandler(BrokerState broker)
    : RequestHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(0, 1)
{
    private const sbyte Set = 0;
    private const sbyte Delete = 1;
    private const sbyte Append = 2;
    private const sbyte Subtract = 3;

    protected override async ValueTask<IncrementalAlterConfigsResponse?> HandleAsync(
        IncrementalAlterConfigsRequest request, RequestContext context, CancellationToken cancellationToken) =>
        new()
        {
            Responses = await broker.Loop.InvokeAsync(() => request.Resources.ConvertAll(resource =>
            {
                var (error, message) = ConfigAlteration.Apply(
                    broker, resource.ResourceType, resource.ResourceName, request.ValidateOnly, (keys, effective, values) => Change(resource, keys, effective, values));
                return new IncrementalAlterConfigsResponse.AlterConfigsResourceResponse
                {
                    ErrorCode = error,
                    ErrorMessage = message,
                    ResourceType = resource.ResourceType,
                    ResourceName = resource.ResourceName,
                };
            })).ConfigureAwait(false),
        };

    private static (ErrorCode Error, string? Message) Change(
        IncrementalAlterConfigsRequest.AlterConfigsResource resource,
        IReadOnlyDictionary<string, ConfigKey> keys,
        Func<ConfigKey, string> effective,
        Dictionary<string, string?> values)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var config in resource.Configs)
        {
            if (!seen.Add(config.Name))
                return (ErrorCode.InvalidRequest, $"{config.Name} is given more than once");
            if (!keys.TryGetValue(config.Name, out var key))
                return (ErrorCode.InvalidConfig, $"Unknown configuration key {config.Name}");
            if (config.Value is null && config.ConfigOperation != Delete)
                return (ErrorCode.InvalidRequest, $"{config.Name} has no value");

            switch (config.ConfigOperation)
            {
                case Set:
                    values[config.Name] = config.Value;
                    break;
                case Delete:
                    values.Remove(config.Name);
                    break;
                case Append or Subtract when key.Type == ConfigType.List:
                    // The list it starts from is the one in force, which may be a default.
                    var now = ConfigKey.Elements(values.GetValueOrDefault(config.Name) ?? effective(key));
                    var change = ConfigKey.Elements(config.Value!);
                    values[config.Name] = string.Join(',', config.ConfigOperation == Append ? now.Union(change) : now.Except(change));
                    break;
                case Append or Subtract:
                    return (ErrorCode.InvalidConfig, $"{config.Name} is no list");
                default:
                    return (ErrorCode.InvalidRequest, $"Operation {config.ConfigOperation} on {config.Name} is unknown");
            }
        }

        return (ErrorCode.None, null);
    }
}
