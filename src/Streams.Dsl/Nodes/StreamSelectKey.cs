namespace Streams.Dsl.Nodes;

/// <summary>Gives every record another key. A record with an absent struct has none to give: it is dropped and counted.</summary>
internal sealed class StreamSelectKey<K, V, KR>(Func<K, V, KR> selector) : Processor<K, V, KR, V>
{
    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShow(in record)) Forward(record.WithKey(selector(record.Key, record.Value)));
        else Context.RecordDropped(DropReason.AbsentKeyOrValue);
    }
}

/// <summary>Gives every record another key, made from the old one. A record whose key is an absent struct is dropped and counted.</summary>
internal sealed class StreamMapKey<K, V, KR>(Func<K, KR> selector) : Processor<K, V, KR, V>
{
    public override void Process(in Record<K, V> record)
    {
        if (Absent.CanShowKey(in record)) Forward(record.WithKey(selector(record.Key)));
        else Context.RecordDropped(DropReason.AbsentKeyOrValue);
    }
}
