namespace Streams.Core;

/// <summary>Makes the description of a topology, in Kafka Streams' own order.</summary>
/// <remarks>
/// Nodes are ordered by how many nodes hang behind them, most first, then by name. The neighbours of a node are ordered the same way, but by the
/// counts known when the edge was drawn (<see cref="JavaTreeSet{T}"/>), and edges are drawn in the order of a Java hash map: the text depends on it, so it
/// is followed here.
/// Source: Kafka's <c>InternalTopologyBuilder.describeSubtopology</c>.
/// </remarks>
internal static class TopologyDescriber
{
    public static TopologyDescription Describe(Topology topology)
    {
        var groups = NodeGroups.Of(topology);
        var globalProcessors = topology.Stores.Values.Where(store => store.IsGlobal).SelectMany(store => store.Users).ToHashSet();
        var result = new List<SubtopologyDescription>(groups.Count);
        for (var id = 0; id < groups.Count; id++)
        {
            var isGlobal = groups[id].Any(node => globalProcessors.Contains(node.Name));
            result.Add(new SubtopologyDescription(id, isGlobal, DescribeNodes(groups[id])));
        }

        return new TopologyDescription(result);
    }

    private static List<NodeDescription> DescribeNodes(IReadOnlyList<NodeDefinition> group)
    {
        var drafts = group.ToDictionary(node => node.Name, node => new Draft(node));
        foreach (var name in JavaHashOrder.Of([.. drafts.Keys]))
        {
            var node = drafts[name];
            foreach (var parentName in node.Definition.Parents)
            {
                var parent = drafts[parentName];
                node.Predecessors.Add(parent);
                parent.Successors.Add(node);
                Grow(parent, node.Size);
            }
        }

        return [.. drafts.Values
            .OrderByDescending(draft => draft.Size)
            .ThenBy(draft => draft.Definition.Name, StringComparer.Ordinal)
            .Select(draft => draft.Describe())];
    }

    private static void Grow(Draft node, int by)
    {
        node.Size += by;
        foreach (var predecessor in node.Predecessors.InOrder()) Grow(predecessor, by);
    }

    // Most nodes behind it first, then by name.
    private static int Compare(Draft one, Draft other) =>
        one.Size != other.Size ? other.Size - one.Size : string.CompareOrdinal(one.Definition.Name, other.Definition.Name);

    private sealed class Draft(NodeDefinition definition)
    {
        public NodeDefinition Definition { get; } = definition;

        public JavaTreeSet<Draft> Successors { get; } = new(Compare);

        public JavaTreeSet<Draft> Predecessors { get; } = new(Compare);

        /// <summary>Number of nodes behind this one, itself included; one that is reached twice counts twice.</summary>
        public int Size { get; set; } = 1;

        public NodeDescription Describe()
        {
            var (kind, detail) = Definition switch
            {
                SourceDefinition { Pattern: { } pattern } => (NodeKind.Source, $"topics: {pattern}"),
                SourceDefinition source => (NodeKind.Source, $"topics: {List(source.Topics)}"),
                SinkDefinition { Topic: { } topic } => (NodeKind.Sink, $"topic: {topic}"),
                SinkDefinition sink => (NodeKind.Sink, $"extractor class: {sink.ExtractorName}"),
                _ => (NodeKind.Processor, $"stores: {List(Definition.Stores)}"),
            };
            return new NodeDescription(kind, Definition.Name, detail, Names(Successors), Names(Predecessors));
        }

        private static string List(IReadOnlyCollection<string> names) => $"[{string.Join(", ", JavaHashOrder.Of(names))}]";

        private static List<string> Names(JavaTreeSet<Draft> drafts) => [.. drafts.InOrder().Select(draft => draft.Definition.Name)];
    }
}
