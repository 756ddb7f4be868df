namespace Streams.Dsl.Nodes;

/// <summary>Gives every record another value. An absent struct stays absent without a call.</summary>
internal sealed class StreamMapValues<K, V, VR>(Func<V, VR> mapper) : Processor<K, V, K, VR>
{
    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShowValue(in record)) Forward(record.WithValue(mapper(record.Value)));
        else Forward(record.WithoutValue<VR>());
    }
}

/// <inheritdoc cref="StreamMapValues{K, V, VR}"/>
internal sealed class StreamMapValuesWithKey<K, V, VR>(Func<K, V, VR> mapper) : Processor<K, V, K, VR>
{
    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShow(in record)) Forward(record.WithValue(mapper(record.Key, record.Value)));
        else Forward(record.WithoutValue<VR>());
    }
}
