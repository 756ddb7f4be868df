namespace Streams.Dsl.Nodes;

/// <summary>Keeps the rows of a table for which the predicate says so; a row that does not match is a deletion downstream.</summary>
/// <remarks>Source: Kafka's <c>KTableFilter</c>. The predicate is not called for absent rows.</remarks>
internal sealed class TableFilter<K, V> : TableOperator<K, V>
{
    private readonly TableOperator<K, V> _parent;
    private readonly Func<K, V, bool> _predicate;
    private readonly bool _keep;
    private readonly string? _storeName;

    public TableFilter(TableOperator<K, V> parent, Func<K, V, bool> predicate, bool keep, string? storeName)
    {
        _parent = parent;
        _predicate = predicate;
        _keep = keep;
        _storeName = storeName;

        // Where the parent keeps its rows anyway, old values cost nothing, and rows that never matched need no deletion downstream (KAFKA-10077).
        SendsOldValues = parent.EnableSendingOldValues(forceMaterialization: false);
    }

    public override string? StoreName => _storeName;

    public override bool IsVersioned => _storeName is null && _parent.IsVersioned;

    public override TimeSpan? HistoryRetention => _storeName is null ? _parent.HistoryRetention : null;

    /// <summary>In a versioned table an update with nothing before and after may still be news: of a time in between.</summary>
    public bool SkipsNothing => _parent.IsVersioned;

    public override bool EnableSendingOldValues(bool forceMaterialization)
    {
        if (_storeName is not null) return SendsOldValues = true;
        return SendsOldValues |= _parent.EnableSendingOldValues(forceMaterialization);
    }

    public override RowLookup<K, V> View()
    {
        if (_storeName is not null) return RowLookup<K, V>.OfStore(_storeName);
        var rows = _parent.View();
        return new RowLookup<K, V>(rows.StoreNames, () => new FilteredRowReader(rows.Create(), this));
    }

    public Processor<K, Change<V>> CreateProcessor() => _storeName is null
        ? new TableFilterProcessor<K, V>(this)
        : new StoredTableFilterProcessor<K, V>(this, _storeName);

    public bool Matches(K key, V value) => _predicate(key, value) == _keep;

    private sealed class FilteredRowReader(RowReader<K, V> parent, TableFilter<K, V> filter) : RowReader<K, V>
    {
        public override bool IsVersioned => parent.IsVersioned;

        public override void Init(ProcessorContext context) => parent.Init(context);

        public override bool TryGet(K key, out V value, out long timestamp) => Match(parent.TryGet(key, out value, out timestamp), key, ref value, ref timestamp);

        public override bool TryGetAsOf(K key, long asOfTimestamp, out V value, out long timestamp) =>
            Match(parent.TryGetAsOf(key, asOfTimestamp, out value, out timestamp), key, ref value, ref timestamp);

        // A joiner is given what stands in the place of an absent row: it must not be the row that was left out.
        private bool Match(bool found, K key, ref V value, ref long timestamp)
        {
            if (found && filter.Matches(key, value)) return true;
            value = default!;
            timestamp = -1;
            return false;
        }
    }
}

/// <summary>Filters changes on their way.</summary>
internal sealed class TableFilterProcessor<K, V>(TableFilter<K, V> filter) : Processor<K, Change<V>, K, Change<V>>
{
    private readonly bool _sendsOldValues = filter.SendsOldValues;
    private readonly bool _skipsAbsent = filter is { SendsOldValues: true, SkipsNothing: false };

    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        var hasNew = change.HasNew && filter.Matches(record.Key, change.NewValue);
        var hasOld = _sendsOldValues && change.HasOld && filter.Matches(record.Key, change.OldValue);

        // Absent before and after: downstream has nothing to undo. Only known when old values are sent.
        if (_skipsAbsent && !hasOld && !hasNew) return;
        Forward(new Record<K, Change<V>>(
            record.Key,
            record.HasKey,
            new Change<V>(change.NewValue, hasNew, change.OldValue, hasOld, change.IsLatest),
            true,
            record.Timestamp,
            record.HeadersOrNull));
    }
}

/// <summary>Filters changes and keeps the resulting rows.</summary>
internal sealed class StoredTableFilterProcessor<K, V>(TableFilter<K, V> filter, string storeName)
    : TableProcessor<K, Change<V>, K, V>(filter.SendsOldValues)
{
    private RowStore<K, V>? _store;

    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        var hasNew = change.HasNew && filter.Matches(record.Key, change.NewValue);
        var store = _store!;
        ValueAndTimestamp<V> old = default;
        var hasOld = SendsOldValues && store.TryGet(record.Key, out old);
        if (SendsOldValues && !filter.SkipsNothing && !hasOld && !hasNew) return;

        store.Put(record.Key, change.NewValue, hasNew, record.Timestamp);
        ForwardStored(new Record<K, Change<V>>(
            record.Key,
            record.HasKey,
            // What is out of order for a versioned table above is the latest for this store, which has no versions and has taken it (KIP-914).
            new Change<V>(change.NewValue, hasNew, old.Value, hasOld),
            true,
            record.Timestamp,
            record.HeadersOrNull));
    }

    protected override void Init()
    {
        _store = RowStore<K, V>.Open(Context, storeName);
        ForwardThrough(_store.Store);
    }
}
