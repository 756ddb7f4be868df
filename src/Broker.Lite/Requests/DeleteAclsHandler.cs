using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Requests;

/// <summary>DeleteAcls (31): remove the access rules that filters match, and say which those were.</summary>
/// <remarks>v1: prefixed resources (KIP-290). v3: resource type user.</remarks>
internal sealed class DeleteAclsHandler(BrokerState broker, ILogger logger) : RequestHandler<DeleteAclsRequest, DeleteAclsResponse>(0, 3)
{
    protected override async ValueTask<DeleteAclsResponse?> HandleAsync(DeleteAclsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (!AclAvailability.HasAuthorizer(broker))
            return new() { FilterResults = request.Filters.ConvertAll(_ => Failed(ErrorCode.SecurityDisabled, AclAvailability.Disabled)) };
        return new() { FilterResults = await broker.Loop.InvokeAsync(() => Delete(request, context)).ConfigureAwait(false) };
    }

    private List<DeleteAclsResponse.DeleteAclsFilterResult> Delete(DeleteAclsRequest request, RequestContext context)
    {
        var view = broker.Security.View;
        var rest = view.Acls.Rules;
        var results = request.Filters.ConvertAll(asked =>
        {
            var filter = new AclFilter(
                (AclResourceType)asked.ResourceTypeFilter,
                context.Version == 0 ? AclPatternType.Literal : (AclPatternType)asked.PatternTypeFilter,
                asked.ResourceNameFilter,
                asked.PrincipalFilter,
                asked.HostFilter,
                (AclOperation)asked.Operation,
                (AclPermission)asked.PermissionType);
            if (filter.Fault() is { } fault)
                return Failed(ErrorCode.InvalidRequest, fault);
            var matching = rest.Where(filter.Matches).ToList();
            rest = rest.Except(matching);
            return new()
            {
                ErrorMessage = null,
                MatchingAcls = matching.ConvertAll(rule => new DeleteAclsResponse.DeleteAclsMatchingAcl
                {
                    ErrorMessage = null,
                    ResourceType = (sbyte)rule.ResourceType,
                    ResourceName = rule.ResourceName,
                    PatternType = (sbyte)rule.PatternType,
                    Principal = rule.Principal,
                    Host = rule.Host,
                    Operation = (sbyte)rule.Operation,
                    PermissionType = (sbyte)rule.Permission,
                }),
            };
        });
        if (rest.Count == view.Acls.Rules.Count)
            return results;
        var what = $"access rules: {view.Acls.Rules.Count - rest.Count} removed";
        return SecurityChange.TryApply(broker, logger, context, view with { Acls = new AclTable(rest) }, what)
            ? results
            : results.ConvertAll(_ => Failed(ErrorCode.KafkaStorageError, "The rules could not be written"));
    }

    private static DeleteAclsResponse.DeleteAclsFilterResult Failed(ErrorCode error, string message) => new() { ErrorCode = error, ErrorMessage = message };
}
