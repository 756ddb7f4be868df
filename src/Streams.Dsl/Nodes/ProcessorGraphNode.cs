namespace Streams.Dsl.Nodes;

/// <summary>An operator that is one processor, with or without stores.</summary>
internal sealed class ProcessorGraphNode<KIn, VIn>(string name, Func<Processor<KIn, VIn>> supplier) : GraphNode(name)
{
    /// <summary>A store that this operator owns; asked for at build time, when it is known whether the table must be kept.</summary>
    public Func<IStoreBuilder?>? Store { get; init; }

    /// <summary>Further stores that this operator brings along.</summary>
    public IReadOnlyList<IStoreBuilder> Stores { get; init; } = [];

    /// <summary>Names of stores, added elsewhere, that the operator reads; asked for at build time.</summary>
    public Func<IReadOnlyList<string>>? ConnectedStores { get; init; }

    public override void WriteTo(Topology topology)
    {
        topology.AddProcessor(Name, supplier, ParentNames());
        if (Store?.Invoke() is { } store) topology.AddStateStore(store, Name);
        foreach (var builder in Stores) topology.AddStateStore(builder, Name);
        if (ConnectedStores?.Invoke() is { } names) topology.ConnectProcessorAndStateStores(Name, [.. names]);
    }
}
