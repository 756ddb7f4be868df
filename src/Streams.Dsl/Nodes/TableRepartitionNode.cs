namespace Streams.Dsl.Nodes;

/// <summary>Sends the changes of a grouped table through an internal topic, so that rows of one group meet in one task.</summary>
internal sealed class TableRepartitionNode<K, V>(string sinkName, string sourceName, string topic, ISerde<K> keySerde, ISerde<V> valueSerde)
    : GraphNode(sourceName)
{
    public override void WriteTo(Topology topology)
    {
        var changeSerde = new ChangeSerde<V>(valueSerde);
        topology.AddInternalTopic(topic);
        topology.AddSink(sinkName, topic, new SinkOptions<K, Change<V>> { KeySerializer = keySerde, ValueSerializer = changeSerde }, ParentNames());
        topology.AddSource(
            Name,
            new SourceOptions<K, Change<V>>
            {
                KeyDeserializer = keySerde,
                ValueDeserializer = changeSerde,
                TimestampPolicy = TimestampPolicy.FailOnInvalid,
            },
            topic);
    }
}
