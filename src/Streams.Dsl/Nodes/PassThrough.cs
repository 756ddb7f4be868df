namespace Streams.Dsl.Nodes;

/// <summary>Sends everything on: merges, branches, ends of joins.</summary>
internal sealed class PassThrough<K, V> : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record) => Forward(in record);
}
