using Streams.Dsl.Windows;

namespace Streams.Dsl.Nodes;

/// <summary>One input of a cogroup: a grouped stream with its aggregator, its value type hidden.</summary>
internal abstract class CogroupInput<K, VR>
{
    public abstract IReadOnlySet<string> Sources { get; }

    /// <summary>The node to aggregate behind; makes the input's repartition topic if it needs one.</summary>
    public abstract (GraphNode Parent, IReadOnlySet<string> Sources) Repartitioned(string storeName);

    /// <summary>Adds the side output of the input's node, if it has one.</summary>
    public abstract void AddDropped(GraphBuilder graph, GraphNode node, IReadOnlySet<string> sources);

    /// <summary>The node that aggregates this input into the shared store.</summary>
    public abstract GraphNode CreateNode(string name, string storeName, Func<VR> initializer, IStoreBuilder store, TableOperator<K, VR> table);

    /// <summary>The same for a windowed aggregation.</summary>
    public abstract GraphNode CreateWindowedNode(
        string name,
        string storeName,
        Func<VR> initializer,
        Func<K, VR, VR, VR>? merger,
        WindowSpec windows,
        IStoreBuilder store,
        TableOperator<Windowed<K>, VR> table);
}

internal sealed class CogroupInput<K, V, VR>(KGroupedStream<K, V> stream, Func<K, V, VR, VR> aggregator) : CogroupInput<K, VR>
{
    public override IReadOnlySet<string> Sources => stream.Sources;

    public override (GraphNode Parent, IReadOnlySet<string> Sources) Repartitioned(string storeName) => stream.Repartitioned(storeName);

    public override void AddDropped(GraphBuilder graph, GraphNode node, IReadOnlySet<string> sources) =>
        stream.Dropped?.AddTo(graph, node, stream.KeySerde, sources);

    public override GraphNode CreateNode(string name, string storeName, Func<VR> initializer, IStoreBuilder store, TableOperator<K, VR> table) =>
        new ProcessorGraphNode<K, V>(name, () => new StreamAggregate<K, V, VR>(storeName, initializer, aggregator, table.SendsOldValues))
        {
            Stores = [store],
            AcceptsNullKeys = stream.Dropped is not null,
        };

    public override GraphNode CreateWindowedNode(
        string name,
        string storeName,
        Func<VR> initializer,
        Func<K, VR, VR, VR>? merger,
        WindowSpec windows,
        IStoreBuilder store,
        TableOperator<Windowed<K>, VR> table)
    {
        var aggregation = new FoldAggregation<K, V, VR>(initializer, aggregator);
        return new ProcessorGraphNode<K, V>(
            name,
            () => windows.CreateProcessor(storeName, aggregation, merger, Emission.OnUpdate, table.SendsOldValues))
        {
            Stores = [store],
            WindowGraceMs = windows.GraceMs,
            AcceptsNullKeys = stream.Dropped is not null,
        };
    }
}
