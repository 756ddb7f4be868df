namespace Streams.Dsl.Nodes;

/// <summary>Combines the rows of each group of a table: a changed row's old value is subtracted, then its new value added; the first is taken as it is.</summary>
/// <remarks>Source: Kafka's <c>KTableReduce</c>.</remarks>
internal sealed class TableReduce<K, V>(string storeName, Func<V, V, V> adder, Func<V, V, V> subtractor, bool sendsOldValues)
    : TableProcessor<K, Change<V>, K, V>(sendsOldValues)
{
    private RowStore<K, V>? _store;

    public override void Process(in Record<K, Change<V>> record)
    {
        var store = _store!;
        var change = record.Value;
        var timestamp = record.Timestamp;
        var hadOld = store.TryGet(record.Key, out var old);
        var aggregate = old.Value;
        var has = hadOld;
        if (change.HasOld && hadOld)
        {
            aggregate = subtractor(aggregate!, change.OldValue);
            has = Nullability.IsPresent(aggregate);
            timestamp = Math.Max(timestamp, old.Timestamp);
        }

        if (change.HasNew)
        {
            if (has)
            {
                aggregate = adder(aggregate!, change.NewValue);
                has = Nullability.IsPresent(aggregate);
                timestamp = Math.Max(timestamp, old.Timestamp);
            }
            else
            {
                aggregate = change.NewValue;
                has = true;
            }
        }

        store.Replace(record.Key, aggregate!, has, timestamp);
        ForwardStored(new Record<K, Change<V>>(
            record.Key, true, new Change<V>(aggregate!, has, old.Value, SendsOldValues && hadOld), true, timestamp, record.HeadersOrNull));
    }

    protected override void Init()
    {
        _store = RowStore<K, V>.Open(Context, storeName);
        ForwardThrough(_store.Store);
    }
}
