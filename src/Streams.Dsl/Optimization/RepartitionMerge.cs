using Streams.Dsl.Nodes;

namespace Streams.Dsl.Optimization;

/// <summary>
/// Replaces the repartition topics behind one key change by a single one right behind the key change, so that the records are written once.
/// </summary>
/// <remarks>
/// <para>
/// A repartition counts as behind a key change when no operator in between changes values: moving it up would write values of another type. Where
/// several key changes meet in a merge, and every repartition is behind the merge, the merge takes their place. The topic of the first repartition
/// is kept, its nodes are named after it, and three numbers are used up as for any repartition.
/// </para>
/// <para>Source: Kafka's <c>InternalStreamsBuilder.optimizeRepartitionOperations</c>; the recorded descriptions optimizer-s03 and others show the names.</para>
/// </remarks>
internal static class RepartitionMerge
{
    public static void Apply(GraphBuilder graph)
    {
        var groups = new List<(GraphNode KeyChange, List<RepartitionNode> Repartitions)>();
        foreach (var node in graph.Nodes)
        {
            if (node.ChangesKey)
            {
                groups.Add((node, []));
            }
            else if (node is RepartitionNode { IsOptimizable: true } repartition && KeyChangeOf(repartition) is { } keyChange)
            {
                groups.Find(group => group.KeyChange == keyChange).Repartitions.Add(repartition);
            }
        }

        MoveBehindMerges(graph, groups);
        foreach (var (keyChange, repartitions) in groups)
        {
            if (repartitions.Count > 0) Replace(graph, keyChange, repartitions);
        }
    }

    // The nearest node above that changes keys, unless one that changes values is nearer.
    private static GraphNode? KeyChangeOf(RepartitionNode repartition)
    {
        var either = FindAbove(repartition, node => node.ChangesKey || node.ChangesValue);
        var keyChange = FindAbove(repartition, node => node.ChangesKey);
        return either is not null && either == keyChange ? keyChange : null;
    }

    private static void MoveBehindMerges(GraphBuilder graph, List<(GraphNode KeyChange, List<RepartitionNode> Repartitions)> groups)
    {
        var replaced = new HashSet<GraphNode>();
        var behindMerges = new List<(GraphNode Merge, List<RepartitionNode> Repartitions)>();
        foreach (var merge in graph.Nodes.Where(node => node.IsMerge))
        {
            var repartitions = new List<RepartitionNode>();
            foreach (var (keyChange, behind) in groups)
            {
                var allBehindMerge = behind.TrueForAll(repartition => FindAbove(repartition, node => node.Parents.Contains(merge)) is not null);
                if (!allBehindMerge || FindAbove(merge, node => node.Parents.Contains(keyChange)) is null) continue;
                repartitions.AddRange(behind.Except(repartitions));
                replaced.Add(keyChange);
            }

            behindMerges.Add((merge, repartitions));
        }

        groups.AddRange(behindMerges);
        groups.RemoveAll(group => replaced.Contains(group.KeyChange));
    }

    private static void Replace(GraphBuilder graph, GraphNode keyChange, List<RepartitionNode> repartitions)
    {
        var first = repartitions[0];
        var merged = first.Renamed(graph, RepartitionNames.Reserve(graph, first.Names.Topic));

        // The node is written right after the key change and before everything that reads from it.
        merged.BuildPriority = keyChange.BuildPriority;
        foreach (var repartition in repartitions)
        {
            // Null when an earlier repartition behind the same operator has moved that operator already.
            var child = FindAbove(repartition, node => node.Parents.Contains(keyChange));
            if (child is not null && child != repartition)
            {
                merged.AddChild(child);
                keyChange.RemoveChild(child);
            }

            foreach (var behind in repartition.Children.ToArray())
            {
                repartition.RemoveChild(behind);
                foreach (var parent in repartition.Parents.ToArray())
                    (parent == keyChange ? merged : parent).AddChild(behind);
            }

            foreach (var parent in repartition.Parents.ToArray()) parent.RemoveChild(repartition);
            graph.Forget(repartition, replacedBy: merged);
        }

        keyChange.AddChild(merged);
        graph.Adopt(merged);
    }

    /// <summary>The node itself or the first one found above it, depth first along the parents, for which the test holds.</summary>
    private static GraphNode? FindAbove(GraphNode node, Func<GraphNode, bool> test)
    {
        if (test(node)) return node;
        GraphNode? found = null;
        foreach (var parent in node.Parents)
        {
            if (test(parent)) return parent;
            found = FindAbove(parent, test);
        }

        return found;
    }
}
