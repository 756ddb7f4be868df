namespace Streams.Dsl.Nodes;

/// <summary>Turns a record into one record per value. An absent struct gives none.</summary>
internal sealed class StreamFlatMapValues<K, V, VR>(Func<V, IEnumerable<VR>> mapper) : Processor<K, V, K, VR>
{
    public override void Process(in Record<K, V> record)
    {
        if (!Absent.CanShowValue(in record)) return;
        var values = mapper(record.Value);
        if (values is VR[] array)
        {
            // Arrays (string.Split and the like) are the usual result; walking one needs no enumerator.
            foreach (var value in array) Forward(record.WithValue(value));
            return;
        }

        foreach (var value in values) Forward(record.WithValue(value));
    }
}

/// <inheritdoc cref="StreamFlatMapValues{K, V, VR}"/>
internal sealed class StreamFlatMapValuesWithKey<K, V, VR>(Func<K, V, IEnumerable<VR>> mapper) : Processor<K, V, K, VR>
{
    public override void Process(in Record<K, V> record)
    {
        if (!Absent.CanShow(in record)) return;
        var values = mapper(record.Key, record.Value);
        if (values is VR[] array)
        {
            foreach (var value in array) Forward(record.WithValue(value));
            return;
        }

        foreach (var value in values) Forward(record.WithValue(value));
    }
}
