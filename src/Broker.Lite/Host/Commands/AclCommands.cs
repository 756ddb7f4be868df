using Broker.Lite.Host.Client;
using Broker.Lite.Security.Acls;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>Access rules.</summary>
internal static class AclCommands
{
    private static readonly string[] _resource = ["--topic", "--group", "--transactional-id", "--pattern"];
    private static readonly string[] _rule = [.. _resource, "--allow-principal", "--deny-principal", "--host", "--operation"];

    public static IEnumerable<ToolCommand> All =>
    [
        new("acls list", "List access rules.\n  --topic NAME, --group NAME, --transactional-id NAME or --cluster; --pattern literal|prefixed|match|any (default any)", _resource, ["--cluster"], ListAsync),
        new("acls add", """
            Add access rules.
              --topic NAME, --group NAME, --transactional-id NAME or --cluster; --pattern literal|prefixed (default literal)
              --allow-principal User:NAME or --deny-principal User:NAME  --host ADDRESS (default *)  --operation OP (may be repeated; default all)
            """, _rule, ["--cluster"], AddAsync),
        new("acls remove", "Remove access rules.\n  as acls add; what is not given matches all", _rule, ["--cluster"], RemoveAsync),
    ];

    private static async Task ListAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var (type, name) = Resource(tool, isNeeded: false);
        var any = await tool.Cluster.AnyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await any.SendAsync(
            _ => new DescribeAclsRequest
            {
                ResourceTypeFilter = (sbyte)type,
                ResourceNameFilter = name,
                PatternTypeFilter = (sbyte)Pattern(tool, AclPatternType.Any),
                PrincipalFilter = null,
                HostFilter = null,
                Operation = (sbyte)AclOperation.Any,
                PermissionType = (sbyte)AclPermission.Any,
            },
            cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.ErrorCode, answer.ErrorMessage, "Access rules");
        foreach (var resource in answer.Resources)
        {
            foreach (var rule in resource.Acls)
            {
                await tool.Output.WriteLineAsync(Text(
                    (AclResourceType)resource.ResourceType, (AclPatternType)resource.PatternType, resource.ResourceName, rule.Principal, rule.Host, (AclOperation)rule.Operation, (AclPermission)rule.PermissionType)).ConfigureAwait(false);
            }
        }
    }

    private static async Task AddAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var (type, name) = Resource(tool, isNeeded: true);
        var (principal, permission) = Principal(tool);
        if (principal is null)
            throw new ToolException("--allow-principal or --deny-principal is missing");
        var operations = Operations(tool);
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(
            _ => new CreateAclsRequest
            {
                Creations = [.. operations.DefaultIfEmpty(AclOperation.All).Select(operation => new CreateAclsRequest.AclCreation
                {
                    ResourceType = (sbyte)type,
                    ResourceName = name!,
                    ResourcePatternType = (sbyte)Pattern(tool, AclPatternType.Literal),
                    Principal = principal,
                    Host = tool.Arguments.Text("--host") ?? AclBinding.Wildcard,
                    Operation = (sbyte)operation,
                    PermissionType = (sbyte)permission,
                })],
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var result in answer.Results)
            ClusterClient.Check(result.ErrorCode, result.ErrorMessage, "Access rule");
        await tool.Output.WriteLineAsync($"Added {answer.Results.Count} access rules").ConfigureAwait(false);
    }

    private static async Task RemoveAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var (type, name) = Resource(tool, isNeeded: true);
        var (principal, permission) = Principal(tool);
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(
            _ => new DeleteAclsRequest
            {
                Filters = [.. Operations(tool).DefaultIfEmpty(AclOperation.Any).Select(operation => new DeleteAclsRequest.DeleteAclsFilter
                {
                    ResourceTypeFilter = (sbyte)type,
                    ResourceNameFilter = name,
                    PatternTypeFilter = (sbyte)Pattern(tool, AclPatternType.Literal),
                    PrincipalFilter = principal,
                    HostFilter = tool.Arguments.Text("--host"),
                    Operation = (sbyte)operation,
                    PermissionType = (sbyte)permission,
                })],
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var result in answer.FilterResults)
        {
            ClusterClient.Check(result.ErrorCode, result.ErrorMessage, "Access rules");
            foreach (var rule in result.MatchingAcls)
            {
                await tool.Output.WriteLineAsync("Removed " + Text(
                    (AclResourceType)rule.ResourceType, (AclPatternType)rule.PatternType, rule.ResourceName, rule.Principal, rule.Host, (AclOperation)rule.Operation, (AclPermission)rule.PermissionType)).ConfigureAwait(false);
            }
        }
    }

    private static (AclResourceType Type, string? Name) Resource(ToolContext tool, bool isNeeded)
    {
        var given = new List<(AclResourceType, string?)>();
        if (tool.Arguments.Text("--topic") is { } topic)
            given.Add((AclResourceType.Topic, topic));
        if (tool.Arguments.Text("--group") is { } group)
            given.Add((AclResourceType.Group, group));
        if (tool.Arguments.Text("--transactional-id") is { } id)
            given.Add((AclResourceType.TransactionalId, id));
        if (tool.Arguments.Has("--cluster"))
            given.Add((AclResourceType.Cluster, AclBinding.ClusterName));
        if (given.Count > 1 || (given.Count == 0 && isNeeded))
            throw new ToolException("Give one of --topic, --group, --transactional-id, --cluster");
        return given.Count == 0 ? (AclResourceType.Any, null) : given[0];
    }

    private static (string? Principal, AclPermission Permission) Principal(ToolContext tool) => (tool.Arguments.Text("--allow-principal"), tool.Arguments.Text("--deny-principal")) switch
    {
        (null, null) => (null, AclPermission.Any),
        ({ } allow, null) => (allow, AclPermission.Allow),
        (null, { } deny) => (deny, AclPermission.Deny),
        _ => throw new ToolException("--allow-principal and --deny-principal contradict each other"),
    };

    private static List<AclOperation> Operations(ToolContext tool) => [.. tool.Arguments.Texts("--operation").Select(text =>
        Enum.TryParse<AclOperation>(text.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var operation) && operation > AclOperation.Any
            ? operation
            : throw new ToolException($"--operation '{text}' is unknown"))];

    private static AclPatternType Pattern(ToolContext tool, AclPatternType otherwise) => tool.Arguments.Text("--pattern") switch
    {
        null => otherwise,
        "literal" => AclPatternType.Literal,
        "prefixed" => AclPatternType.Prefixed,
        "match" => AclPatternType.Match,
        "any" => AclPatternType.Any,
        var other => throw new ToolException($"--pattern '{other}' is unknown"),
    };

    private static string Text(AclResourceType type, AclPatternType pattern, string name, string principal, string host, AclOperation operation, AclPermission permission) =>
        $"{type}\t{pattern}\t{name}\t{principal}\thost={host}\t{operation}\t{permission}";
}
