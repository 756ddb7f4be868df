using System.Collections.Immutable;
using Broker.Lite.Security.Acls;
using Broker.Lite.Security.Quotas;
using Broker.Lite.Security.Sasl;

namespace Broker.Lite.Security;

/// <summary>Users, access rules and quotas at one moment. Immutable.</summary>
internal sealed record SecurityView
{
    public static SecurityView Empty { get; } = new();

    /// <summary>SCRAM keys by user and name of the mechanism.</summary>
    public ImmutableDictionary<(string User, string Mechanism), ScramCredential> Scram { get; init; } =
        ImmutableDictionary<(string User, string Mechanism), ScramCredential>.Empty;

    public AclTable Acls { get; init; } = new([]);

    public QuotaTable Quotas { get; init; } = QuotaTable.Empty;

    public ScramCredential? FindScram(string user, ScramMechanism mechanism) => Scram.GetValueOrDefault((user, mechanism.Name));
}
