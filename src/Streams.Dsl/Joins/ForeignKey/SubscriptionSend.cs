namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>
/// The left side of a foreign-key join: tells the right side which right row a left row now depends on, and which it no longer does.
/// </summary>
/// <remarks>
/// <para>
/// Inner join: a row without foreign key has no result. When it had one before, that is unset; the record is counted as dropped all the same
/// (KAFKA-18713). A change of the foreign key must unset the result of the old one, so the new right row's side answers also when there is no such row.
/// </para>
/// <para>
/// Left join: a row always has a result, so the right side always answers, also for rows without foreign key.
/// </para>
/// <para>
/// A serde whose bytes differ from one time to the next would make results vanish without a trace, in Kafka Streams too. The first
/// <see cref="CheckedFirst"/> values of a task and one in <see cref="CheckedOneIn"/> of the others are read back and written again to find that out (E-81).
/// </para>
/// <para>Source: KIP-213, Kafka's <c>SubscriptionSendProcessorSupplier</c>; the recorded cases fk-join-* show the instructions.</para>
/// </remarks>
internal sealed class SubscriptionSend<K, V, KO>(Func<K, V, KO> extractor, ISerde<V> valueSerde, ISerde<KO> foreignSerde, bool isLeft, bool dropsOutdated)
    : Processor<K, Change<V>, KO, Subscription<K>>
{
    private const int CheckedFirst = 64;
    private const int CheckedOneIn = 64;

    private readonly SerdeBuffer _value = new();
    private readonly SerdeBuffer _oldKey = new();
    private readonly SerdeBuffer _newKey = new();
    private readonly SerdeBuffer _again = new();
    private long _hashed;

    public override void Process(in Record<K, Change<V>> record)
    {
        var change = record.Value;
        if (!record.HasKey || (dropsOutdated && !change.IsLatest))
        {
            Context.RecordDropped(record.HasKey ? DropReason.Outdated : DropReason.AbsentKeyOrValue);
            return;
        }

        KO oldKey = default!;
        KO newKey = default!;
        var hasOld = change.HasOld && Nullability.IsPresent(oldKey = extractor(record.Key, change.OldValue));
        var hasNew = change.HasNew && Nullability.IsPresent(newKey = extractor(record.Key, change.NewValue));
        if (isLeft) SendLeft(in record, oldKey, hasOld, newKey, hasNew);
        else SendInner(in record, oldKey, hasOld, newKey, hasNew);
    }

    private void SendInner(in Record<K, Change<V>> record, KO oldKey, bool hasOld, KO newKey, bool hasNew)
    {
        var change = record.Value;
        if (change.HasNew && !hasNew) Context.RecordDropped(DropReason.AbsentKeyOrValue);
        if (!hasNew)
        {
            if (hasOld) Send(in record, oldKey, true, SubscriptionInstruction.DeleteKeyAndPropagate);
            return;
        }

        if (!hasOld)
        {
            Send(in record, newKey, true, SubscriptionInstruction.PropagateOnlyIfForeignValue);
            return;
        }

        if (AreDifferent(oldKey, newKey)) Send(in record, oldKey, true, SubscriptionInstruction.DeleteKeyNoPropagate);
        Send(in record, newKey, true, SubscriptionInstruction.PropagateNullIfNoForeignValue);
    }

    private void SendLeft(in Record<K, Change<V>> record, KO oldKey, bool hasOld, KO newKey, bool hasNew)
    {
        var change = record.Value;
        if (!change.HasOld && !change.HasNew) return;
        if (hasOld && (!hasNew || AreDifferent(oldKey, newKey))) Send(in record, oldKey, true, SubscriptionInstruction.DeleteKeyAndPropagate);
        Send(in record, newKey, hasNew, SubscriptionInstruction.PropagateNullIfNoForeignValue);
    }

    // Keys are equal when their bytes are: the right side knows them by their bytes.
    private bool AreDifferent(KO one, KO other)
    {
        _oldKey.Clear();
        _newKey.Clear();
        foreignSerde.Serialize(one, _oldKey);
        foreignSerde.Serialize(other, _newKey);
        return !_oldKey.WrittenSpan.SequenceEqual(_newKey.WrittenSpan);
    }

    // The response is held against the bytes of the row as it is then, read from its store and written again. When they are others, every result is lost.
    private void RequireSameBytesAgain()
    {
        _again.Clear();
        valueSerde.Serialize(valueSerde.Deserialize(_value.WrittenSpan), _again);
        if (_value.WrittenSpan.SequenceEqual(_again.WrittenSpan)) return;
        throw new SerializationException(
            $"Foreign-key join '{NodeName}': the serde {TypeNames.Of(valueSerde.GetType())} does not write a {TypeNames.Of(typeof(V))} that it has read back to the same bytes, so results would be " +
            "lost. Use one whose bytes are determined by the value, with properties and entries in a fixed order.");
    }

    private void Send(in Record<K, Change<V>> record, KO foreignKey, bool hasForeignKey, SubscriptionInstruction instruction)
    {
        ValueHash? hash = null;
        if (record.Value.HasNew)
        {
            _value.Clear();
            valueSerde.Serialize(record.Value.NewValue, _value);
            hash = Murmur3.Hash(_value.WrittenSpan);
            if (_hashed++ < CheckedFirst || _hashed % CheckedOneIn == 0) RequireSameBytesAgain();
        }

        var subscription = new Subscription<K>(hash, instruction, record.Key, Context.TaskId.Partition);
        Forward(new Record<KO, Subscription<K>>(foreignKey, hasForeignKey, subscription, true, record.Timestamp, record.HeadersOrNull));
    }
}
