using Streams.Dsl.Nodes;

namespace Streams.Dsl;

/// <summary>Holding updates of a table back.</summary>
public static class KTableSuppressExtensions
{
    /// <summary>Holds updates of a windowed table back: until their window has closed, or for a time.</summary>
    /// <exception cref="TopologyException">No windows are found upstream whose grace period says when they close, or the table is versioned.</exception>
    public static KTable<Windowed<K>, V> Suppress<K, V>(this KTable<Windowed<K>, V> table, Suppressed suppressed)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(suppressed);
        return suppressed.TimeLimitMs is { } waitMs
            ? table.AddSuppress(suppressed, null, waitMs, dropsDeletions: false)
            : table.AddSuppress(suppressed, static key => key.Window.EndMs, GraceUpstream(table.Node), dropsDeletions: true);
    }

    /// <summary>Holds updates of a table back for a time.</summary>
    /// <exception cref="TopologyException">Told to wait for windows to close, which only tables with windowed keys have; or the table is versioned.</exception>
    public static KTable<K, V> Suppress<K, V>(this KTable<K, V> table, Suppressed suppressed)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(suppressed);
        if (suppressed.TimeLimitMs is not { } waitMs)
            throw new TopologyException($"'{table.Name}' cannot be suppressed until windows close: its keys are not windowed. Use Suppressed.UntilTimeLimit.");
        return table.AddSuppress(suppressed, null, waitMs, dropsDeletions: false);
    }

    private static long GraceUpstream(GraphNode node) => Search(node) ?? throw new TopologyException(
        $"'{node.Name}' cannot be suppressed until windows close: no windowed aggregation upstream says when they do.");

    // The largest of several: a row is final when no branch can change it any more.
    private static long? Search(GraphNode node)
    {
        if (node.WindowGraceMs is { } grace) return grace;
        long? largest = null;
        foreach (var parent in node.Parents)
        {
            if (Search(parent) is { } found && (largest is null || found > largest)) largest = found;
        }

        return largest;
    }
}
