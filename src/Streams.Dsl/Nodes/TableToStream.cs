namespace Streams.Dsl.Nodes;

/// <summary>Turns changes of a table into records: the new row, or a record without value for a deletion.</summary>
internal sealed class TableToStream<K, V> : Processor<K, Change<V>, K, V>
{
    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        Forward(new Record<K, V>(record.Key, record.HasKey, change.NewValue, change.HasNew, record.Timestamp, record.HeadersOrNull));
    }
}
