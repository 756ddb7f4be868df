using Broker.Lite.Security.Quotas;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Requests;

/// <summary>AlterClientQuotas (49): set and remove quotas of entities, each on its own (KIP-546).</summary>
internal sealed class AlterClientQuotasHandler(BrokerState broker, ILogger logger) : RequestHandler<AlterClientQuotasRequest, AlterClientQuotasResponse>(0, 1)
{
    /// <summary>Each costs memory for ever.</summary>
    private const int MaxEntities = 100_000;

    protected override async ValueTask<AlterClientQuotasResponse?> HandleAsync(AlterClientQuotasRequest request, RequestContext context, CancellationToken cancellationToken) => new()
    {
        Entries = await broker.Loop.InvokeAsync(() => request.Entries.ConvertAll(entry =>
        {
            var (error, message) = Alter(entry, request.ValidateOnly, context);
            return new AlterClientQuotasResponse.EntryData
            {
                ErrorCode = error,
                ErrorMessage = message,
                Entity = entry.Entity.ConvertAll(part => new AlterClientQuotasResponse.EntityData { EntityType = part.EntityType, EntityName = part.EntityName }),
            };
        })).ConfigureAwait(false),
    };

    private (ErrorCode Error, string? Message) Alter(AlterClientQuotasRequest.EntryData entry, bool validateOnly, RequestContext context)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in entry.Entity)
        {
            if (part.EntityName?.Length == 0)
                return (ErrorCode.InvalidRequest, "Empty entity names are not supported");
            if (!parts.TryAdd(part.EntityType, part.EntityName ?? ""))
                return (ErrorCode.InvalidRequest, $"Entity type '{part.EntityType}' is given more than once");
        }

        if (QuotaEntity.FromDocument(parts) is not { } entity)
            return (ErrorCode.InvalidRequest, "Invalid entity: a user, a client-id, both, or an ip");
        if (entity.Ip is { Length: > 0 } ip && !System.Net.IPAddress.TryParse(ip, out _))
            return (ErrorCode.InvalidRequest, $"'{ip}' is no IP address");

        var view = broker.Security.View;
        var values = (view.Quotas.Entries.GetValueOrDefault(entity) ?? System.Collections.Immutable.ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal)).ToBuilder();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var op in entry.Ops)
        {
            if (!keys.Add(op.Key))
                return (ErrorCode.InvalidRequest, $"Duplicate quota key {op.Key}");
            if (QuotaTable.Fault(entity, op.Key, op.Remove ? 1 : op.Value) is { } fault)
                return (ErrorCode.InvalidRequest, fault);
            if (op.Remove)
                values.Remove(op.Key);
            else
                values[op.Key] = op.Value;
        }

        if (validateOnly)
            return (ErrorCode.None, null);
        if (!view.Quotas.Entries.ContainsKey(entity) && view.Quotas.Entries.Count >= MaxEntities)
            return (ErrorCode.PolicyViolation, $"There cannot be quotas of more than {MaxEntities} entities");
        return SecurityChange.TryApply(broker, logger, context, view with { Quotas = view.Quotas.With(entity, values.ToImmutable()) }, $"the quotas of {string.Join(", ", parts)}")
            ? (ErrorCode.None, null)
            : (ErrorCode.KafkaStorageError, "The quotas could not be written");
    }
}
