using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeAcls (29): the access rules that a filter matches, by resource.</summary>
/// <remarks>v1: prefixed resources (KIP-290). v3: resource type user.</remarks>
internal sealed class DescribeAclsHandler(BrokerState broker) : RequestHandler<DescribeAclsRequest, DescribeAclsResponse>(0, 3)
{
    protected override ValueTask<DescribeAclsResponse?> HandleAsync(DescribeAclsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var filter = new AclFilter(
            (AclResourceType)request.ResourceTypeFilter,
            context.Version == 0 ? AclPatternType.Literal : (AclPatternType)request.PatternTypeFilter,
            request.ResourceNameFilter,
            request.PrincipalFilter,
            request.HostFilter,
            (AclOperation)request.Operation,
            (AclPermission)request.PermissionType);
        var response = new DescribeAclsResponse { ErrorMessage = null };
        if (!AclAvailability.HasAuthorizer(broker))
            (response.ErrorCode, response.ErrorMessage) = (ErrorCode.SecurityDisabled, AclAvailability.Disabled);
        else if (filter.Fault() is { } fault)
            (response.ErrorCode, response.ErrorMessage) = (ErrorCode.InvalidRequest, fault);
        else
            AddMatching(response, filter);
        return ValueTask.FromResult<DescribeAclsResponse?>(response);
    }

    private void AddMatching(DescribeAclsResponse response, AclFilter filter)
    {
        var resources = broker.Security.View.Acls.Rules.Where(filter.Matches)
            .GroupBy(rule => (rule.ResourceType, rule.PatternType, rule.ResourceName))
            .OrderBy(resource => resource.Key);
        foreach (var resource in resources)
        {
            response.Resources.Add(new()
            {
                ResourceType = (sbyte)resource.Key.ResourceType,
                PatternType = (sbyte)resource.Key.PatternType,
                ResourceName = resource.Key.ResourceName,
                Acls = [.. resource.OrderBy(rule => rule.Principal, StringComparer.Ordinal).ThenBy(rule => rule.Operation).Select(rule => new DescribeAclsResponse.AclDescription
                {
                    Principal = rule.Principal,
                    Host = rule.Host,
                    Operation = (sbyte)rule.Operation,
                    PermissionType = (sbyte)rule.Permission,
                })],
            });
        }
    }
}
