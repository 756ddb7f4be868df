using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>
/// Combines the values of each key; the first value becomes the aggregate as it is. Records without key or value are dropped and counted; a reducer
/// that returns <c>null</c> deletes the row.
/// </summary>
/// <remarks>Source: Kafka's <c>KStreamReduce</c>.</remarks>
internal sealed class StreamReduce<K, V>(string storeName, Func<V, V, V> reducer, bool sendsOldValues, RowLife<K>? life = null)
    : TableProcessor<K, V, K, V>(sendsOldValues)
{
    private RowStore<K, V>? _store;

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
        var aggregate = record.Value;
        var hasOld = store.TryGet(record.Key, out var row);
        if (hasOld)
        {
            aggregate = reducer(row.Value, record.Value);
            timestamp = Math.Max(timestamp, row.Timestamp);
        }
        else if (Expiry is not null && Expiry.IsOver(record.Timestamp))
        {
            // It would be gone before anybody could see it.
            Drop(in record, DropReason.Expired, streamTimeMs: Context.CurrentStreamTimeMs);
            return;
        }

        store.Replace(record.Key, aggregate, Nullability.IsPresent(aggregate), timestamp);
        Expiry?.After(record.Key, hasOld, row.Timestamp, Nullability.IsPresent(aggregate), timestamp);
        ForwardStored(new Record<K, Change<V>>(
            record.Key,
            true,
            new Change<V>(aggregate, Nullability.IsPresent(aggregate), row.Value, SendsOldValues && hasOld),
            true,
            timestamp,
            record.HeadersOrNull));
    }

    protected override void Init() => _store = OpenRows(storeName, life);
}
