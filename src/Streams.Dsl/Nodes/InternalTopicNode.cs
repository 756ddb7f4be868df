namespace Streams.Dsl.Nodes;

/// <summary>Sends records through an internal topic as they are.</summary>
internal sealed class InternalTopicNode<K, V>(string sourceName, string sinkName, string topic, ISerde<K> keySerde, ISerde<V> valueSerde) : GraphNode(sourceName)
{
    public StreamPartitioner<K, V>? Partitioner { get; init; }

    public override void WriteTo(Topology topology)
    {
        topology.AddInternalTopic(topic);
        topology.AddSink(
            sinkName,
            topic,
            new SinkOptions<K, V> { KeySerializer = keySerde, ValueSerializer = valueSerde, Partitioner = Partitioner },
            ParentNames());

        // Absent keys are part of what these topics carry: rows without foreign key, in left joins.
        topology.AddSource(
            Name,
            new SourceOptions<K, V>
            {
                KeyDeserializer = keySerde,
                ValueDeserializer = valueSerde,
                TimestampPolicy = TimestampPolicy.FailOnInvalid,
                AllowAbsentValue = true,
            },
            topic);
    }
}
