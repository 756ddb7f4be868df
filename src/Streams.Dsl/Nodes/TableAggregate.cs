namespace Streams.Dsl.Nodes;

/// <summary>
/// Keeps one aggregate per group of a table: a changed row's old value is subtracted, then its new value added. The subtractor is not called when the
/// group has no aggregate; a result of <c>null</c> deletes the row.
/// </summary>
/// <remarks>Source: Kafka's <c>KTableAggregate</c>.</remarks>
internal sealed class TableAggregate<K, V, VR>(
    string storeName,
    Func<VR> initializer,
    Func<K, V, VR, VR> adder,
    Func<K, V, VR, VR> subtractor,
    bool sendsOldValues)
    : TableProcessor<K, Change<V>, K, VR>(sendsOldValues)
{
    private RowStore<K, VR>? _store;

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
            aggregate = subtractor(record.Key, change.OldValue, aggregate!);
            has = Nullability.IsPresent(aggregate);
            timestamp = Math.Max(timestamp, old.Timestamp);
        }

        if (change.HasNew)
        {
            aggregate = adder(record.Key, change.NewValue, has ? aggregate! : initializer());
            has = Nullability.IsPresent(aggregate);
            if (hadOld) timestamp = Math.Max(timestamp, old.Timestamp);
        }

        store.Replace(record.Key, aggregate!, has, timestamp);
        ForwardStored(new Record<K, Change<VR>>(
            record.Key, true, new Change<VR>(aggregate!, has, old.Value, SendsOldValues && hadOld), true, timestamp, record.HeadersOrNull));
    }

    protected override void Init()
    {
        _store = RowStore<K, VR>.Open(Context, storeName);
        ForwardThrough(_store.Store);
    }
}
