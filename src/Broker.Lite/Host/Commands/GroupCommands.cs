using System.Globalization;
using System.Xml;
using Broker.Lite.Host.Client;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>Consumer groups: list, describe with lag, reset offsets, delete.</summary>
internal static class GroupCommands
{
    private static readonly string[] _resetTo = ["--to-offset", "--shift-by", "--to-datetime", "--by-duration"];
    private static readonly string[] _resetFlags = ["--to-earliest", "--to-latest", "--to-current"];

    public static IEnumerable<ToolCommand> All =>
    [
        new("groups list", "List groups.", [], [], ListAsync),
        new("groups describe", "Show positions, lag and members.\n  --group NAME", ["--group"], [], DescribeAsync),
        new("groups reset-offsets", """
            Move the positions of a group without members.
              --group NAME  --topic NAME[:P,P...] (may be repeated; default: what the group has committed)
              one of --to-earliest, --to-latest, --to-current, --to-offset N, --shift-by N, --to-datetime 2026-01-31T12:00:00[.000][Z], --by-duration PT1H30M (ago)
              --execute   do it; without, it is only shown (--dry-run says the same)
            """, [.. _resetTo, "--group", "--topic"], [.. _resetFlags, "--execute", "--dry-run"], ResetAsync),
        new("groups delete", "Delete groups without members.\n  --group NAME (may be repeated)", ["--group"], [], DeleteAsync),
    ];

    private static async Task ListAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var metadata = await tool.Cluster.MetadataAsync([], cancellationToken).ConfigureAwait(false);
        var groups = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in metadata.Brokers)
        {
            var connection = await tool.Cluster.NodeAsync(node.NodeId, cancellationToken).ConfigureAwait(false);
            var answer = await connection.SendAsync(_ => new ListGroupsRequest(), cancellationToken).ConfigureAwait(false);
            ClusterClient.Check(answer.ErrorCode, null, "Groups");
            foreach (var group in answer.Groups)
                groups[group.GroupId] = group.GroupState;
        }

        foreach (var (group, state) in groups)
            await tool.Output.WriteLineAsync(state.Length == 0 ? group : $"{group}\t{state}").ConfigureAwait(false);
    }

    private static async Task DescribeAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--group");
        var coordinator = await tool.Cluster.CoordinatorAsync(name, cancellationToken).ConfigureAwait(false);
        var group = await GroupSummary.ReadAsync(coordinator, name, cancellationToken).ConfigureAwait(false);
        var owners = group.Owners;
        var committed = await CommittedAsync(coordinator, name, cancellationToken).ConfigureAwait(false);
        if (committed.Count == 0 && group.MemberCount == 0)
            throw new ToolException($"There is no group {name}, or it has neither members nor committed offsets");
        await tool.Output.WriteLineAsync($"Group: {name}\tState: {group.State}\tProtocol: {group.Protocol}\tMembers: {group.MemberCount}").ConfigureAwait(false);
        await tool.Output.WriteLineAsync("TOPIC\tPARTITION\tCURRENT-OFFSET\tLOG-END-OFFSET\tLAG\tCONSUMER-ID\tHOST\tCLIENT-ID").ConfigureAwait(false);
        var partitions = committed.Keys.Union(owners.Keys).OrderBy(partition => partition.Topic, StringComparer.Ordinal).ThenBy(partition => partition.Partition).ToList();
        var ends = await tool.Cluster.OffsetsAsync(partitions, -1, cancellationToken).ConfigureAwait(false);
        foreach (var partition in partitions)
        {
            var end = ends[partition];
            var position = committed.TryGetValue(partition, out var offset) ? Text(offset) : "-";
            var lag = committed.ContainsKey(partition) ? Text(Math.Max(0, end - offset)) : "-";
            var owner = owners.TryGetValue(partition, out var member) ? $"{member.MemberId}\t{member.Host}\t{member.ClientId}" : "-\t-\t-";
            await tool.Output.WriteLineAsync($"{partition.Topic}\t{partition.Partition}\t{position}\t{Text(end)}\t{lag}\t{owner}").ConfigureAwait(false);
        }
    }

    private static async Task ResetAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var name = tool.Arguments.Required("--group");
        if (_resetTo.Concat(_resetFlags).Count(tool.Arguments.Has) != 1)
            throw new ToolException("Give exactly one of " + string.Join(", ", _resetFlags.Concat(_resetTo)));
        if (tool.Arguments.Has("--execute") && tool.Arguments.Has("--dry-run"))
            throw new ToolException("--execute and --dry-run contradict each other");
        var coordinator = await tool.Cluster.CoordinatorAsync(name, cancellationToken).ConfigureAwait(false);
        var group = await GroupSummary.ReadAsync(coordinator, name, cancellationToken).ConfigureAwait(false);
        if (group.State is not ("Empty" or "Dead"))
            throw new ToolException($"Group {name} has members (it is {group.State}); stop them first");

        var committed = await CommittedAsync(coordinator, name, cancellationToken).ConfigureAwait(false);
        var partitions = await PartitionsAsync(tool, committed.Keys, cancellationToken).ConfigureAwait(false);
        if (partitions.Count == 0)
            throw new ToolException($"Group {name} has committed nothing; say with --topic what to set");
        var targets = await TargetsAsync(tool, partitions, committed, cancellationToken).ConfigureAwait(false);
        if (tool.Arguments.Has("--execute"))
        {
            var answer = await coordinator.SendAsync(
                _ => new OffsetCommitRequest
                {
                    GroupId = name,
                    GenerationIdOrMemberEpoch = -1,
                    MemberId = "",
                    RetentionTimeMs = -1,
                    Topics = [.. targets.GroupBy(target => target.Key.Topic, StringComparer.Ordinal).Select(topic => new OffsetCommitRequest.OffsetCommitRequestTopic
                    {
                        Name = topic.Key,
                        Partitions = [.. topic.Select(target => new OffsetCommitRequest.OffsetCommitRequestPartition
                        {
                            PartitionIndex = target.Key.Partition,
                            CommittedOffset = target.Value,
                            CommittedLeaderEpoch = -1,
                            CommittedMetadata = "",
                        })],
                    })],
                },
                cancellationToken).ConfigureAwait(false);
            foreach (var topic in answer.Topics)
            {
                foreach (var partition in topic.Partitions)
                    ClusterClient.Check(partition.ErrorCode, null, $"Offset of {topic.Name}-{partition.PartitionIndex}");
            }
        }

        await tool.Output.WriteLineAsync("GROUP\tTOPIC\tPARTITION\tNEW-OFFSET").ConfigureAwait(false);
        foreach (var (partition, offset) in targets)
            await tool.Output.WriteLineAsync($"{name}\t{partition.Topic}\t{partition.Partition}\t{Text(offset)}").ConfigureAwait(false);
        if (!tool.Arguments.Has("--execute"))
            await tool.Output.WriteLineAsync("Nothing was changed; --execute does it").ConfigureAwait(false);
    }

    private static async Task<SortedDictionary<TopicPartitionName, long>> TargetsAsync(
        ToolContext tool, List<TopicPartitionName> partitions, Dictionary<TopicPartitionName, long> committed, CancellationToken cancellationToken)
    {
        var first = await tool.Cluster.OffsetsAsync(partitions, -2, cancellationToken).ConfigureAwait(false);
        var end = await tool.Cluster.OffsetsAsync(partitions, -1, cancellationToken).ConfigureAwait(false);
        var atTime = TimeOf(tool) is { } time ? await tool.Cluster.OffsetsAsync(partitions, time, cancellationToken).ConfigureAwait(false) : null;
        var targets = new SortedDictionary<TopicPartitionName, long>(Comparer<TopicPartitionName>.Create((a, b) => (string.CompareOrdinal(a.Topic, b.Topic), a.Partition - b.Partition) is (0, var order) ? order : string.CompareOrdinal(a.Topic, b.Topic)));
        foreach (var partition in partitions)
        {
            long wanted;
            if (atTime is not null)
                wanted = atTime[partition] < 0 ? end[partition] : atTime[partition]; // nothing that late: the end
            else if (tool.Arguments.Has("--to-earliest"))
                wanted = first[partition];
            else if (tool.Arguments.Has("--to-latest"))
                wanted = end[partition];
            else if (tool.Arguments.Has("--to-offset"))
                wanted = tool.Arguments.Number("--to-offset", 0);
            else if (!committed.TryGetValue(partition, out wanted))
                throw new ToolException($"The group has committed nothing in {partition}");
            else if (tool.Arguments.Has("--shift-by"))
                wanted += tool.Arguments.Number("--shift-by", 0, -long.MaxValue / 4, long.MaxValue / 4);
            targets[partition] = Math.Clamp(wanted, first[partition], Math.Max(first[partition], end[partition]));
        }

        return targets;
    }

    private static long? TimeOf(ToolContext tool)
    {
        if (tool.Arguments.Text("--to-datetime") is { } text)
        {
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? Math.Max(0, time.ToUnixTimeMilliseconds()) // below zero the protocol has other meanings
                : throw new ToolException($"--to-datetime '{text}' is not a time such as 2026-01-31T12:00:00Z");
        }

        if (tool.Arguments.Text("--by-duration") is not { } duration)
            return null;
        try
        {
            return Math.Max(0, (tool.Time.GetUtcNow() - XmlConvert.ToTimeSpan(duration)).ToUnixTimeMilliseconds());
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentOutOfRangeException)
        {
            throw new ToolException($"--by-duration '{duration}' is not a duration such as PT1H30M", e);
        }
    }

    private static async Task<List<TopicPartitionName>> PartitionsAsync(ToolContext tool, IEnumerable<TopicPartitionName> committed, CancellationToken cancellationToken)
    {
        if (!tool.Arguments.Has("--topic"))
            return [.. committed];
        var partitions = new List<TopicPartitionName>();
        foreach (var text in tool.Arguments.Texts("--topic"))
        {
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var topic = colon < 0 ? text : text[..colon];
            if (colon >= 0)
            {
                foreach (var number in text[(colon + 1)..].Split(','))
                    partitions.Add(new(topic, int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : throw new ToolException($"--topic '{text}' is not NAME:P,P")));
                continue;
            }

            var known = await tool.Cluster.TopicAsync(topic, cancellationToken).ConfigureAwait(false);
            partitions.AddRange(known.Partitions.Select(partition => new TopicPartitionName(topic, partition.PartitionIndex)));
        }

        return partitions;
    }

    private static async Task<Dictionary<TopicPartitionName, long>> CommittedAsync(WireConnection coordinator, string group, CancellationToken cancellationToken)
    {
        var answer = await coordinator.SendAsync(
            version => version >= 8
                ? new OffsetFetchRequest { Groups = [new() { GroupId = group, MemberId = null, MemberEpoch = -1, Topics = null }] }
                : new OffsetFetchRequest { GroupId = group, Topics = null },
            cancellationToken).ConfigureAwait(false);
        var offsets = new Dictionary<TopicPartitionName, long>();
        ClusterClient.Check(answer.ErrorCode, null, $"Group {group}");
        foreach (var topic in answer.Topics)
        {
            foreach (var partition in topic.Partitions.Where(partition => partition.CommittedOffset >= 0))
                offsets[new(topic.Name, partition.PartitionIndex)] = partition.CommittedOffset;
        }

        foreach (var found in answer.Groups)
        {
            ClusterClient.Check(found.ErrorCode, null, $"Group {group}");
            foreach (var topic in found.Topics)
            {
                foreach (var partition in topic.Partitions.Where(partition => partition.CommittedOffset >= 0))
                    offsets[new(topic.Name, partition.PartitionIndex)] = partition.CommittedOffset;
            }
        }

        return offsets;
    }

    private static async Task DeleteAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        _ = tool.Arguments.Required("--group");
        foreach (var name in tool.Arguments.Texts("--group"))
        {
            var coordinator = await tool.Cluster.CoordinatorAsync(name, cancellationToken).ConfigureAwait(false);
            var answer = await coordinator.SendAsync(_ => new DeleteGroupsRequest { GroupsNames = [name] }, cancellationToken).ConfigureAwait(false);
            ClusterClient.Check(answer.Results[0].ErrorCode, null, $"Group {name}");
            await tool.Output.WriteLineAsync($"Deleted group {name}").ConfigureAwait(false);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
