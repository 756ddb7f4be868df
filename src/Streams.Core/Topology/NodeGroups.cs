namespace Streams.Core;

/// <summary>Splits a topology into sub-topologies: nodes that are connected, or that share a store, belong together.</summary>
/// <remarks>
/// Numbers are given in the order in which nodes were added, so by the first source of each, what is upstream before what is downstream, as Kafka
/// Streams does: a task id, and so the state on disk, depends on them. Source: Kafka's <c>InternalTopologyBuilder.makeNodeGroups</c>.
/// </remarks>
internal static class NodeGroups
{
    public static IReadOnlyList<IReadOnlyList<NodeDefinition>> Of(Topology topology)
    {
        var roots = topology.Nodes.ToDictionary(node => node.Name, node => node.Name);
        foreach (var node in topology.Nodes)
        {
            foreach (var parent in node.Parents) Unite(roots, node.Name, parent);
        }

        foreach (var store in topology.Stores.Values)
        {
            for (var index = 1; index < store.Users.Count; index++) Unite(roots, store.Users[0], store.Users[index]);
        }

        var groups = new List<List<NodeDefinition>>();
        var groupByRoot = new Dictionary<string, int>();
        foreach (var node in topology.Nodes)
        {
            var root = Root(roots, node.Name);
            if (!groupByRoot.TryGetValue(root, out var group))
            {
                group = groups.Count;
                groupByRoot.Add(root, group);
                groups.Add([]);
            }

            groups[group].Add(node);
        }

        return groups;
    }

    private static string Root(Dictionary<string, string> roots, string node)
    {
        while (roots[node] != node)
        {
            roots[node] = roots[roots[node]];
            node = roots[node];
        }

        return node;
    }

    private static void Unite(Dictionary<string, string> roots, string one, string other) => roots[Root(roots, one)] = Root(roots, other);
}
