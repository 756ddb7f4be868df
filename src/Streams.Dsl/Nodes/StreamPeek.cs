namespace Streams.Dsl.Nodes;

/// <summary>Shows every record to an action and sends it on unchanged. The action is not called for an absent struct.</summary>
internal sealed class StreamPeek<K, V>(Action<K, V> action) : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShow(in record)) action(record.Key, record.Value);
        Forward(in record);
    }
}
