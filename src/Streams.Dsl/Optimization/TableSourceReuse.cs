using Streams.Dsl.Nodes;

namespace Streams.Dsl.Optimization;

/// <summary>Lets the source topic of a table serve as the changelog of its store, so that its rows are not written a second time.</summary>
/// <remarks>The topic must be compacted, and is read without the deserialisation handler when the store is restored. Source: KIP-295.</remarks>
internal static class TableSourceReuse
{
    public static void Apply(GraphBuilder graph)
    {
        foreach (var table in graph.Nodes.OfType<TableSourceGraphNode>()) table.ReusesSourceTopic = true;
    }
}
