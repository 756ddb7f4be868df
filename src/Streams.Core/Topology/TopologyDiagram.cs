using System.Globalization;
using System.Text;

namespace Streams.Core;

/// <summary>Draws a topology in the languages of two drawing tools. Topics and stores are nodes of their own, shared by all sub-topologies that use them.</summary>
internal static class TopologyDiagram
{
    public static string Mermaid(TopologyDescription description)
    {
        var ids = new Ids();
        var text = new StringBuilder("flowchart TD\n");
        foreach (var subtopology in description.Subtopologies)
        {
            text.Append(CultureInfo.InvariantCulture, $"  subgraph s{subtopology.Id} [\"{Title(subtopology)}\"]\n");
            foreach (var node in subtopology.Nodes) text.Append(CultureInfo.InvariantCulture, $"    {ids.Of("node", node.Name)}[\"{Escape(node.Name)}\"]\n");
            foreach (var (from, to) in Edges(subtopology)) text.Append(CultureInfo.InvariantCulture, $"    {ids.Of("node", from)} --> {ids.Of("node", to)}\n");
            text.Append("  end\n");
        }

        foreach (var node in description.Subtopologies.SelectMany(subtopology => subtopology.Nodes))
        {
            foreach (var name in Names(node))
            {
                var (id, isNew) = ids.OfNew(node.Kind == NodeKind.Processor ? "store" : "topic", name);
                if (isNew) text.Append(node.Kind == NodeKind.Processor ? $"  {id}[(\"{Escape(name)}\")]\n" : $"  {id}([\"{Escape(name)}\"])\n");
                var own = ids.Of("node", node.Name);
                text.Append(node.Kind switch
                {
                    NodeKind.Source => $"  {id} --> {own}\n",
                    NodeKind.Sink => $"  {own} --> {id}\n",
                    _ => $"  {own} -.- {id}\n",
                });
            }
        }

        return text.ToString();
    }

    public static string Dot(TopologyDescription description)
    {
        var text = new StringBuilder("digraph topology {\n  rankdir=TB;\n  node [shape=box];\n");
        foreach (var subtopology in description.Subtopologies)
        {
            text.Append(CultureInfo.InvariantCulture, $"  subgraph cluster_{subtopology.Id} {{\n    label={Quote(Title(subtopology))};\n");
            foreach (var node in subtopology.Nodes) text.Append(CultureInfo.InvariantCulture, $"    {Quote(node.Name)};\n");
            foreach (var (from, to) in Edges(subtopology)) text.Append(CultureInfo.InvariantCulture, $"    {Quote(from)} -> {Quote(to)};\n");
            text.Append("  }\n");
        }

        var drawn = new HashSet<string>();
        foreach (var node in description.Subtopologies.SelectMany(subtopology => subtopology.Nodes))
        {
            foreach (var name in Names(node))
            {
                var id = Quote((node.Kind == NodeKind.Processor ? "store " : "topic ") + name);
                if (drawn.Add(id)) text.Append(CultureInfo.InvariantCulture, $"  {id} [label={Quote(name)}, shape={(node.Kind == NodeKind.Processor ? "cylinder" : "oval")}];\n");
                text.Append(node.Kind switch
                {
                    NodeKind.Source => $"  {id} -> {Quote(node.Name)};\n",
                    NodeKind.Sink => $"  {Quote(node.Name)} -> {id};\n",
                    _ => $"  {Quote(node.Name)} -> {id} [style=dashed, dir=none];\n",
                });
            }
        }

        return text.Append("}\n").ToString();
    }

    private static string Title(SubtopologyDescription subtopology) =>
        string.Create(CultureInfo.InvariantCulture, $"Sub-topology {subtopology.Id}{(subtopology.IsGlobal ? ", global store" : "")}");

    private static IEnumerable<(string From, string To)> Edges(SubtopologyDescription subtopology) =>
        subtopology.Nodes.SelectMany(node => node.Successors.Select(successor => (node.Name, successor)));

    // The detail is "topics: [a, b]", "topic: a", "stores: [a, b]", or a pattern or class, which are shown as they are.
    private static string[] Names(NodeDescription node)
    {
        var value = node.Detail[(node.Detail.IndexOf(": ", StringComparison.Ordinal) + 2)..];
        if (!value.StartsWith('[') || !value.EndsWith(']')) return [value];
        return value[1..^1].Split(", ", StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Escape(string text) => text.Replace("\"", "#quot;", StringComparison.Ordinal);

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>Short identifiers, because Mermaid's must not hold every character that names may.</summary>
    private sealed class Ids
    {
        private readonly Dictionary<(string Kind, string Name), string> _ids = [];

        public string Of(string kind, string name) => OfNew(kind, name).Id;

        public (string Id, bool IsNew) OfNew(string kind, string name)
        {
            if (_ids.TryGetValue((kind, name), out var id)) return (id, false);
            id = string.Create(CultureInfo.InvariantCulture, $"{kind[0]}{_ids.Count}");
            _ids.Add((kind, name), id);
            return (id, true);
        }
    }
}
