using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Streams.Core;

/// <summary>What a topology leaves traces under: names of nodes, stores and topics, each with its shape, to tell a renaming from something new.</summary>
/// <remarks>
/// Kept as JSON beside the state. A shape is everything but generated numbers: of a node its name without them, of a store its kind and the shapes of the
/// nodes that use it, of a repartition topic the shapes of the nodes that it connects.
/// </remarks>
internal sealed partial record TopologyFingerprint
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    public required IReadOnlyList<Part> Nodes { get; init; }

    public required IReadOnlyList<Part> Stores { get; init; }

    public required IReadOnlyList<Part> RepartitionTopics { get; init; }

    /// <summary>Describes a plan.</summary>
    public static TopologyFingerprint Of(TopologyPlan plan)
    {
        var all = plan.Subtopologies.Concat(plan.Globals).OrderBy(subtopology => subtopology.Id).ToList();
        var nodes = all.SelectMany(subtopology => subtopology.Nodes.Select(node => new Part(node.Name, ShapeOf(node.Name), subtopology.Id, null)));
        var stores = all.SelectMany(subtopology => subtopology.Stores.Select(store => new Part(
            store.Name,
            $"{store.Builder.GetType().Name}|{store.Builder.ChangelogCleanup}|{(store.IsGlobal ? "global" : "task")}|{string.Join(',', store.Users.Select(ShapeOf).Order(StringComparer.Ordinal))}",
            subtopology.Id,
            store.SourceTopic is null && store.Builder.LoggingEnabled ? plan.ChangelogOf(store) : null)));
        var topics = plan.InternalTopics.Values.Select(topic => new Part(topic.Name, ShapeOf(topic, all), SubtopologyOf(topic, all), plan.ResolveTopic(topic.Name)));
        return new TopologyFingerprint
        {
            Version = CurrentVersion,
            Nodes = [.. nodes],
            Stores = [.. stores],
            RepartitionTopics = [.. topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)],
        };
    }

    /// <summary>What is different now: stores first, then repartition topics, then nodes.</summary>
    public IReadOnlyList<TopologyChange> ChangesFrom(TopologyFingerprint before)
    {
        var changes = new List<TopologyChange>();
        Compare(TopologyPart.Store, before.Stores, Stores, changes);
        Compare(TopologyPart.RepartitionTopic, before.RepartitionTopics, RepartitionTopics, changes);
        Compare(TopologyPart.Node, before.Nodes, Nodes, changes);
        return changes;
    }

    /// <summary>The JSON that is kept.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, FingerprintJson.Default.TopologyFingerprint);

    /// <summary>Reads what was kept; <c>null</c> when it is damaged or of a version that this build does not know.</summary>
    public static TopologyFingerprint? Decode(ReadOnlySpan<byte> json)
    {
        try
        {
            var decoded = JsonSerializer.Deserialize(json, FingerprintJson.Default.TopologyFingerprint);
            return decoded is { Version: CurrentVersion, Nodes: not null, Stores: not null, RepartitionTopics: not null }
                && decoded.Nodes.Concat(decoded.Stores).Concat(decoded.RepartitionTopics).All(part => part is { Name: not null, Shape: not null })
                    ? decoded
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Compare(TopologyPart part, IReadOnlyList<Part> before, IReadOnlyList<Part> now, List<TopologyChange> changes)
    {
        var known = before.DistinctBy(former => former.Name).ToDictionary(former => former.Name);
        var kept = now.Select(present => present.Name).ToHashSet();

        // Of several with one shape the first gone is taken to be the first new: generated numbers keep the order in which operators were added.
        var goneByShape = before.Where(former => !kept.Contains(former.Name)).GroupBy(former => former.Shape).ToDictionary(group => group.Key, group => new Queue<Part>(group));
        foreach (var present in now)
        {
            if (known.TryGetValue(present.Name, out var same))
            {
                if (part == TopologyPart.Store && same.Subtopology != present.Subtopology)
                    changes.Add(new TopologyChange(TopologyChangeKind.Moved, part, present.Name, null, null));
            }
            else if (goneByShape.TryGetValue(present.Shape, out var gone) && gone.TryDequeue(out var former))
            {
                changes.Add(new TopologyChange(TopologyChangeKind.Renamed, part, present.Name, former.Name, former.Topic));
            }
            else
            {
                changes.Add(new TopologyChange(TopologyChangeKind.New, part, present.Name, null, null));
            }
        }

        foreach (var former in goneByShape.Values.SelectMany(gone => gone))
            changes.Add(new TopologyChange(TopologyChangeKind.Gone, part, former.Name, null, former.Topic));
    }

    private static string ShapeOf(string name) => GeneratedNumber().Replace(name, "#");

    private static string ShapeOf(InternalTopic topic, List<Subtopology> all)
    {
        var writers = all.SelectMany(subtopology => subtopology.Nodes).OfType<SinkDefinition>().Where(sink => sink.Topic == topic.Name).SelectMany(sink => sink.Parents);
        var sources = all.SelectMany(subtopology => subtopology.Sources).Where(source => source.Topics.Contains(topic.Name)).Select(source => source.Name).ToHashSet();
        var readers = all.SelectMany(subtopology => subtopology.Nodes).Where(node => node.Parents.Any(sources.Contains)).Select(node => node.Name);
        return $"{Shapes(writers)}>{Shapes(readers)}";

        static string Shapes(IEnumerable<string> names) => string.Join(',', names.Select(ShapeOf).Order(StringComparer.Ordinal));
    }

    private static int SubtopologyOf(InternalTopic topic, List<Subtopology> all) =>
        all.FirstOrDefault(subtopology => subtopology.Sources.Any(source => source.Topics.Contains(topic.Name)))?.Id ?? -1;

    [GeneratedRegex("[0-9]{10}")]
    private static partial Regex GeneratedNumber();

    /// <summary>Something with a name.</summary>
    /// <param name="Name">Its name; of a repartition topic, without the application's prefix.</param>
    /// <param name="Shape">What stays the same when only generated numbers change.</param>
    /// <param name="Subtopology">Number of the sub-topology that it belongs to; of a topic, of its reader.</param>
    /// <param name="Topic">Topic of its own on the cluster; <c>null</c> when it has none.</param>
    internal sealed record Part(string Name, string Shape, int Subtopology, string? Topic);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TopologyFingerprint))]
internal sealed partial class FingerprintJson : JsonSerializerContext;
