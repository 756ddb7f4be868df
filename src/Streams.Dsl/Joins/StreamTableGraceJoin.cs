using Streams.Dsl.Nodes;

namespace Streams.Dsl.Joins;

/// <summary>
/// Joins each record of a stream with the row of a versioned table as of the record's time, but holds the record back for the grace period, so that
/// earlier versions of the row may still come. A record that is later than that is joined at once.
/// </summary>
/// <remarks>Source: KIP-923, Kafka's <c>KStreamKTableJoinProcessor</c> with a buffer.</remarks>
internal sealed class StreamTableGraceJoin<K, V, VT, VR>(
    RowReader<K, VT> rows,
    Joiner<K, V, VT, VR> joiner,
    bool isLeft,
    string bufferName,
    long graceMs)
    : Processor<K, V, K, VR>
{
    private ITimeOrderedBuffer<K, V>? _buffer;
    private TaskContext? _task;
    private long _streamTime = -1;

    public override void Process(in Record<K, V> record)
    {
        if (record.Timestamp > _streamTime) _streamTime = record.Timestamp;
        if (!record.HasValue || (!record.HasKey && !isLeft))
        {
            Drop(in record, DropReason.AbsentKeyOrValue, streamTimeMs: _streamTime);
            return;
        }

        var latestTime = _streamTime - graceMs;
        if (!record.HasKey || record.Timestamp < latestTime)
        {
            // Without key there is no row to wait for.
            Join(in record);
        }
        else
        {
            _buffer!.Put(record.Timestamp, in record, new RecordCoordinates(_task!.Topic, _task.Partition, _task.Offset, record.Timestamp, _task.HasRecord));
        }

        while (_buffer!.TryTakeFirst(latestTime, out var held, out var coordinates)) Release(in held, coordinates);
    }

    protected override void Init()
    {
        _task = Context.Task;
        rows.Init(Context);
        _buffer = Context.GetStateStore<ITimeOrderedBuffer<K, V>>(bufferName);
    }

    private void Release(in Record<K, V> record, RecordCoordinates coordinates)
    {
        var task = _task!;
        var (topic, partition, offset, timestamp, hasRecord) = (task.Topic, task.Partition, task.Offset, task.Timestamp, task.HasRecord);
        (task.Topic, task.Partition, task.Offset, task.Timestamp, task.HasRecord) =
            (coordinates.Topic, coordinates.Partition, coordinates.Offset, coordinates.Timestamp, coordinates.HasRecord);
        Join(in record);
        (task.Topic, task.Partition, task.Offset, task.Timestamp, task.HasRecord) = (topic, partition, offset, timestamp, hasRecord);
    }

    private void Join(in Record<K, V> record)
    {
        VT row = default!;
        var found = record.HasKey && rows.TryGetAsOf(record.Key, record.Timestamp, out row, out _);
        if (found || isLeft) Forward(record.WithValue(joiner(record.Key, record.Value, true, row, found)));
    }
}
