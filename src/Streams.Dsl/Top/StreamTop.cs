using Streams.Dsl.Nodes;
using Streams.Dsl.TimeToLive;
using Streams.Dsl.Windows;

namespace Streams.Dsl.Top;

/// <summary>Keeps the highest values of each key. A value that is not among them changes nothing: it is neither written nor sent on.</summary>
internal sealed class StreamTop<K, V>(string storeName, int count, Func<V, long> score, bool sendsOldValues, RowLife<K>? life)
    : TableProcessor<K, V, K, IReadOnlyList<V>>(sendsOldValues)
{
    private RowStore<K, IReadOnlyList<V>>? _store;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey || !record.HasValue)
        {
            Drop(in record, DropReason.AbsentKeyOrValue);
            return;
        }

        var store = _store!;
        Expiry?.Before(record.Key);
        var hadOld = store.TryGet(record.Key, out var old);
        if (!hadOld && Expiry is not null && Expiry.IsOver(record.Timestamp))
        {
            // It would be gone before anybody could see it.
            Drop(in record, DropReason.Expired, streamTimeMs: Context.CurrentStreamTimeMs);
            return;
        }

        var before = hadOld ? old.Value : [];
        var top = TopList.With(before, record.Value, count, score);
        if (ReferenceEquals(top, before)) return;
        var timestamp = hadOld ? Math.Max(record.Timestamp, old.Timestamp) : record.Timestamp;
        store.Replace(record.Key, top, true, timestamp);
        Expiry?.After(record.Key, hadOld, old.Timestamp, true, timestamp);
        ForwardStored(new Record<K, Change<IReadOnlyList<V>>>(
            record.Key, true, new Change<IReadOnlyList<V>>(top, true, old.Value, SendsOldValues && hadOld), true, timestamp, record.HeadersOrNull));
    }

    protected override void Init() => _store = OpenRows(storeName, life);
}

/// <summary>Keeps the highest values of a window. Unlike other windowed aggregations it leaves out records without value: they have no score.</summary>
internal sealed class TopAggregation<K, V>(int count, Func<V, long> score) : Aggregation<K, V, IReadOnlyList<V>>
{
    public override bool TryInitialize(out IReadOnlyList<V> aggregate)
    {
        aggregate = [];
        return true;
    }

    public override IReadOnlyList<V> Apply(in Record<K, V> record, IReadOnlyList<V> aggregate, bool hasAggregate) => TopList.With(aggregate, record.Value, count, score);

    public override bool CanTake(in Record<K, V> record) => record.HasValue;
}
