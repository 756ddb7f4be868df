using System.Collections.Immutable;

namespace Broker.Lite.Security.Acls;

/// <summary>
/// All access rules, indexed so that a decision looks only at those about the resource: by name, and by each prefix of the name that has
/// rules. Immutable.
/// </summary>
internal sealed class AclTable
{
    private readonly Dictionary<(AclResourceType, string), List<AclBinding>> _literal = [];
    private readonly Dictionary<(AclResourceType, string), List<AclBinding>> _prefixed = [];

    public AclTable(ImmutableHashSet<AclBinding> rules)
    {
        Rules = rules;
        foreach (var rule in rules)
        {
            var index = rule.PatternType == AclPatternType.Prefixed ? _prefixed : _literal;
            var key = (rule.ResourceType, rule.ResourceName);
            if (!index.TryGetValue(key, out var list))
                index[key] = list = [];
            list.Add(rule);
        }
    }

    public ImmutableHashSet<AclBinding> Rules { get; }

    /// <summary>
    /// What the rules say: a rule that denies wins over any that allows; null if no rule at all is about the resource; false if there are
    /// some, but none for this principal.
    /// </summary>
    public bool? Decide(AclOperation operation, AclResourceType type, string name, string principal, string host)
    {
        var any = false;
        var allowed = false;
        if (_literal.TryGetValue((type, name), out var rules) && Denies(rules, operation, principal, host, ref any, ref allowed))
            return false;
        if (name != AclBinding.Wildcard && _literal.TryGetValue((type, AclBinding.Wildcard), out rules) && Denies(rules, operation, principal, host, ref any, ref allowed))
            return false;
        if (_prefixed.Count > 0)
        {
            for (var length = 1; length <= name.Length; length++)
            {
                if (_prefixed.TryGetValue((type, name[..length]), out rules) && Denies(rules, operation, principal, host, ref any, ref allowed))
                    return false;
            }
        }

        return any ? allowed : null;
    }

    /// <summary>Whether there could be a resource of the type with which the principal may do this, whatever its name.</summary>
    public bool AllowsSome(AclOperation operation, AclResourceType type, string principal, string host)
    {
        foreach (var rule in Rules)
        {
            if (rule.Permission != AclPermission.Allow || rule.ResourceType != type || !Applies(rule, operation, principal, host))
                continue;
            // The rule's own name stands for what it allows: if a deny covers that, nothing is left of it.
            var isDenied = Rules.Any(deny => deny.Permission == AclPermission.Deny
                && deny.ResourceType == type
                && Applies(deny, operation, principal, host)
                && Dominates(deny, rule));
            if (!isDenied)
                return true;
        }

        return false;
    }

    private static bool Dominates(AclBinding deny, AclBinding allow)
    {
        if (deny.PatternType == AclPatternType.Literal && deny.ResourceName == AclBinding.Wildcard)
            return true;
        if (allow.PatternType == AclPatternType.Literal && allow.ResourceName == AclBinding.Wildcard)
            return false;
        return deny.PatternType == AclPatternType.Prefixed
            ? allow.ResourceName.StartsWith(deny.ResourceName, StringComparison.Ordinal)
            : allow.PatternType == AclPatternType.Literal && deny.ResourceName == allow.ResourceName;
    }

    private static bool Denies(List<AclBinding> rules, AclOperation operation, string principal, string host, ref bool any, ref bool allowed)
    {
        any = true;
        foreach (var rule in rules)
        {
            if (!Applies(rule, operation, principal, host))
                continue;
            if (rule.Permission == AclPermission.Deny)
                return true;
            allowed = true;
        }

        return false;
    }

    private static bool Applies(AclBinding rule, AclOperation operation, string principal, string host) =>
        (rule.Principal == principal || rule.Principal == AclBinding.WildcardPrincipal)
        && (rule.Host == host || rule.Host == AclBinding.Wildcard)
        && (rule.Operation == operation || rule.Operation == AclOperation.All || (rule.Permission == AclPermission.Allow && Implies(rule.Operation, operation)));

    /// <summary>Who may do something with a resource may also know of it.</summary>
    private static bool Implies(AclOperation allowed, AclOperation asked) => asked switch
    {
        AclOperation.Describe => allowed is AclOperation.Read or AclOperation.Write or AclOperation.Delete or AclOperation.Alter,
        AclOperation.DescribeConfigs => allowed is AclOperation.AlterConfigs,
        _ => false,
    };
}
