namespace Streams.Dsl.Nodes;

/// <summary>
/// One operator of the logical graph. The fluent surface grows the graph; <see cref="GraphBuilder.Build"/> lets each node write its processors,
/// stores and topics into the topology, parents first.
/// </summary>
/// <remarks>
/// To add an operator: a processor class in its own file in <c>Nodes/</c>, and a method on the fluent type that reserves the names (in Kafka Streams'
/// order: the counter is part of every later name) and adds a <see cref="ProcessorGraphNode{KIn, VIn}"/>; derive from this class only when it
/// writes more than one processor or a topic. Source: Kafka's <c>GraphNode</c>.
/// </remarks>
internal abstract class GraphNode(string name)
{
    private readonly List<GraphNode> _parents = [];
    private readonly List<GraphNode> _children = [];

    /// <summary>Name of the node that children receive from.</summary>
    public string Name { get; } = name;

    public IReadOnlyList<GraphNode> Parents => _parents;

    public IReadOnlyList<GraphNode> Children => _children;

    /// <summary>Nodes are written in this order once their parents are.</summary>
    public int BuildPriority { get; set; }

    /// <summary>The key may be another one than before, so grouping and joining need a repartition topic.</summary>
    public bool ChangesKey { get; init; }

    /// <summary>The value may be of another type than before, so repartitioning cannot move above this node.</summary>
    public bool ChangesValue { get; init; }

    /// <summary>Merges streams.</summary>
    public bool IsMerge { get; init; }

    /// <summary>Grace period of the windows that this node aggregates in; <c>suppress</c> looks for it upstream.</summary>
    public long? WindowGraceMs { get; init; }

    /// <summary>A left or outer join, which wants records without key too: they are not filtered out before repartitioning (KIP-962).</summary>
    public bool AcceptsNullKeys { get; init; }

    public void AddChild(GraphNode child)
    {
        if (!_children.Contains(child)) _children.Add(child);
        if (!child._parents.Contains(this)) child._parents.Add(this);
    }

    public void RemoveChild(GraphNode child)
    {
        _children.Remove(child);
        child._parents.Remove(this);
    }

    /// <summary>Adds processors, stores and topics. Every parent has been written.</summary>
    public abstract void WriteTo(Topology topology);

    protected string[] ParentNames()
    {
        var names = new string[_parents.Count];
        for (var index = 0; index < names.Length; index++) names[index] = _parents[index].Name;
        return names;
    }
}
