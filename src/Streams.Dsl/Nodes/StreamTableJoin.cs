namespace Streams.Dsl.Nodes;

/// <summary>
/// Joins each record of a stream with the row of a table as it is now, or as of the record's time where the table keeps versions. Only the stream
/// triggers results.
/// </summary>
/// <remarks>
/// A record without value is dropped and counted. A record without key (or whose mapped key is absent) is dropped and counted by an inner join and
/// joined with nothing by a left join (KIP-962). Source: Kafka's <c>KStreamKTableJoinProcessor</c>.
/// </remarks>
internal sealed class StreamTableJoin<K, V, KT, VT, VR>(
    RowReader<KT, VT> rows,
    RecordKeyMapper<K, V, KT> keyMapper,
    Joiner<K, V, VT, VR> joiner,
    bool isLeft)
    : Processor<K, V, K, VR>
{
    public override void Process(in Record<K, V> record)
    {
        var hasKey = keyMapper(in record, out var tableKey);
        if (!record.HasValue || (!hasKey && !isLeft))
        {
            Drop(in record, DropReason.AbsentKeyOrValue);
            return;
        }

        VT row = default!;
        var found = hasKey && (rows.IsVersioned
            ? rows.TryGetAsOf(tableKey, record.Timestamp, out row, out _)
            : rows.TryGet(tableKey, out row, out _));
        if (found || isLeft) Forward(record.WithValue(joiner(record.Key, record.Value, true, row, found)));
    }

    protected override void Init() => rows.Init(Context);
}

/// <summary>Gives the key to look up for a record; false when there is none.</summary>
internal delegate bool RecordKeyMapper<K, V, KT>(in Record<K, V> record, out KT tableKey);
