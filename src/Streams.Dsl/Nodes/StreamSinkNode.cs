namespace Streams.Dsl.Nodes;

/// <summary>Writes a stream to a topic, or to topics chosen per record.</summary>
internal sealed class StreamSinkNode<K, V>(string name, string? topic, SinkOptions<K, V> options) : GraphNode(name)
{
    public override void WriteTo(Topology topology)
    {
        if (topic is null) topology.AddSink(Name, options, ParentNames());
        else topology.AddSink(Name, topic, options, ParentNames());
    }
}
