namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>Keeps subscriptions beside the right table, and sends them on to be answered. Source: Kafka's <c>SubscriptionReceiveProcessorSupplier</c>.</summary>
internal sealed class SubscriptionReceive<KO, K>(string storeName) : Processor<KO, Subscription<K>, CombinedKey<KO, K>, Subscription<K>>
{
    private ITimestampedKeyValueStore<CombinedKey<KO, K>, Subscription<K>>? _store;

    public override void Process(in Record<KO, Subscription<K>> record)
    {
        var subscription = record.Value;
        if (!record.HasKey && subscription.Instruction != SubscriptionInstruction.PropagateNullIfNoForeignValue)
        {
            Context.RecordDropped(DropReason.AbsentKeyOrValue);
            return;
        }

        var key = new CombinedKey<KO, K>(record.Key, record.HasKey, subscription.PrimaryKey);
        if (record.HasKey)
        {
            if (subscription.Instruction is SubscriptionInstruction.DeleteKeyAndPropagate or SubscriptionInstruction.DeleteKeyNoPropagate) _store!.Delete(key);
            else _store!.Put(key, new ValueAndTimestamp<Subscription<K>>(subscription, record.Timestamp));
        }

        Forward(new Record<CombinedKey<KO, K>, Subscription<K>>(key, true, subscription, true, record.Timestamp, record.HeadersOrNull));
    }

    protected override void Init() => _store = Context.GetStateStore<ITimestampedKeyValueStore<CombinedKey<KO, K>, Subscription<K>>>(storeName);
}
