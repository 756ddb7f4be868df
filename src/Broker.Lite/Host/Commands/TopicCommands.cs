using System.Globalization;
using Broker.Lite.Host.Client;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>Topics: make, list, describe, grow, delete; offsets and removal of records.</summary>
internal static class TopicCommands
{
    private const int TimeoutMs = 30_000;

    public static IEnumerable<ToolCommand> All =>
    [
        new("topics create", """
            Make a topic.
              --topic NAME  --partitions N  --replication-factor N  --config KEY=VALUE (may be repeated)  --if-not-exists
            """, ["--topic", "--partitions", "--replication-factor", "--config"], ["--if-not-exists"], CreateAsync),
        new("topics list", "List topics.\n  --internal  show internal ones too", [], ["--internal"], ListAsync),
        new("topics describe", "Show partitions and settings.\n  --topic NAME (may be repeated; default all)", ["--topic"], [], DescribeAsync),
        new("topics alter", "Give a topic more partitions.\n  --topic NAME  --partitions N", ["--topic", "--partitions"], [], AlterAsync),
        new("topics delete", "Delete topics.\n  --topic NAME (may be repeated)  --if-exists", ["--topic"], ["--if-exists"], DeleteAsync),
        new("topics offsets", "Show offsets.\n  --topic NAME  --time earliest|latest|TIMESTAMP_MS (default latest)", ["--topic", "--time"], [], OffsetsAsync),
        new("topics delete-records", "Delete records before an offset.\n  --topic NAME  --partition N  --offset N (-1: all there are)", ["--topic", "--partition", "--offset"], [], DeleteRecordsAsync),
    ];

    private static async Task CreateAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        var configs = tool.Arguments.Pairs("--config");
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(
            version => new CreateTopicsRequest
            {
                TimeoutMs = TimeoutMs,
                Topics =
                [
                    new()
                    {
                        Name = name,
                        NumPartitions = (int)tool.Arguments.Number("--partitions", version >= 4 ? -1 : 1, 1, int.MaxValue),
                        ReplicationFactor = (short)tool.Arguments.Number("--replication-factor", version >= 4 ? -1 : 1, 1, short.MaxValue),
                        Configs = [.. configs.Select(config => new CreateTopicsRequest.CreatableTopicConfig { Name = config.Key, Value = config.Value })],
                    },
                ],
            },
            cancellationToken).ConfigureAwait(false);
        var result = answer.Topics.Single();
        if (result.ErrorCode == ErrorCode.TopicAlreadyExists && tool.Arguments.Has("--if-not-exists"))
            return;
        ClusterClient.Check(result.ErrorCode, result.ErrorMessage, $"Topic {name}");
        await tool.Output.WriteLineAsync($"Created topic {name}").ConfigureAwait(false);
    }

    private static async Task ListAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var metadata = await tool.Cluster.MetadataAsync(null, cancellationToken).ConfigureAwait(false);
        foreach (var topic in metadata.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal))
        {
            if (!topic.IsInternal || tool.Arguments.Has("--internal"))
                await tool.Output.WriteLineAsync(topic.Name).ConfigureAwait(false);
        }
    }

    private static async Task DescribeAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var asked = tool.Arguments.Texts("--topic");
        var metadata = await tool.Cluster.MetadataAsync(asked.Count == 0 ? null : asked, cancellationToken).ConfigureAwait(false);
        var any = await tool.Cluster.AnyAsync(cancellationToken).ConfigureAwait(false);
        foreach (var topic in metadata.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal))
        {
            ClusterClient.Check(topic.ErrorCode, null, $"Topic {topic.Name}");
            var configs = await any.SendAsync(
                _ => new DescribeConfigsRequest { Resources = [new() { ResourceType = ConfigCommands.Topic, ResourceName = topic.Name!, ConfigurationKeys = null }] }, cancellationToken).ConfigureAwait(false);
            var set = configs.Results[0].Configs.Where(config => config.ConfigSource == ConfigCommands.SetOnTopic).Select(config => $"{config.Name}={config.Value}");
            await tool.Output.WriteLineAsync(
                $"Topic: {topic.Name}\tTopicId: {topic.TopicId}\tPartitionCount: {topic.Partitions.Count}\tReplicationFactor: {topic.Partitions[0].ReplicaNodes.Count}\tConfigs: {string.Join(',', set)}").ConfigureAwait(false);
            foreach (var partition in topic.Partitions.OrderBy(partition => partition.PartitionIndex))
            {
                await tool.Output.WriteLineAsync(
                    $"\tTopic: {topic.Name}\tPartition: {partition.PartitionIndex}\tLeader: {partition.LeaderId}\tReplicas: {string.Join(',', partition.ReplicaNodes)}\tIsr: {string.Join(',', partition.IsrNodes)}").ConfigureAwait(false);
            }
        }
    }

    private static async Task AlterAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        _ = tool.Arguments.Required("--partitions");
        var count = (int)tool.Arguments.Number("--partitions", 1, 1, int.MaxValue);
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(
            _ => new CreatePartitionsRequest { TimeoutMs = TimeoutMs, Topics = [new() { Name = name, Count = count, Assignments = null }] }, cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.Results[0].ErrorCode, answer.Results[0].ErrorMessage, $"Topic {name}");
        await tool.Output.WriteLineAsync($"Topic {name} has {count} partitions").ConfigureAwait(false);
    }

    private static async Task DeleteAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        _ = tool.Arguments.Required("--topic");
        var names = tool.Arguments.Texts("--topic");
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(
            version => version >= 6
                ? new DeleteTopicsRequest { TimeoutMs = TimeoutMs, Topics = [.. names.Select(name => new DeleteTopicsRequest.DeleteTopicState { Name = name })] }
                : new DeleteTopicsRequest { TimeoutMs = TimeoutMs, TopicNames = [.. names] },
            cancellationToken).ConfigureAwait(false);
        foreach (var result in answer.Responses)
        {
            if (result.ErrorCode == ErrorCode.UnknownTopicOrPartition && tool.Arguments.Has("--if-exists"))
                continue;
            ClusterClient.Check(result.ErrorCode, result.ErrorMessage, $"Topic {result.Name}");
            await tool.Output.WriteLineAsync($"Deleted topic {result.Name}").ConfigureAwait(false);
        }
    }

    private static async Task OffsetsAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        var time = tool.Arguments.Text("--time") switch
        {
            null or "latest" => -1,
            "earliest" => -2,
            _ => tool.Arguments.Number("--time", 0),
        };
        var topic = await tool.Cluster.TopicAsync(name, cancellationToken).ConfigureAwait(false);
        var offsets = await tool.Cluster.OffsetsAsync(topic.Partitions.Select(partition => new TopicPartitionName(name, partition.PartitionIndex)), time, cancellationToken).ConfigureAwait(false);
        foreach (var (partition, offset) in offsets.OrderBy(entry => entry.Key.Partition))
            await tool.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{partition.Topic}:{partition.Partition}:{offset}")).ConfigureAwait(false);
    }

    private static async Task DeleteRecordsAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--topic");
        _ = tool.Arguments.Required("--offset");
        var partition = new TopicPartitionName(name, (int)tool.Arguments.Number("--partition", 0, 0, int.MaxValue));
        var offset = tool.Arguments.Number("--offset", -1, -1);
        var answers = await tool.Cluster.ToLeadersAsync(
            [partition],
            (_, _) => new DeleteRecordsRequest { TimeoutMs = TimeoutMs, Topics = [new() { Name = name, Partitions = [new() { PartitionIndex = partition.Partition, Offset = offset }] }] },
            cancellationToken).ConfigureAwait(false);
        var result = answers[0].Topics[0].Partitions[0];
        ClusterClient.Check(result.ErrorCode, null, $"Partition {partition}");
        await tool.Output.WriteLineAsync($"{partition} starts at {result.LowWatermark}").ConfigureAwait(false);
    }
}
