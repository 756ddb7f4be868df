using Broker.Lite.Security.Acls;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Requests;

/// <summary>CreateAcls (30): add access rules. One that is there already is fine.</summary>
/// <remarks>v1: prefixed resources (KIP-290). v3: resource type user.</remarks>
internal sealed class CreateAclsHandler(BrokerState broker, ILogger logger) : RequestHandler<CreateAclsRequest, CreateAclsResponse>(0, 3)
{
    /// <summary>More rules than anybody manages by hand; each costs memory for ever.</summary>
    private const int MaxRules = 100_000;

    protected override async ValueTask<CreateAclsResponse?> HandleAsync(CreateAclsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        if (!AclAvailability.HasAuthorizer(broker))
            return Answer(request.Creations.ConvertAll(_ => (ErrorCode.SecurityDisabled, (string?)AclAvailability.Disabled)));
        return Answer(await broker.Loop.InvokeAsync(() => Create(request, context)).ConfigureAwait(false));
    }

    private List<(ErrorCode Error, string? Message)> Create(CreateAclsRequest request, RequestContext context)
    {
        var view = broker.Security.View;
        var rules = view.Acls.Rules.ToBuilder();
        var results = request.Creations.ConvertAll(creation =>
        {
            var rule = new AclBinding(
                (AclResourceType)creation.ResourceType,
                context.Version == 0 ? AclPatternType.Literal : (AclPatternType)creation.ResourcePatternType,
                creation.ResourceName,
                creation.Principal,
                creation.Host,
                (AclOperation)creation.Operation,
                (AclPermission)creation.PermissionType);
            if (rule.Fault() is { } fault)
                return (ErrorCode.InvalidRequest, (string?)fault);
            if (rules.Count >= MaxRules)
                return (ErrorCode.PolicyViolation, $"There cannot be more than {MaxRules} access rules");
            rules.Add(rule);
            return (ErrorCode.None, null);
        });
        if (rules.Count == view.Acls.Rules.Count)
            return results;
        var what = $"access rules: {rules.Count - view.Acls.Rules.Count} added";
        return SecurityChange.TryApply(broker, logger, context, view with { Acls = new AclTable(rules.ToImmutable()) }, what)
            ? results
            : results.ConvertAll(_ => (ErrorCode.KafkaStorageError, (string?)"The rules could not be written"));
    }

    private static CreateAclsResponse Answer(List<(ErrorCode Error, string? Message)> results) => new()
    {
        Results = results.ConvertAll(result => new CreateAclsResponse.AclCreationResult { ErrorCode = result.Error, ErrorMessage = result.Message }),
    };
}
