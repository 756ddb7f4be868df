namespace Streams.Core;

/// <summary>Where records enter the graph: sends on what the queue of a partition has deserialised.</summary>
internal sealed class SourceNode<K, V> : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record) => Forward(in record);
}
