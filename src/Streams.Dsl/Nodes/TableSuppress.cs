namespace Streams.Dsl.Nodes;

/// <summary>A table whose changes are held back; a row that is held back is, for those who look it up, what it was before.</summary>
internal sealed class SuppressedTable<K, V>(TableOperator<K, V> parent, string storeName) : TableOperator<K, V>
{
    public override string? StoreName => null;

    public override bool EnableSendingOldValues(bool forceMaterialization) => SendsOldValues = parent.EnableSendingOldValues(forceMaterialization);

    public override RowLookup<K, V> View()
    {
        var rows = parent.View();
        return new RowLookup<K, V>([.. rows.StoreNames, storeName], () => new SuppressedRowReader(rows.Create(), storeName));
    }

    private sealed class SuppressedRowReader(RowReader<K, V> parent, string storeName) : RowReader<K, V>
    {
        private ISuppressionBuffer<K, V>? _buffer;

        public override void Init(ProcessorContext context)
        {
            parent.Init(context);
            _buffer = context.GetStateStore<ISuppressionBuffer<K, V>>(storeName);
        }

        public override bool TryGet(K key, out V value, out long timestamp)
        {
            if (!_buffer!.TryGetPrior(key, out var prior, out var hasPrior, out timestamp)) return parent.TryGet(key, out value, out timestamp);
            value = prior!;
            return hasPrior;
        }
    }
}

/// <summary>
/// Holds changes back until stream time, as this node sees it, has passed their time: the end of their window and the grace period, or the moment
/// at which their key was first held back and the time limit.
/// </summary>
/// <remarks>Nothing is let go unless a record comes that makes time pass (E-51). Source: Kafka's <c>KTableSuppressProcessor</c>.</remarks>
internal sealed class TableSuppress<K, V>(
    string storeName,
    Func<K, long>? windowEnd,
    long waitMs,
    BufferConfig limits,
    bool dropsDeletions,
    bool sendsOldValues)
    : Processor<K, Change<V>, K, Change<V>>
{
    private ISuppressionBuffer<K, V>? _buffer;
    private TaskContext? _task;
    private long _streamTime = -1;

    public override void Process(in Record<K, Change<V>> record)
    {
        if (record.Timestamp > _streamTime) _streamTime = record.Timestamp;

        // A window's row is ready when the window has closed; otherwise the time that the record is from starts the clock.
        var time = windowEnd is null ? record.Timestamp : windowEnd(record.Key);
        _buffer!.Put(time, in record, new RecordCoordinates(_task!.Topic, _task.Partition, _task.Offset, record.Timestamp, _task.HasRecord));
        Release(_streamTime - waitMs);
        if (_buffer.Count > limits.MaximumRecords || _buffer.SizeBytes > limits.MaximumBytes) MakeRoom();
    }

    protected override void Init()
    {
        _task = Context.Task;
        _buffer = Context.GetStateStore<ISuppressionBuffer<K, V>>(storeName);
    }

    private void Release(long latestTime)
    {
        while (_buffer!.TryTakeFirst(latestTime, out var record, out var coordinates)) Send(in record, coordinates);
    }

    private void MakeRoom()
    {
        var buffer = _buffer!;
        if (limits.IsStrict)
        {
            throw new SuppressionBufferFullException(
                $"'{NodeName}' holds {buffer.Count} of at most {limits.MaximumRecords} keys and {buffer.SizeBytes} of at most {limits.MaximumBytes} bytes back; " +
                "it was told to shut down when full. Give the buffer more room, or close windows sooner with a shorter grace period.");
        }

        while ((buffer.Count > limits.MaximumRecords || buffer.SizeBytes > limits.MaximumBytes)
            && buffer.TryTakeFirst(long.MaxValue, out var record, out var coordinates))
        {
            Send(in record, coordinates);
        }
    }

    // Downstream sees the record as if it had come just now from where it came: its coordinates go with it.
    private void Send(in Record<K, Change<V>> record, RecordCoordinates coordinates)
    {
        if (dropsDeletions && !record.Value.HasNew) return;
        var task = _task!;
        var (topic, partition, offset, timestamp, hasRecord) = (task.Topic, task.Partition, task.Offset, task.Timestamp, task.HasRecord);
        (task.Topic, task.Partition, task.Offset, task.Timestamp, task.HasRecord) =
            (coordinates.Topic, coordinates.Partition, coordinates.Offset, coordinates.Timestamp, coordinates.HasRecord);
        var change = record.Value;
        Forward(new Record<K, Change<V>>(
            record.Key,
            true,
            new Change<V>(change.NewValue, change.HasNew, change.OldValue, sendsOldValues && change.HasOld, change.IsLatest),
            true,
            record.Timestamp,
            record.HeadersOrNull));
        (task.Topic, task.Partition, task.Offset, task.Timestamp, task.HasRecord) = (topic, partition, offset, timestamp, hasRecord);
    }
}
