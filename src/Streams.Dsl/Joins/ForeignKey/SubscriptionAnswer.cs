using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>Answers a subscription with the right row of its foreign key. Source: Kafka's <c>SubscriptionJoinProcessorSupplier</c>.</summary>
internal sealed class SubscriptionAnswer<KO, VO, K>(RowReader<KO, VO> rows)
    : Processor<CombinedKey<KO, K>, Subscription<K>, K, SubscriptionResponse<VO>>
{
    public override void Process(in Record<CombinedKey<KO, K>, Subscription<K>> record)
    {
        var subscription = record.Value;
        if (subscription.Instruction == SubscriptionInstruction.DeleteKeyNoPropagate) return;
        VO row = default!;
        var rowTimestamp = -1L;
        var found = record.Key.HasForeignKey && rows.TryGet(record.Key.ForeignKey, out row, out rowTimestamp);
        if (!found && subscription.Instruction == SubscriptionInstruction.PropagateOnlyIfForeignValue) return;

        var hasValue = found && subscription.Instruction != SubscriptionInstruction.DeleteKeyAndPropagate;
        Forward(new Record<K, SubscriptionResponse<VO>>(
            record.Key.PrimaryKey,
            true,
            new SubscriptionResponse<VO>(subscription.Hash, hasValue ? row : default!, hasValue, subscription.PrimaryPartition),
            true,
            Math.Max(record.Timestamp, rowTimestamp),
            record.HeadersOrNull));
    }

    protected override void Init() => rows.Init(Context);
}

/// <summary>Answers every subscription to a right row when that row changes. Source: Kafka's <c>ForeignTableJoinProcessorSupplier</c>.</summary>
internal sealed class ForeignRowChanged<KO, VO, K>(string storeName, ISerializer<KO> prefixSerializer)
    : Processor<KO, Change<VO>, K, SubscriptionResponse<VO>>
{
    private ITimestampedKeyValueStore<CombinedKey<KO, K>, Subscription<K>>? _store;

    public override void Process(in Record<KO, Change<VO>> record)
    {
        var change = record.Value;

        // In a versioned table, an update that is older than the row leaves the join as it is (KIP-914).
        if (!record.HasKey || !change.IsLatest)
        {
            Context.RecordDropped(record.HasKey ? DropReason.Outdated : DropReason.AbsentKeyOrValue);
            return;
        }

        using var subscriptions = _store!.PrefixScan(record.Key, prefixSerializer);
        while (subscriptions.MoveNext())
        {
            var subscription = subscriptions.Value.Value;
            Forward(new Record<K, SubscriptionResponse<VO>>(
                subscriptions.Key.PrimaryKey,
                true,
                new SubscriptionResponse<VO>(subscription.Hash, change.NewValue, change.HasNew, subscription.PrimaryPartition),
                true,
                record.Timestamp,
                record.HeadersOrNull));
        }
    }

    protected override void Init() => _store = Context.GetStateStore<ITimestampedKeyValueStore<CombinedKey<KO, K>, Subscription<K>>>(storeName);
}
