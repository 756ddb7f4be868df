namespace Streams.Dsl.Nodes;

/// <summary>Shows every record to an action; the end of the stream. The action is not called for an absent struct.</summary>
internal sealed class StreamForEach<K, V>(Action<K, V> action) : Processor<K, V>
{
    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShow(in record)) action(record.Key, record.Value);
    }
}
