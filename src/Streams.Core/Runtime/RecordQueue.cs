using System.Diagnostics;

namespace Streams.Core;

/// <summary>What every queue of a task is told.</summary>
internal sealed record RecordQueueSettings
{
    public required TaskContext Task { get; init; }

    public required TimestampPolicy DefaultTimestampPolicy { get; init; }
}

/// <summary>
/// The records of one input partition that wait to be processed. Only the head is deserialised: its timestamp decides which partition is next.
/// </summary>
/// <remarks>
/// Bounded by its owner, which pauses the partition when <see cref="Count"/> or <see cref="Bytes"/> pass their limits. Source: Kafka's <c>RecordQueue</c>.
/// </remarks>
internal abstract class RecordQueue(TopicPartition partition)
{
    protected const long NoTimestamp = -1;

    public TopicPartition Partition { get; } = partition;

    /// <summary>What the queue counts.</summary>
    public abstract SourceMetrics Metrics { get; }

    /// <summary>Records waiting, the head included.</summary>
    public int Count { get; protected set; }

    /// <summary>Bytes of the batches held.</summary>
    public long Bytes { get; protected set; }

    /// <summary>Whether a record is ready; what could not be read has been judged already.</summary>
    public bool HasHead { get; protected set; }

    /// <summary>Time of the head; meaningful while <see cref="HasHead"/>.</summary>
    public long HeadTimestamp { get; protected set; }

    /// <summary>Largest timestamp seen; -1 at first. Kept across restarts in the commit's metadata.</summary>
    public long PartitionTime { get; set; } = NoTimestamp;

    /// <summary>Offset to commit: of the head, or after the last record when none waits; <c>null</c> before anything arrived.</summary>
    public long? Position { get; protected set; }

    /// <summary>Takes a batch over; it is disposed when its last record has been processed.</summary>
    public abstract void Enqueue(RecordBatch batch);

    /// <summary>
    /// Processes the head, and goes on while the next head is not later than the limit.
    /// </summary>
    /// <param name="limit">Head time of the next partition in line; the tie goes to this queue only if told so.</param>
    /// <param name="includeLimit">Whether a head at exactly the limit is still this queue's turn.</param>
    /// <param name="maxRecords">Bound on the number of records.</param>
    /// <param name="punctuation">Checked after each record: the stream time at which a callback is due.</param>
    /// <returns>Number of records processed.</returns>
    public abstract int Process(long limit, bool includeLimit, int maxRecords, StreamTimePunctuation punctuation);

    /// <summary>Says that reading starts anew at an offset, because what came next is not in the log any more.</summary>
    public abstract void ExpectFrom(long offset);

    /// <summary>Gives all batches back.</summary>
    public abstract void Clear();
}

/// <summary>A queue of typed records in front of their source node.</summary>
internal sealed class RecordQueue<K, V> : RecordQueue
{
    private readonly Queue<RecordBatch> _batches = new();
    private readonly SourceNode<K, V> _source;
    private readonly SourceOptions<K, V> _options;
    private readonly IDeserializer<K> _keyDeserializer;
    private readonly IDeserializer<V> _valueDeserializer;
    private readonly TaskContext _task;
    private readonly TimestampPolicy _timestampPolicy;
    private readonly Func<(ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value)> _rawSource;
    private readonly SourceMetrics _metrics;

    private RecordBatch? _batch;
    private int _index;
    private Record<K, V> _head;
    private long _headOffset;
    private long _nextOffset;

    public RecordQueue(TopicPartition partition, SourceNode<K, V> source, SourceOptions<K, V> options, RecordQueueSettings settings)
        : base(partition)
    {
        _source = source;
        _options = options;
        _keyDeserializer = options.KeyDeserializer;
        _valueDeserializer = options.ValueDeserializer;
        _task = settings.Task;
        _timestampPolicy = options.TimestampPolicy ?? settings.DefaultTimestampPolicy;
        _rawSource = ReadRaw;
        _metrics = _task.Metrics.AddSource(source.NodeName, partition.Topic);
    }

    public override SourceMetrics Metrics => _metrics;

    public override void Enqueue(RecordBatch batch)
    {
        // Batches that overtake each other would make the committed offset go back and break the order of a key: the adapter is wrong, and going on would hide it.
        if (batch.Count > 0 && batch[0].Offset < _nextOffset)
            throw new InvalidOperationException($"{Partition}: the cluster handed over offset {batch[0].Offset} after everything up to {_nextOffset} had been handed over.");
        _nextOffset = batch.NextOffset;
        Count += batch.Count;
        Bytes += batch.SizeBytes;
        _metrics.Consumed(batch.Count, batch.SizeBytes);
        _batches.Enqueue(batch);
        if (!HasHead) AdvanceHead();
    }

    public override int Process(long limit, bool includeLimit, int maxRecords, StreamTimePunctuation punctuation)
    {
        var task = _task;
        task.Topic = Partition.Topic;
        task.Partition = Partition.Partition;
        task.RawSource = _rawSource;
        var now = task.Metrics.NowMs;
        var latency = _metrics.EndToEndLatency;
        var traced = Tracing.IsOn;
        var processed = 0;
        while (HasHead && processed < maxRecords && (HeadTimestamp < limit || (HeadTimestamp == limit && includeLimit) || processed == 0))
        {
            // Time moves before the record runs, so that everything in the graph sees it (E-02).
            if (HeadTimestamp > PartitionTime) PartitionTime = HeadTimestamp;
            if (HeadTimestamp > task.StreamTime) task.StreamTime = HeadTimestamp;
            task.HasRecord = true;
            task.Offset = _headOffset;
            task.Timestamp = HeadTimestamp;
            if (!ReferenceEquals(task.Headers, _head.HeadersOrNull)) task.Headers = _head.HeadersOrNull;
            latency.Record(now - HeadTimestamp);
            if (traced) ProcessTraced();
            else _source.Process(in _head);
            processed++;
            _index++;
            Count--;
            AdvanceHead();
            if (task.StreamTime >= punctuation.NextDue)
            {
                punctuation.Fire();
                task.Topic = Partition.Topic;
                task.Partition = Partition.Partition;
            }

            if (task.CommitRequested || task.Gate.IsWanted || task.Paced.HoldTaskUp()) break;
        }

        task.HasRecord = false;
        task.RawSource = null;
        return processed;
    }

    public override void ExpectFrom(long offset) => _nextOffset = offset;

    public override void Clear()
    {
        _batch?.Dispose();
        _batch = null;
        while (_batches.TryDequeue(out var batch)) batch.Dispose();
        HasHead = false;
        Count = 0;
        Bytes = 0;
        _nextOffset = 0;
    }

    private void ProcessTraced()
    {
        using var activity = Tracing.StartProcess(_task);
        try
        {
            _source.Process(in _head);
        }
        catch (Exception failure)
        {
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }

    // Stops at the first record that can be processed. Records that cannot be read and whose handler says continue, and records without a
    // usable time, are left behind here; the position moves past them, so a run of bad records is not read again after a restart (E-109).
    private void AdvanceHead()
    {
        HasHead = false;
        while (true)
        {
            if (_batch is null)
            {
                if (!_batches.TryDequeue(out _batch)) return;
                _index = 0;
            }

            while (_index < _batch.Count)
            {
                ref readonly var slice = ref _batch[_index];
                Position = slice.Offset;
                if (TryRead(_batch, _index, in slice))
                {
                    HasHead = true;
                    return;
                }

                _index++;
                Count--;
            }

            Position = _batch.NextOffset;
            Bytes -= _batch.SizeBytes;
            _batch.Dispose();
            _batch = null;
        }
    }

    private bool TryRead(RecordBatch batch, int index, in RecordSlice slice)
    {
        Record<K, V> record;
        try
        {
            // A struct that cannot be null has no way to show an absent value to a user function; types that can be null show null.
            if (!slice.HasValue && !Nullability<V>.CanBeNull && !_options.AllowAbsentValue) throw AbsentError("value", typeof(V));
            if (!slice.HasKey && !Nullability<K>.CanBeNull && !_options.AllowAbsentValue) throw AbsentError("key", typeof(K));
            var key = slice.HasKey ? _keyDeserializer.Deserialize(batch.Key(index)) : default!;
            var value = slice.HasValue ? _valueDeserializer.Deserialize(batch.Value(index)) : default!;
            record = new Record<K, V>(key, slice.HasKey && (!Nullability<K>.CanBeNull || key is not null), value, slice.HasValue && (!Nullability<V>.CanBeNull || value is not null), slice.Timestamp, batch.Headers(index));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            HandleUnreadable(batch, index, in slice, failure);
            return false;
        }

        var timestamp = TimestampOf(in record, in slice);
        if (timestamp < 0)
        {
            _task.Metrics.Drop(DropReason.InvalidTimestamp);
            return false;
        }

        _head = timestamp == record.Timestamp ? record : record.WithTimestamp(timestamp);
        _headOffset = slice.Offset;
        HeadTimestamp = timestamp;
        return true;
    }

    private long TimestampOf(in Record<K, V> record, in RecordSlice slice)
    {
        if (_options.TimestampExtractor is { } extractor)
        {
            try
            {
                return extractor(in record, PartitionTime);
            }
            catch (Exception failure) when (failure is not (StreamsException or OutOfMemoryException))
            {
                throw new ProcessorException(_source.NodeName, _task.TaskId, Coordinates(in slice), failure);
            }
        }

        if (_timestampPolicy == TimestampPolicy.WallClock) return _task.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (record.Timestamp >= 0) return record.Timestamp;
        return _timestampPolicy switch
        {
            TimestampPolicy.SkipOnInvalid => NoTimestamp,
            TimestampPolicy.UsePartitionTimeOnInvalid when PartitionTime >= 0 => PartitionTime,
            _ => throw new ProcessorException(_source.NodeName, _task.TaskId, Coordinates(in slice), new SerializationException(
                $"the record has timestamp {record.Timestamp}, which is not a time. It was written by a producer without timestamps, or the topic was " +
                "upgraded from a very old format; choose another TimestampPolicy or a TimestampExtractor for this source.")),
        };
    }

    private void HandleUnreadable(RecordBatch batch, int index, in RecordSlice slice, Exception failure)
    {
        var context = new ErrorHandlerContext(
            _source.NodeName,
            _task.TaskId,
            Coordinates(in slice),
            slice.Timestamp,
            HeadersOrEmpty(batch, index),
            slice.HasKey ? (ReadOnlyMemory<byte>?)batch.Key(index).ToArray() : null,
            slice.HasValue ? (ReadOnlyMemory<byte>?)batch.Value(index).ToArray() : null)
        {
            DeadLetterTopic = _task.DeadLetterTopic,
        };
        if (_task.Continues(_task.Ask(context, () => _task.Errors.Deserialization(context, failure)), context, failure, DropReason.Deserialization)) return;
        throw new ProcessorException(_source.NodeName, _task.TaskId, Coordinates(in slice), new SerializationException(
            $"the record cannot be deserialised as <{TypeNames.Of(typeof(K))}, {TypeNames.Of(typeof(V))}>: {failure.Message}", failure));
    }

    private static Headers HeadersOrEmpty(RecordBatch batch, int index)
    {
        try
        {
            return batch.Headers(index) ?? Headers.Empty;
        }
        catch (SerializationException)
        {
            // The headers may be what is unreadable; the handler still gets key and value.
            return Headers.Empty;
        }
    }

    private RecordMetadata Coordinates(in RecordSlice slice) => new(Partition.Topic, Partition.Partition, slice.Offset);

    private (ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value) ReadRaw()
    {
        if (_batch is null || _index >= _batch.Count) return default;
        ref readonly var slice = ref _batch[_index];
        
        // Without the casts a missing part would be an array's null, which converts to memory that is there and empty.
        return (
            slice.HasKey ? (ReadOnlyMemory<byte>?)_batch.Key(_index).ToArray() : null,
            slice.HasValue ? (ReadOnlyMemory<byte>?)_batch.Value(_index).ToArray() : null);
    }

    private static SerializationException AbsentError(string part, Type type) => new(
        $"the {part} is null, but {TypeNames.Of(type)} cannot be null; read the topic as {TypeNames.Of(type)}? or as a table");
}
