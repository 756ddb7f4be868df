namespace Streams.Dsl.Nodes;

/// <summary>Gives every record another key and value. A record with an absent struct cannot be mapped: it is dropped and counted.</summary>
internal sealed class StreamMap<K, V, KR, VR>(Func<K, V, KeyValuePair<KR, VR>> mapper) : Processor<K, V, KR, VR>
{
    public override void Process(in Record<K, V> record)
    {
        if (!Absent.CanShow(in record))
        {
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
            return;
        }

        var mapped = mapper(record.Key, record.Value);
        Forward(new Record<KR, VR>(mapped.Key, mapped.Value, record.Timestamp, record.HeadersOrNull));
    }
}
