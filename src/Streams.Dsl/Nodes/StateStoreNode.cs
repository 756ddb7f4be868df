namespace Streams.Dsl.Nodes;

/// <summary>A store that the user added to the builder, for processors to connect to.</summary>
internal sealed class StateStoreNode(IStoreBuilder builder) : GraphNode(builder.Name)
{
    public override void WriteTo(Topology topology) => topology.AddStateStore(builder);
}
