using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins.ForeignKey;

/// <summary>
/// Joins an answer with the left row that asked, if that row is still what it was: an answer to a value that has changed since is out of date, and the
/// answer to the new value is on its way.
/// </summary>
/// <remarks>
/// The left value is known by the hash of its bytes, so its serializer must give equal bytes for equal values. Source: Kafka's
/// <c>ResponseJoinProcessorSupplier</c>.
/// </remarks>
internal sealed class ResponseJoin<K, V, VO, VR>(RowReader<K, V> rows, ISerde<V> valueSerde, Joiner<K, V, VO, VR> joiner, bool isLeft)
    : Processor<K, SubscriptionResponse<VO>, K, VR>
{
    private readonly SerdeBuffer _value = new();

    public override void Process(in Record<K, SubscriptionResponse<VO>> record)
    {
        var response = record.Value;
        var found = rows.TryGet(record.Key, out var row, out _);
        ValueHash? hash = null;
        if (found)
        {
            _value.Clear();
            valueSerde.Serialize(row, _value);
            hash = Murmur3.Hash(_value.WrittenSpan);
        }

        if (hash != response.Hash) return;
        if (found && (response.HasForeignValue || isLeft))
            Forward(record.WithValue(joiner(record.Key, row, true, response.ForeignValue, response.HasForeignValue)));
        else
            Forward(record.WithoutValue<VR>());
    }

    protected override void Init() => rows.Init(Context);
}
