using Streams.Dsl.Nodes;

namespace Streams.Dsl.Dropped;

/// <summary>What is done with the records that an operator leaves out.</summary>
/// <param name="Use">Told of their stream once, when the operator is added.</param>
/// <param name="Name">Name of the node that gives them.</param>
internal sealed record DroppedOutput<K, V>(Action<KStream<K, DroppedRecord<V>>> Use, Named? Name)
{
    private const string Prefix = "KSTREAM-DROPPED-";

    /// <summary>Adds the side output of an operator to the graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="parent">The operator.</param>
    /// <param name="keySerde">Serde of the keys; <c>null</c> to find one by type.</param>
    /// <param name="sources">Source nodes that the operator's records come from.</param>
    /// <param name="repartitionRequired">Whether the records' keys are not those that they are partitioned by.</param>
    /// <param name="parentNames">Which processors of the operator leave records out; asked for at build time. Default: the one named like the operator.</param>
    public void AddTo(
        GraphBuilder graph,
        GraphNode parent,
        ISerde<K>? keySerde,
        IReadOnlySet<string> sources,
        bool repartitionRequired = false,
        Func<string[]>? parentNames = null)
    {
        var node = new DroppedNode<K, V>(graph.NameOf(Name, Prefix), parentNames) { ChangesValue = true };
        graph.Add(parent, node);
        Use(new KStream<K, DroppedRecord<V>>(graph, node, keySerde, null, sources, repartitionRequired));
    }

    public static DroppedOutput<K, V> Of(Action<KStream<K, DroppedRecord<V>>> use, Named? name)
    {
        ArgumentNullException.ThrowIfNull(use);
        return new DroppedOutput<K, V>(use, name);
    }
}

/// <summary>The node at which the records that its parent leaves out go on.</summary>
internal sealed class DroppedNode<K, V>(string name, Func<string[]>? parentNames) : GraphNode(name)
{
    public override void WriteTo(Topology topology) => topology.AddProcessor(Name, static () => new DroppedRecords<K, V>(), parentNames?.Invoke() ?? ParentNames());
}

/// <summary>Turns what its parent leaves out into records that say why.</summary>
internal sealed class DroppedRecords<K, V> : Processor<K, V, K, DroppedRecord<V>>, IDroppedRecords<K, V>
{
    public void Take(in Record<K, V> record, DropReason reason, Window? window, long streamTimeMs, string node)
    {
        var dropped = new DroppedRecord<V>
        {
            Reason = reason != DropReason.AbsentKeyOrValue ? reason : record.HasKey ? DropReason.AbsentValue : DropReason.AbsentKey,
            Operator = node,
            Value = record.Value,
            HasValue = record.HasValue,
            Window = window,
            StreamTimeMs = streamTimeMs >= 0 ? streamTimeMs : Context.CurrentStreamTimeMs,
            Origin = Context.RecordMetadata,
        };
        Forward(new Record<K, DroppedRecord<V>>(record.Key, record.HasKey, dropped, true, record.Timestamp, record.HeadersOrNull));
    }

    public override void Process(in Record<K, V> record) =>
        throw new InvalidOperationException($"Node '{NodeName}' takes what its parent leaves out, not what it forwards.");
}
