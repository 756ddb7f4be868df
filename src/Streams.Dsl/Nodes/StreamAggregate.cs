using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>
/// Keeps one aggregate per key: what the initializer gives, then what the aggregator makes of each value. Records without key or value are dropped
/// and counted; an aggregator that returns <c>null</c> deletes the row. The result's time is the largest time of what went into it.
/// </summary>
/// <remarks>Source: Kafka's <c>KStreamAggregate</c>.</remarks>
internal sealed class StreamAggregate<K, V, VR>(
    string storeName,
    Func<VR> initializer,
    Func<K, V, VR, VR> aggregator,
    bool sendsOldValues,
    RowLife<K>? life = null)
    : TableProcessor<K, V, K, VR>(sendsOldValues)
{
    private RowStore<K, VR>? _store;

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
        VR old;
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
        else
        {
            old = initializer();
        }

        var aggregate = aggregator(record.Key, record.Value, old);
        store.Replace(record.Key, aggregate, Nullability.IsPresent(aggregate), timestamp);
        Expiry?.After(record.Key, hadRow, row.Timestamp, Nullability.IsPresent(aggregate), timestamp);

        // The old value of a new row is what the initializer gave, as in Kafka Streams.
        ForwardStored(new Record<K, Change<VR>>(
            record.Key,
            true,
            new Change<VR>(aggregate, Nullability.IsPresent(aggregate), old, SendsOldValues && Nullability.IsPresent(old)),
            true,
            timestamp,
            record.HeadersOrNull));
    }

    protected override void Init() => _store = OpenRows(storeName, life);
}
