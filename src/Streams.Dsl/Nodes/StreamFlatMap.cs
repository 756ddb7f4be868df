namespace Streams.Dsl.Nodes;

/// <summary>Turns a record into any number of records. A record with an absent struct cannot be mapped: it is dropped and counted.</summary>
internal sealed class StreamFlatMap<K, V, KR, VR>(Func<K, V, IEnumerable<KeyValuePair<KR, VR>>> mapper) : Processor<K, V, KR, VR>
{
    public override void Process(in Record<K, V> record)
    {
        if (!Absent.CanShow(in record))
        {
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
            return;
        }

        var results = mapper(record.Key, record.Value);
        if (results is KeyValuePair<KR, VR>[] array)
        {
            // Arrays are the usual result; walking one needs no enumerator.
            foreach (var result in array) Forward(new Record<KR, VR>(result.Key, result.Value, record.Timestamp, record.HeadersOrNull));
            return;
        }

        foreach (var result in results) Forward(new Record<KR, VR>(result.Key, result.Value, record.Timestamp, record.HeadersOrNull));
    }
}
