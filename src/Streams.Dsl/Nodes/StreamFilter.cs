namespace Streams.Dsl.Nodes;

/// <summary>Sends on the records for which the predicate says <paramref name="keep"/>.</summary>
/// <remarks>
/// An absent struct cannot be shown to the predicate: such a record counts as not matching, so Filter drops it and FilterNot keeps it.
/// </remarks>
internal sealed class StreamFilter<K, V>(Func<K, V, bool> predicate, bool keep) : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record)
    {
        var matches = Absent.CanShow(in record) && predicate(record.Key, record.Value);
        if (matches == keep) Forward(in record);
    }
}

/// <inheritdoc cref="StreamFilter{K, V}"/>
internal sealed class StreamValueFilter<K, V>(Func<V, bool> predicate, bool keep) : Processor<K, V, K, V>
{
    public override void Process(in Record<K, V> record)
    {
        var matches = Absent.CanShowValue(in record) && predicate(record.Value);
        if (matches == keep) Forward(in record);
    }
}
