using System.Text.RegularExpressions;

namespace Streams.Core;

/// <summary>
/// Refuses topologies in which a store or an internal topic has a generated name: the number in it counts operators, so inserting one would rename it
/// and orphan its content. Source: KIP-1111.
/// </summary>
internal static partial class ExplicitNames
{
    public static void Demand(Topology topology)
    {
        var stores = topology.Stores.Keys.Where(IsGenerated).Order(StringComparer.Ordinal).ToList();
        var topics = topology.InternalTopics.Keys.Where(IsGenerated).Order(StringComparer.Ordinal).ToList();
        if (stores.Count == 0 && topics.Count == 0) return;
        var found = new List<string>();
        if (stores.Count > 0) found.Add($"stores {string.Join(", ", stores)}: name them with Materialized.As, StreamJoined.WithStoreName, Suppressed.WithName or TableJoined.As");
        if (topics.Count > 0) found.Add($"topics {string.Join(", ", topics)}: name them with Grouped.As, Repartitioned.As, Joined.As, StreamJoined.As or TableJoined.As");
        throw new TopologyException($"EnsureExplicitInternalResourceNaming is on, but names are generated for {string.Join("; for ", found)}.");
    }

    private static bool IsGenerated(string name) => Number().IsMatch(name);

    [GeneratedRegex("-[0-9]{10}(-|$)", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
