using Streams.Dsl.TimeToLive;

namespace Streams.Dsl.Nodes;

/// <summary>A table from a topic or stream. It keeps its rows when its store is named, or when somebody needs to look them up or wants old values.</summary>
internal sealed class TableSource<K, V>(string storeName, bool isQueryable, TimeSpan? historyRetention = null, TimeToLiveSettings? timeToLive = null) : TableOperator<K, V>
{
    private bool _isMaterialized = isQueryable || timeToLive is not null;

    /// <summary>How long rows live; known once the key's serde is.</summary>
    public RowLife<K>? Life { get; set; }

    public override string? StoreName => _isMaterialized ? storeName : null;

    public override bool IsVersioned => historyRetention is not null && _isMaterialized;

    public override TimeSpan? HistoryRetention => historyRetention;

    public override bool EnableSendingOldValues(bool forceMaterialization)
    {
        if (!forceMaterialization && !_isMaterialized) return false;
        _isMaterialized = true;
        return SendsOldValues = true;
    }

    public override RowLookup<K, V> View()
    {
        _isMaterialized = true;
        return historyRetention is null
            ? LivingRowReader<K, V>.Of(RowLookup<K, V>.OfStore(storeName), timeToLive)
            : new RowLookup<K, V>([storeName], () => new VersionedRowReader<K, V>(storeName));
    }

    public Processor<K, V> CreateProcessor() => (_isMaterialized, historyRetention) switch
    {
        (false, _) => new TableSourceForwarder<K, V>(),
        (true, null) => new TableSourceProcessor<K, V>(storeName, SendsOldValues, Life),
        (true, _) => new VersionedTableSourceProcessor<K, V>(storeName, SendsOldValues),
    };
}

/// <summary>
/// Keeps versions of rows and sends the changes; an update that is older than the row is marked as not the latest, one older than history retention
/// is neither kept nor sent. Source: KIP-914.
/// </summary>
internal sealed class VersionedTableSourceProcessor<K, V>(string storeName, bool sendsOldValues) : Processor<K, V, K, Change<V>>
{
    private IVersionedKeyValueStore<K, V>? _store;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey)
        {
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
            return;
        }

        var store = _store!;
        VersionedRecord<V> old = default;
        var hasOld = sendsOldValues && store.TryGet(record.Key, out old);
        var validTo = record.HasValue ? store.Put(record.Key, record.Value, record.Timestamp) : store.PutTombstone(record.Key, record.Timestamp);
        if (validTo == IVersionedKeyValueStore<K, V>.NotPut) return;
        Forward(new Record<K, Change<V>>(
            record.Key,
            true,
            new Change<V>(record.Value, record.HasValue, old.Value, hasOld, validTo == IVersionedKeyValueStore<K, V>.ValidToUndefined),
            true,
            record.Timestamp,
            record.HeadersOrNull));
    }

    protected override void Init() => _store = Context.GetStateStore<IVersionedKeyValueStore<K, V>>(storeName);
}

/// <summary>Keeps the rows and sends the changes. Records without key are dropped and counted. Source: Kafka's <c>KTableSource</c>.</summary>
/// <remarks>
/// An update that is older than its row is applied all the same, because the order of the topic counts; it is told in the log (E-76), the 1st, 2nd, 4th, 8th …
/// of a task, so that a topic full of them does not fill the log. A row that is on disk only is not read for that.
/// </remarks>
internal sealed class TableSourceProcessor<K, V>(string storeName, bool sendsOldValues, RowLife<K>? life = null) : TableProcessor<K, V, K, V>(sendsOldValues)
{
    private RowStore<K, V>? _store;
    private long _outOfOrder;

    public override void Process(in Record<K, V> record)
    {
        if (!record.HasKey)
        {
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
            return;
        }

        var store = _store!;
        if (Expiry is not null)
        {
            if (record.HasValue && Expiry.IsOver(record.Timestamp))
            {
                Drop(in record, DropReason.Expired, streamTimeMs: Context.CurrentStreamTimeMs);
                return;
            }

            Expiry.Before(record.Key);
        }

        var readsOld = SendsOldValues || Expiry is not null;
        ValueAndTimestamp<V> old = default;
        var hasOld = readsOld && store.TryGet(record.Key, out old);
        var rowTimestamp = old.Timestamp;
        if (readsOld ? hasOld : store.TryPeekTimestamp(record.Key, out rowTimestamp))
        {
            if (record.Timestamp < rowTimestamp) TellOutOfOrder(in record, rowTimestamp);
        }

        store.Replace(record.Key, record.Value, record.HasValue, record.Timestamp);
        Expiry?.After(record.Key, hasOld, old.Timestamp, record.HasValue, record.Timestamp);
        ForwardStored(new Record<K, Change<V>>(
            record.Key, true, new Change<V>(record.Value, record.HasValue, old.Value, SendsOldValues && hasOld), true, record.Timestamp, record.HeadersOrNull));
    }

    protected override void Init() => _store = OpenRows(storeName, life);

    private void TellOutOfOrder(in Record<K, V> record, long rowTimestamp)
    {
        if (!System.Numerics.BitOperations.IsPow2(++_outOfOrder)) return;
        Context.Task.Errors.OutOfOrder(NodeName, Context.TaskId, Context.RecordMetadata, record.Timestamp, rowTimestamp, _outOfOrder);
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
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
        }
    }
}
