using System.Collections.Immutable;

namespace Broker.Lite.Security.Quotas;

/// <summary>All quotas. Immutable.</summary>
internal sealed record QuotaTable(ImmutableDictionary<QuotaEntity, ImmutableSortedDictionary<string, double>> Entries)
{
    public const string ProducerByteRate = "producer_byte_rate";
    public const string ConsumerByteRate = "consumer_byte_rate";
    public const string RequestPercentage = "request_percentage";
    public const string ConnectionCreationRate = "connection_creation_rate";

    private static readonly string[] _clientKeys = [ProducerByteRate, ConsumerByteRate, RequestPercentage];
    private static readonly string[] _ipKeys = [ConnectionCreationRate];

    public static QuotaTable Empty { get; } = new(ImmutableDictionary<QuotaEntity, ImmutableSortedDictionary<string, double>>.Empty);

    /// <summary>Says why an entity cannot have such a quota; null if it can.</summary>
    public static string? Fault(QuotaEntity entity, string key, double value)
    {
        var allowed = entity.Ip is null ? _clientKeys : _ipKeys;
        if (!allowed.Contains(key))
            return $"'{key}' is not a quota of this entity; there are {string.Join(", ", allowed)}";
        return double.IsFinite(value) && value > 0 ? null : $"{key} must be a positive number";
    }

    /// <summary>The table with an entity's quotas replaced; without any the entity is gone.</summary>
    public QuotaTable With(QuotaEntity entity, ImmutableSortedDictionary<string, double> values) =>
        new(values.IsEmpty ? Entries.Remove(entity) : Entries.SetItem(entity, values));

    /// <summary>
    /// The quota that holds for a client and who shares it, the most particular first (KIP-55): user and client id, user, client id, with
    /// defaults after names.
    /// </summary>
    public bool TryFind(string key, string user, string clientId, out double limit, out QuotaEntity sharedBy)
    {
        limit = 0;
        sharedBy = default;
        return !Entries.IsEmpty
            && (Try(new(user, clientId, null), new(user, clientId, null), key, out limit, out sharedBy)
                || Try(new(user, "", null), new(user, clientId, null), key, out limit, out sharedBy)
                || Try(new(user, null, null), new(user, null, null), key, out limit, out sharedBy)
                || Try(new("", clientId, null), new(user, clientId, null), key, out limit, out sharedBy)
                || Try(new("", "", null), new(user, clientId, null), key, out limit, out sharedBy)
                || Try(new("", null, null), new(user, null, null), key, out limit, out sharedBy)
                || Try(new(null, clientId, null), new(null, clientId, null), key, out limit, out sharedBy)
                || Try(new(null, "", null), new(null, clientId, null), key, out limit, out sharedBy));
    }

    /// <summary>How many connections a second an address may open.</summary>
    public bool TryFindIp(string ip, out double limit, out QuotaEntity sharedBy) =>
        Try(new(null, null, ip), new(null, null, ip), ConnectionCreationRate, out limit, out sharedBy)
        || Try(new(null, null, ""), new(null, null, ip), ConnectionCreationRate, out limit, out sharedBy);

    private bool Try(QuotaEntity entity, QuotaEntity share, string key, out double limit, out QuotaEntity sharedBy)
    {
        sharedBy = share;
        limit = 0;
        return Entries.TryGetValue(entity, out var values) && values.TryGetValue(key, out limit);
    }
}
