namespace Broker.Lite.Security.Acls;

/// <summary>An access rule: whether somebody, coming from somewhere, may do something with some resources.</summary>
internal sealed record AclBinding(
    AclResourceType ResourceType,
    AclPatternType PatternType,
    string ResourceName,
    string Principal,
    string Host,
    AclOperation Operation,
    AclPermission Permission)
{
    /// <summary>As the name of a resource or a host: all.</summary>
    public const string Wildcard = "*";

    /// <summary>As a principal: every user.</summary>
    public const string WildcardPrincipal = "User:*";

    /// <summary>The only resource of type cluster.</summary>
    public const string ClusterName = "kafka-cluster";

    /// <summary>Says why this cannot be a rule; null if it can.</summary>
    public string? Fault()
    {
        if (ResourceType is AclResourceType.Unknown or AclResourceType.Any || !Enum.IsDefined(ResourceType))
            return $"A rule cannot be about resource type {ResourceType}";
        if (PatternType is not (AclPatternType.Literal or AclPatternType.Prefixed))
            return $"A rule cannot have pattern type {PatternType}";
        if (Operation is AclOperation.Unknown or AclOperation.Any || !Enum.IsDefined(Operation))
            return $"A rule cannot be about operation {Operation}";
        if (Permission is not (AclPermission.Allow or AclPermission.Deny))
            return $"A rule cannot have permission {Permission}";
        if (string.IsNullOrEmpty(ResourceName) || string.IsNullOrEmpty(Host))
            return "A rule needs the name of a resource and a host";
        if (ResourceType == AclResourceType.Cluster && (ResourceName != ClusterName || PatternType != AclPatternType.Literal))
            return $"The only name of a cluster is {ClusterName}";
        return KafkaPrincipal.TryParse(Principal, out _) ? null : $"'{Principal}' is not of the form type:name";
    }

    /// <summary>Whether the rule is about this resource.</summary>
    public bool Covers(AclResourceType type, string name) =>
        ResourceType == type
        && (PatternType == AclPatternType.Prefixed ? name.StartsWith(ResourceName, StringComparison.Ordinal) : ResourceName == name || ResourceName == Wildcard);
}
