using System.Globalization;
using Broker.Lite.Host.Client;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>Quotas of users, client ids and addresses.</summary>
internal static class QuotaCommands
{
    private static readonly string[] _entity = ["--user", "--client-id", "--ip"];

    public static IEnumerable<ToolCommand> All =>
    [
        new("quotas list", "List quotas.", [], [], ListAsync),
        new("quotas set", """
            Set or remove quotas.
              --user NAME, --client-id NAME (or both) or --ip ADDRESS; an empty name is the default of all others
              --add KEY=VALUE  --delete KEY (producer_byte_rate, consumer_byte_rate, request_percentage; for addresses connection_creation_rate)
            """, [.. _entity, "--add", "--delete"], [], SetAsync),
    ];

    private static async Task ListAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var any = await tool.Cluster.AnyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await any.SendAsync(_ => new DescribeClientQuotasRequest(), cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.ErrorCode, answer.ErrorMessage, "Quotas");
        foreach (var entry in answer.Entries ?? [])
        {
            var entity = string.Join(", ", entry.Entity.Select(part => $"{part.EntityType}={part.EntityName ?? "(default)"}"));
            foreach (var value in entry.Values)
                await tool.Output.WriteLineAsync($"{entity}\t{value.Key}={value.Value.ToString(CultureInfo.InvariantCulture)}").ConfigureAwait(false);
        }
    }

    private static async Task SetAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var entity = _entity.Where(tool.Arguments.Has)
            .Select(name => new AlterClientQuotasRequest.EntityData { EntityType = name[2..], EntityName = tool.Arguments.Text(name) is { Length: > 0 } text ? text : null }).ToList();
        var ops = tool.Arguments.Pairs("--add").Select(pair => new AlterClientQuotasRequest.OpData
        {
            Key = pair.Key,
            Value = double.TryParse(pair.Value, CultureInfo.InvariantCulture, out var value) ? value : throw new ToolException($"--add {pair.Key}={pair.Value}: no number"),
        }).Concat(tool.Arguments.Texts("--delete").Select(key => new AlterClientQuotasRequest.OpData { Key = key, Remove = true })).ToList();
        if (entity.Count == 0 || ops.Count == 0)
            throw new ToolException("An entity and --add or --delete are needed");
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(_ => new AlterClientQuotasRequest { Entries = [new() { Entity = entity, Ops = ops }] }, cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.Entries[0].ErrorCode, answer.Entries[0].ErrorMessage, "Quotas");
        await tool.Output.WriteLineAsync("Changed quotas").ConfigureAwait(false);
    }
}
