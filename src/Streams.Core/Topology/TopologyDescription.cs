using System.Text;

namespace Streams.Core;

/// <summary>What a topology looks like. <see cref="ToString"/> gives the same text as Kafka Streams' <c>Topology.describe()</c>.</summary>
public sealed class TopologyDescription
{
    internal TopologyDescription(IReadOnlyList<SubtopologyDescription> subtopologies) => Subtopologies = subtopologies;

    /// <summary>The sub-topologies by number; those of global stores are among them.</summary>
    public IReadOnlyList<SubtopologyDescription> Subtopologies { get; }

    /// <summary>The graph as a Mermaid flow chart: a box per sub-topology, with its topics, processors and stores.</summary>
    public string ToMermaid() => TopologyDiagram.Mermaid(this);

    /// <summary>The graph in Graphviz' DOT language: a cluster per sub-topology, with its topics, processors and stores.</summary>
    public string ToDot() => TopologyDiagram.Dot(this);

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder("Topologies:\n ");
        foreach (var subtopology in Subtopologies) text.Append("  ").Append(subtopology);
        return text.ToString();
    }
}

/// <summary>One sub-topology: the nodes that a task runs together.</summary>
/// <param name="Id">Its number; the first part of its tasks' ids.</param>
/// <param name="IsGlobal">Whether it keeps a global store, and so makes no tasks.</param>
/// <param name="Nodes">Its nodes, those with most behind them first.</param>
public sealed record SubtopologyDescription(int Id, bool IsGlobal, IReadOnlyList<NodeDescription> Nodes)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder().Append("Sub-topology: ").Append(Id);
        if (IsGlobal) text.Append(" for global store (will not generate tasks)");
        text.Append('\n');
        foreach (var node in Nodes) text.Append("    ").Append(node).Append('\n');
        if (!IsGlobal) text.Append('\n');
        return text.ToString();
    }
}

/// <summary>What kind of node it is.</summary>
public enum NodeKind
{
    /// <summary>Reads topics.</summary>
    Source,

    /// <summary>Handles records.</summary>
    Processor,

    /// <summary>Writes to a topic.</summary>
    Sink,
}

/// <summary>One node.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name.</param>
/// <param name="Detail">Topics of a source or sink, stores of a processor, as printed.</param>
/// <param name="Successors">Names of the nodes it sends to, as printed.</param>
/// <param name="Predecessors">Names of the nodes it receives from, as printed.</param>
public sealed record NodeDescription(NodeKind Kind, string Name, string Detail, IReadOnlyList<string> Successors, IReadOnlyList<string> Predecessors)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder().Append(Kind).Append(": ").Append(Name).Append(" (").Append(Detail).Append(')');
        if (Kind != NodeKind.Sink) text.Append("\n      --> ").Append(Names(Successors));
        if (Kind != NodeKind.Source) text.Append("\n      <-- ").Append(Names(Predecessors));
        return text.ToString();
    }

    private static string Names(IReadOnlyList<string> nodes) => nodes.Count == 0 ? "none" : string.Join(", ", nodes);
}
