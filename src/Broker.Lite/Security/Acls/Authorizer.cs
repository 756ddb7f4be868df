using Broker.Lite.Metadata;

namespace Broker.Lite.Security.Acls;

/// <summary>
/// Decides what clients may do: super users everything, others what the rules say; what no rule is about, nobody, or everybody if so
/// configured (Kafka: <c>StandardAuthorizer</c>). Safe from any thread.
/// </summary>
internal sealed class Authorizer(SecurityStore store, IReadOnlySet<string> superUsers, bool allowIfNoRule)
{
    /// <summary>The authorizer of a broker's configuration; null if access control is off.</summary>
    /// <exception cref="InvalidDataException">A super user is not of the form Type:name.</exception>
    public static Authorizer? Create(BrokerConfig config, SecurityStore store)
    {
        if (config.Text(SecurityConfigKeys.AuthorizerClassName).Length == 0)
            return null;
        var users = new HashSet<string>(StringComparer.Ordinal);
        foreach (var user in config.Text(SecurityConfigKeys.SuperUsers).Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!KafkaPrincipal.TryParse(user, out var principal))
                throw new InvalidDataException($"{SecurityConfigKeys.SuperUsers}: '{user}' is not of the form User:name");
            users.Add(principal.ToString());
        }

        return new Authorizer(store, users, config.Flag(SecurityConfigKeys.AllowEveryoneIfNoAclFound));
    }

    public bool IsAllowed(KafkaPrincipal principal, string host, AclOperation operation, AclResourceType type, string name)
    {
        var who = principal.ToString();
        return superUsers.Contains(who) || (store.View.Acls.Decide(operation, type, name, who, host) ?? allowIfNoRule);
    }

    /// <summary>Whether there could be a resource of the type with which this is allowed.</summary>
    public bool IsAllowedSomewhere(KafkaPrincipal principal, string host, AclOperation operation, AclResourceType type)
    {
        var who = principal.ToString();
        return superUsers.Contains(who) || allowIfNoRule || store.View.Acls.AllowsSome(operation, type, who, host);
    }
}
