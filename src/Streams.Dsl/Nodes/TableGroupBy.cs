namespace Streams.Dsl.Nodes;

/// <summary>
/// Turns a change of a row into changes of the groups that it leaves and joins: first the old row to subtract, then the new one to add; one change
/// when both are of one group. A row that is mapped to an absent key or value is in no group.
/// </summary>
/// <remarks>Source: Kafka's <c>KTableRepartitionMap</c>, KIP-904.</remarks>
internal sealed class TableGroupBy<K, V, KR, VR>(Func<K, V, KeyValuePair<KR, VR>> selector) : Processor<K, Change<V>, KR, Change<VR>>
{
    public override void Process(in Record<K, Change<V>> record)
    {
        if (!record.HasKey) throw new InvalidOperationException("A change of a table has no key; a table drops such records at its source.");
        var change = record.Value;

        // An update older than the row it would change, in a versioned table, has no effect on the row's group.
        if (!change.IsLatest)
        {
            Context.RecordDropped(DropReason.Outdated);
            return;
        }

        var newPair = change.HasNew ? selector(record.Key, change.NewValue) : default;
        var oldPair = change.HasOld ? selector(record.Key, change.OldValue) : default;
        var hasNew = change.HasNew && Nullability.IsPresent(newPair.Key) && Nullability.IsPresent(newPair.Value);
        var hasOld = change.HasOld && Nullability.IsPresent(oldPair.Key) && Nullability.IsPresent(oldPair.Value);
        if (hasNew && hasOld && EqualityComparer<KR>.Default.Equals(newPair.Key, oldPair.Key))
        {
            Send(in record, newPair.Key, new Change<VR>(newPair.Value, true, oldPair.Value, true));
            return;
        }

        if (hasOld) Send(in record, oldPair.Key, new Change<VR>(default!, false, oldPair.Value, true));
        if (hasNew) Send(in record, newPair.Key, new Change<VR>(newPair.Value, true, default!, false));
    }

    private void Send(in Record<K, Change<V>> record, KR key, Change<VR> change) =>
        Forward(new Record<KR, Change<VR>>(key, true, change, true, record.Timestamp, record.HeadersOrNull));
}
