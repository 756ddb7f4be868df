namespace Streams.Dsl.Nodes;

/// <summary>Gives every row of a table another value. The mapper is not called for absent rows; a row mapped to <c>null</c> is absent.</summary>
/// <remarks>Source: Kafka's <c>KTableMapValues</c>. Rows that are not kept are computed again at each look-up.</remarks>
internal sealed class TableMapValues<K, V, VR>(TableOperator<K, V> parent, Func<K, V, VR> mapper, string? storeName) : TableOperator<K, VR>
{
    public override string? StoreName => storeName;

    public override bool IsVersioned => storeName is null && parent.IsVersioned;

    public override TimeSpan? HistoryRetention => storeName is null ? parent.HistoryRetention : null;

    public override bool EnableSendingOldValues(bool forceMaterialization)
    {
        if (storeName is not null) return SendsOldValues = true;
        return SendsOldValues |= parent.EnableSendingOldValues(forceMaterialization);
    }

    public override RowLookup<K, VR> View()
    {
        if (storeName is not null) return RowLookup<K, VR>.OfStore(storeName);
        var rows = parent.View();
        return new RowLookup<K, VR>(rows.StoreNames, () => new MappedRowReader(rows.Create(), mapper));
    }

    public Processor<K, Change<V>> CreateProcessor() => storeName is null
        ? new TableMapValuesProcessor<K, V, VR>(mapper, SendsOldValues)
        : new StoredTableMapValuesProcessor<K, V, VR>(mapper, storeName, SendsOldValues);

    private sealed class MappedRowReader(RowReader<K, V> parent, Func<K, V, VR> mapper) : RowReader<K, VR>
    {
        public override bool IsVersioned => parent.IsVersioned;

        public override void Init(ProcessorContext context) => parent.Init(context);

        public override bool TryGet(K key, out VR value, out long timestamp) =>
            Map(parent.TryGet(key, out var row, out timestamp), key, row, out value, ref timestamp);

        public override bool TryGetAsOf(K key, long asOfTimestamp, out VR value, out long timestamp) =>
            Map(parent.TryGetAsOf(key, asOfTimestamp, out var row, out timestamp), key, row, out value, ref timestamp);

        private bool Map(bool found, K key, V row, out VR value, ref long timestamp)
        {
            value = found ? mapper(key, row) : default!;
            if (found && Nullability.IsPresent(value)) return true;
            timestamp = -1;
            return false;
        }
    }
}

/// <summary>Maps changes on their way.</summary>
internal sealed class TableMapValuesProcessor<K, V, VR>(Func<K, V, VR> mapper, bool sendsOldValues) : Processor<K, Change<V>, K, Change<VR>>
{
    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        var newValue = change.HasNew ? mapper(record.Key, change.NewValue) : default!;
        var oldValue = sendsOldValues && change.HasOld ? mapper(record.Key, change.OldValue) : default!;
        Forward(new Record<K, Change<VR>>(
            record.Key,
            record.HasKey,
            new Change<VR>(newValue, change.HasNew && Nullability.IsPresent(newValue), oldValue, sendsOldValues && change.HasOld && Nullability.IsPresent(oldValue), change.IsLatest),
            true,
            record.Timestamp,
            record.HeadersOrNull));
    }
}

/// <summary>Maps changes and keeps the resulting rows.</summary>
internal sealed class StoredTableMapValuesProcessor<K, V, VR>(Func<K, V, VR> mapper, string storeName, bool sendsOldValues)
    : TableProcessor<K, Change<V>, K, VR>(sendsOldValues)
{
    private RowStore<K, VR>? _store;

    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        var newValue = change.HasNew ? mapper(record.Key, change.NewValue) : default!;
        var hasNew = change.HasNew && Nullability.IsPresent(newValue);
        var store = _store!;
        ValueAndTimestamp<VR> old = default;
        var hasOld = SendsOldValues && store.TryGet(record.Key, out old);
        store.Put(record.Key, newValue, hasNew, record.Timestamp);
        ForwardStored(new Record<K, Change<VR>>(
            record.Key,
            record.HasKey,
            // What is out of order for a versioned table above is the latest for this store, which has no versions and has taken it (KIP-914).
            new Change<VR>(newValue, hasNew, old.Value, hasOld),
            true,
            record.Timestamp,
            record.HeadersOrNull));
    }

    protected override void Init()
    {
        _store = RowStore<K, VR>.Open(Context, storeName);
        ForwardThrough(_store.Store);
    }
}
