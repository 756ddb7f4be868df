using Broker.Lite.Security.Quotas;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeClientQuotas (48): the quotas whose entities match (KIP-546).</summary>
internal sealed class DescribeClientQuotasHandler(BrokerState broker) : RequestHandler<DescribeClientQuotasRequest, DescribeClientQuotasResponse>(0, 1)
{
    private const sbyte ExactName = 0;
    private const sbyte DefaultName = 1;
    private const sbyte AnyName = 2;

    protected override ValueTask<DescribeClientQuotasResponse?> HandleAsync(
        DescribeClientQuotasRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var response = new DescribeClientQuotasResponse { ErrorMessage = null, Entries = [] };
        if (Fault(request) is { } fault)
        {
            (response.ErrorCode, response.ErrorMessage, response.Entries) = (ErrorCode.InvalidRequest, fault, null);
            return ValueTask.FromResult<DescribeClientQuotasResponse?>(response);
        }

        foreach (var (entity, values) in broker.Security.View.Quotas.Entries)
        {
            var parts = entity.Parts().ToDictionary(part => part.Type, part => part.Name, StringComparer.Ordinal);
            if (!request.Components.TrueForAll(component => Matches(component, parts)) || (request.Strict && parts.Count != request.Components.Count))
                continue;
            response.Entries.Add(new()
            {
                Entity = [.. parts.Select(part => new DescribeClientQuotasResponse.EntityData { EntityType = part.Key, EntityName = part.Value.Length == 0 ? null : part.Value })],
                Values = [.. values.Select(value => new DescribeClientQuotasResponse.ValueData { Key = value.Key, Value = value.Value })],
            });
        }

        return ValueTask.FromResult<DescribeClientQuotasResponse?>(response);
    }

    private static string? Fault(DescribeClientQuotasRequest request)
    {
        if (request.Components.Select(component => component.EntityType).Distinct(StringComparer.Ordinal).Count() < request.Components.Count)
            return "An entity type is given more than once";
        foreach (var component in request.Components)
        {
            if (component.EntityType is not (QuotaEntity.UserType or QuotaEntity.ClientIdType or QuotaEntity.IpType))
                return $"Unknown entity type '{component.EntityType}'";
            if (component.MatchType is < ExactName or > AnyName || (component.MatchType == ExactName) != (component.Match is not null))
                return "The match type is unknown or does not fit the name";
        }

        return null;
    }

    private static bool Matches(DescribeClientQuotasRequest.ComponentData component, Dictionary<string, string> parts) =>
        parts.TryGetValue(component.EntityType, out var name) && component.MatchType switch
        {
            ExactName => name == component.Match,
            DefaultName => name.Length == 0,
            _ => true,
        };
}
