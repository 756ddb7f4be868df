using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>Counts the records of each key. Records without key or value are dropped and counted as dropped.</summary>
/// <remarks>Source: Kafka's <c>KStreamAggregate</c> with its count functions; on its own here because it is the hottest aggregation.</remarks>
internal sealed class StreamCount<K, V>(string storeName, bool sendsOldValues, RowLife<K>? life = null) : TableProcessor<K, V, K, long>(sendsOldValues)
{
    private RowStore<K, long>? _store;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey || !record.HasValue)
        {
            Drop(in record, DropReason.AbsentKeyOrValue);
            return;
        }

        var store = _store!;
        Expiry?.Before(record.Key);
        var timestamp = record.Timestamp;
        var old = 0L;
        var hadRow = store.TryGet(record.Key, out var row);
        if (hadRow)
        {
            old = row.Value;
            timestamp = Math.Max(timestamp, row.Timestamp);
        }
        else if (Expiry is not null && Expiry.IsOver(record.Timestamp))
        {
            // It would be gone before anybody could see it.
            Drop(in record, DropReason.Expired, streamTimeMs: Context.CurrentStreamTimeMs);
            return;
        }

        store.Replace(record.Key, old + 1, true, timestamp);
        Expiry?.After(record.Key, hadRow, row.Timestamp, true, timestamp);

        // The old value of a new row is 0, what the count started from, as in Kafka Streams.
        ForwardStored(new Record<K, Change<long>>(
            record.Key, true, new Change<long>(old + 1, true, old, SendsOldValues), true, timestamp, record.HeadersOrNull));
    }

    protected override void Init() => _store = OpenRows(storeName, life);
}
