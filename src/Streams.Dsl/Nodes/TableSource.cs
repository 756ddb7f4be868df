namespace Streams.Dsl.Nodes;

/// <summary>A table from a topic or stream. It keeps its rows when its store is named, or when somebody needs to look them up or wants old values.</summary>
internal sealed class TableSource<K, V>(string storeName, bool isQueryable) : TableOperator<K, V>
{
    private bool _isMaterialized = isQueryable;

    public override string? StoreName => _isMaterialized ? storeName : null;

    public override bool EnableSendingOldValues(bool forceMaterialization)
    {
        if (!forceMaterialization && !_isMaterialized) return false;
        _isMaterialized = true;
        return SendsOldValues = true;
    }

    public override RowLookup<K, V> View()
    {
        _isMaterialized = true;
        return RowLookup<K, V>.OfStore(storeName);
    }

    public Processor<K, V> CreateProcessor() => _isMaterialized
        ? new TableSourceProcessor<K, V>(storeName, SendsOldValues)
        : new TableSourceForwarder<K, V>();
}

/// <summary>Keeps the rows and sends the changes. Records without key are dropped and counted. Source: Kafka's <c>KTableSource</c>.</summary>
internal sealed class TableSourceProcessor<K, V>(string storeName, bool sendsOldValues) : TableProcessor<K, V, K, V>(sendsOldValues)
{
    private RowStore<K, V>? _store;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey)
        {
            Context.RecordDropped();
            return;
        }

        var store = _store!;
        ValueAndTimestamp<V> old = default;
        var hasOld = SendsOldValues && store.TryGet(record.Key, out old);
        store.Put(record.Key, record.Value, record.HasValue, record.Timestamp);
        ForwardStored(new Record<K, Change<V>>(
            record.Key, true, new Change<V>(record.Value, record.HasValue, old.Value, hasOld), true, record.Timestamp, record.HeadersOrNull));
    }

    protected override void Init()
    {
        _store = RowStore<K, V>.Open(Context, storeName);
        ForwardThrough(_store.Store);
    }
}

/// <summary>Sends the changes of a table that nobody needs to look up; without rows there are no old values.</summary>
internal sealed class TableSourceForwarder<K, V> : Processor<K, V, K, Change<V>>
{
    public override void Process(in Record<K, V> record)
    {
        if (record.HasKey)
        {
            Forward(new Record<K, Change<V>>(
                record.Key, true, new Change<V>(record.Value, record.HasValue, default!, false), true, record.Timestamp, record.HeadersOrNull));
        }
        else
        {
            Context.RecordDropped();
        }
    }
}
