namespace Broker.Lite.Security.Acls;

/// <summary>Which rules DescribeAcls and DeleteAcls mean; null and Any leave a part open.</summary>
internal sealed record AclFilter(
    AclResourceType ResourceType,
    AclPatternType PatternType,
    string? ResourceName,
    string? Principal,
    string? Host,
    AclOperation Operation,
    AclPermission Permission)
{
    /// <summary>Says why this is no filter; null if it is one.</summary>
    public string? Fault() =>
        ResourceType == AclResourceType.Unknown || !Enum.IsDefined(ResourceType) ? $"Unknown resource type {(sbyte)ResourceType}"
        : PatternType == AclPatternType.Unknown || !Enum.IsDefined(PatternType) ? $"Unknown pattern type {(sbyte)PatternType}"
        : Operation == AclOperation.Unknown || !Enum.IsDefined(Operation) ? $"Unknown operation {(sbyte)Operation}"
        : Permission == AclPermission.Unknown || !Enum.IsDefined(Permission) ? $"Unknown permission {(sbyte)Permission}"
        : null;

    public bool Matches(AclBinding rule)
    {
        if (ResourceType != AclResourceType.Any && ResourceType != rule.ResourceType)
            return false;
        if ((Principal is not null && Principal != rule.Principal) || (Host is not null && Host != rule.Host))
            return false;
        if ((Operation != AclOperation.Any && Operation != rule.Operation) || (Permission != AclPermission.Any && Permission != rule.Permission))
            return false;
        return PatternType switch
        {
            AclPatternType.Any => ResourceName is null || ResourceName == rule.ResourceName,
            AclPatternType.Match => ResourceName is null || rule.Covers(rule.ResourceType, ResourceName),
            _ => PatternType == rule.PatternType && (ResourceName is null || ResourceName == rule.ResourceName),
        };
    }
}
