namespace Broker.Lite.Security.Quotas;

/// <summary>
/// Whom a quota is for: a user, a client id, both, or an address. An empty name stands for the default: everybody of that type who has no
/// quota of their own. Null: that part does not matter.
/// </summary>
internal readonly record struct QuotaEntity(string? User, string? ClientId, string? Ip)
{
    public const string UserType = "user";
    public const string ClientIdType = "client-id";
    public const string IpType = "ip";

    /// <summary>The parts that matter.</summary>
    public IEnumerable<(string Type, string Name)> Parts()
    {
        if (User is not null)
            yield return (UserType, User);
        if (ClientId is not null)
            yield return (ClientIdType, ClientId);
        if (Ip is not null)
            yield return (IpType, Ip);
    }

    /// <summary>The entity's parts by type, as they are stored.</summary>
    public SortedDictionary<string, string> ToDocument()
    {
        var parts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (type, name) in Parts())
            parts[type] = name;
        return parts;
    }

    /// <summary>Null if the parts make no entity that can have a quota.</summary>
    public static QuotaEntity? FromDocument(IReadOnlyDictionary<string, string> parts)
    {
        var entity = new QuotaEntity(parts.GetValueOrDefault(UserType), parts.GetValueOrDefault(ClientIdType), parts.GetValueOrDefault(IpType));
        var count = entity.Parts().Count();
        return count > 0 && count == parts.Count && (entity.Ip is null || count == 1) ? entity : null;
    }
}
