namespace Streams.Dsl.Nodes;

/// <summary>
/// One side of a primary-key join of two tables: a change of this side's row is joined with the other side's row as it is now. The result's time is
/// the larger of both.
/// </summary>
/// <remarks>
/// <para>
/// One class for every kind and side: <paramref name="keepsThis"/> says whether this side's rows are in the result without a partner,
/// <paramref name="keepsOther"/> the same of the other side. Where nothing was and nothing is, nothing is sent.
/// </para>
/// <para>Source: Kafka's <c>KTableKTableInnerJoin</c>, <c>…LeftJoin</c>, <c>…RightJoin</c> and <c>…OuterJoin</c>.</para>
/// </remarks>
internal sealed class TableTableJoin<K, VThis, VOther, VR>(
    RowReader<K, VOther> others,
    Joiner<K, VThis, VOther, VR> joiner,
    bool keepsThis,
    bool keepsOther,
    bool sendsOldValues)
    : Processor<K, Change<VThis>, K, Change<VR>>
{
    public override void Process(in Record<K, Change<VThis>> record)
    {
        var change = record.Value;

        // In a versioned table, an update that is older than the row it would change leaves the join as it is (KIP-914).
        if (!record.HasKey || !change.IsLatest)
        {
            Context.RecordDropped(record.HasKey ? DropReason.Outdated : DropReason.AbsentKeyOrValue);
            return;
        }

        var hasOther = others.TryGet(record.Key, out var other, out var otherTimestamp);
        var timestamp = record.Timestamp;
        if (hasOther) timestamp = Math.Max(timestamp, otherTimestamp);
        else if (!keepsThis || (!change.HasNew && !change.HasOld)) return;

        VR newValue = default!;
        VR oldValue = default!;
        var hasNew = change.HasNew || (keepsOther && hasOther);
        var hasOld = sendsOldValues && (change.HasOld || (keepsOther && hasOther));
        if (hasNew)
        {
            newValue = joiner(record.Key, change.NewValue, change.HasNew, other, hasOther);
            hasNew = Nullability.IsPresent(newValue);
        }

        if (hasOld)
        {
            oldValue = joiner(record.Key, change.OldValue, change.HasOld, other, hasOther);
            hasOld = Nullability.IsPresent(oldValue);
        }

        Forward(new Record<K, Change<VR>>(
            record.Key, true, new Change<VR>(newValue, hasNew, oldValue, hasOld, change.IsLatest), true, timestamp, record.HeadersOrNull));
    }

    protected override void Init() => others.Init(Context);
}

/// <summary>Where the two sides of a table join meet; keeps the result if it is materialised.</summary>
internal sealed class TableJoinMerge<K, V>(string? storeName, bool sendsOldValues) : TableProcessor<K, Change<V>, K, V>(sendsOldValues)
{
    private RowStore<K, V>? _store;

    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        _store?.Put(record.Key, change.NewValue, change.HasNew, record.Timestamp);
        ForwardStored(in record);
    }

    protected override void Init()
    {
        if (storeName is null) return;
        _store = RowStore<K, V>.Open(Context, storeName);
        ForwardThrough(_store.Store);
    }
}
