using Broker.Lite.Host.Client;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>Settings of topics, brokers and groups.</summary>
internal static class ConfigCommands
{
    public const sbyte Topic = 2;
    public const sbyte SetOnTopic = 1;
    private const sbyte Default = 5;
    private static readonly string[] _target = ["--entity-type", "--entity-name"];

    public static IEnumerable<ToolCommand> All =>
    [
        new("configs describe", "Show settings.\n  --entity-type topics|brokers|groups  --entity-name NAME  --all  with defaults", _target, ["--all"], DescribeAsync),
        new("configs alter", "Change settings.\n  --entity-type topics|brokers|groups  --entity-name NAME  --add KEY=VALUE  --delete KEY (both may be repeated)", [.. _target, "--add", "--delete"], [], AlterAsync),
    ];

    private static async Task DescribeAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var (type, name) = Entity(tool);
        var any = await tool.Cluster.AnyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await any.SendAsync(_ => new DescribeConfigsRequest { Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = null }] }, cancellationToken).ConfigureAwait(false);
        var result = answer.Results[0];
        ClusterClient.Check(result.ErrorCode, result.ErrorMessage, $"Settings of {name}");
        foreach (var config in result.Configs.OrderBy(config => config.Name, StringComparer.Ordinal))
        {
            if (config.ConfigSource != Default || tool.Arguments.Has("--all"))
                await tool.Output.WriteLineAsync($"{config.Name}={(config.IsSensitive ? "(hidden)" : config.Value)}").ConfigureAwait(false);
        }
    }

    private static async Task AlterAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        const sbyte Set = 0;
        const sbyte Delete = 1;
        var (type, name) = Entity(tool);
        var changes = tool.Arguments.Pairs("--add").Select(pair => new IncrementalAlterConfigsRequest.AlterableConfig { Name = pair.Key, Value = pair.Value, ConfigOperation = Set })
            .Concat(tool.Arguments.Texts("--delete").Select(key => new IncrementalAlterConfigsRequest.AlterableConfig { Name = key, Value = null, ConfigOperation = Delete }))
            .ToList();
        if (changes.Count == 0)
            throw new ToolException("--add or --delete is missing");
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(
            _ => new IncrementalAlterConfigsRequest { Resources = [new() { ResourceType = type, ResourceName = name, Configs = changes }] }, cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.Responses[0].ErrorCode, answer.Responses[0].ErrorMessage, $"Settings of {name}");
        await tool.Output.WriteLineAsync($"Changed settings of {name}").ConfigureAwait(false);
    }

    private static (sbyte Type, string Name) Entity(ToolContext tool)
    {
        var type = tool.Arguments.Required("--entity-type") switch
        {
            "topics" => Topic,
            "brokers" => (sbyte)4,
            "groups" => (sbyte)32,
            var other => throw new ToolException($"--entity-type is topics, brokers or groups, not '{other}'"),
        };
        return (type, tool.Arguments.Text("--entity-name") ?? (type == 4 ? "" : throw new ToolException("--entity-name is missing")));
    }
}
