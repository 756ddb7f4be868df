namespace Streams.Core;

/// <summary>What a task counts. Plain fields, written by the task's thread for each record or turn and read by whoever asks.</summary>
/// <remarks>Source: Kafka's <c>TaskMetrics</c>, <c>ProcessorNodeMetrics</c>, <c>TopicMetrics</c>; restoring: KIP-869.</remarks>
internal sealed class TaskMetrics
{
    /// <summary>Time between looks at how far the partitions are behind: each costs a look-up per partition.</summary>
    private const long LagIntervalMs = 1000;

    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];
    private readonly TimeProvider _time;
    private readonly KeyValuePair<string, object?> _thread;
    private readonly KeyValuePair<string, object?> _task;
    private volatile SourceMetrics[] _sources = [];
    private volatile SinkMetrics[] _sinks = [];
    private volatile RecordQueue[] _queues = [];
    private volatile StoreMetrics[] _stores = [];
    private long _restoreRemaining;
    private long _nextLagMs;

    public TaskMetrics(TaskId id, string threadName, TimeProvider time)
    {
        _time = time;
        _thread = new KeyValuePair<string, object?>("thread-id", threadName);
        _task = new KeyValuePair<string, object?>("task-id", id.ToString());
        Tags = [_thread, _task];
        DroppedTags = [.. Enum.GetNames<DropReason>().Select(reason => (KeyValuePair<string, object?>[])[_thread, _task, new("reason", reason)])];
    }

    public KeyValuePair<string, object?>[] Tags { get; }

    public KeyValuePair<string, object?>[][] DroppedTags { get; }

    /// <summary>Records processed, and how long each took.</summary>
    public Sensor Process { get; } = new();

    /// <summary>Changelog records that the task's stores have taken before the task ran. Written by the restoring thread, while it has the task.</summary>
    public Sensor Restore { get; } = new();

    /// <summary>Changelog records that the stores of a standby have taken.</summary>
    public Sensor Update { get; } = new();

    /// <summary>Offsets between where the stores are and where they have to be before the task can run.</summary>
    public long RestoreRemaining => Volatile.Read(ref _restoreRemaining);

    public IReadOnlyList<StoreMetrics> Stores => _stores;

    public IReadOnlyList<SourceMetrics> Sources => _sources;

    public IReadOnlyList<SinkMetrics> Sinks => _sinks;

    /// <summary>Records waiting in the input queues.</summary>
    public long BufferedRecords => _queues.Sum(queue => (long)queue.Count);

    public long BufferedBytes => _queues.Sum(queue => queue.Bytes);

    /// <summary>The wall clock as of the task's turn, Unix milliseconds: reading it for each record would cost more than the record's way through several nodes.</summary>
    public long NowMs { get; private set; }

    public long Dropped(DropReason reason) => Volatile.Read(ref _dropped[(int)reason]);

    /// <summary>Records left out, for any reason. Kafka's <c>dropped-records-total</c>.</summary>
    public long TotalDropped
    {
        get
        {
            var total = 0L;
            for (var reason = 0; reason < _dropped.Length; reason++) total += Volatile.Read(ref _dropped[reason]);
            return total;
        }
    }

    public void Drop(DropReason reason) => _dropped[(int)reason]++;

    public SourceMetrics AddSource(string nodeName, string topic)
    {
        var source = new SourceMetrics([_thread, _task, new("processor-node-id", nodeName), new("topic-name", topic)]);
        _sources = [.. _sources, source];
        return source;
    }

    public SinkMetrics AddSink(string nodeName, string topic)
    {
        var sink = new SinkMetrics([_thread, _task, new("processor-node-id", nodeName), new("topic-name", topic)]);
        sink.EndToEndLatency.Roll(NowMs);
        _sinks = [.. _sinks, sink];
        return sink;
    }

    public StoreMetrics AddStore(string storeName)
    {
        var store = new StoreMetrics(storeName, _time);
        store.BelongTo(Tags);
        _stores = [.. _stores, store];
        return store;
    }

    /// <summary>The stores have gone on from another task object to this one's.</summary>
    public void TakeStores(TaskMetrics previous)
    {
        foreach (var store in previous._stores) store.BelongTo(Tags);
        _stores = previous._stores;
        previous._stores = [];
    }

    /// <summary>Notes restored records, and by how much less there is to restore.</summary>
    public void Restored(int records, long offsets)
    {
        Restore.Roll(_time.GetUtcNow().ToUnixTimeMilliseconds());
        Restore.RecordMany(records, 0);
        AddRemaining(-offsets);
    }

    /// <summary>Notes records that a standby has taken.</summary>
    public void Updated(int records)
    {
        Update.Roll(_time.GetUtcNow().ToUnixTimeMilliseconds());
        Update.RecordMany(records, 0);
    }

    public void AddRemaining(long offsets) => Volatile.Write(ref _restoreRemaining, _restoreRemaining + offsets);

    public void SetQueues(IEnumerable<RecordQueue> queues) => _queues = [.. queues];

    /// <summary>Begins a turn; gives the point in time that it began at.</summary>
    /// <param name="endOffset">Gives a partition's end, for the lag; <c>null</c> where nobody would see it.</param>
    public long BeginTurn(Func<TopicPartition, long?>? endOffset)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        NowMs = now;
        Process.Roll(now);
        foreach (var source in _sources) source.EndToEndLatency.Roll(now);
        foreach (var sink in _sinks) sink.EndToEndLatency.Roll(now);
        foreach (var store in _stores) store.Roll(now);
        if (endOffset is not null && now >= _nextLagMs)
        {
            _nextLagMs = now + LagIntervalMs;
            foreach (var queue in _queues)
            {
                if (endOffset(queue.Partition) is { } end && queue.Position is { } position) queue.Metrics.Lag = Math.Max(0, end - position);
            }
        }

        return _time.GetTimestamp();
    }

    public void EndTurn(long mark, int records) => Process.RecordMany(records, _time.GetElapsedTime(mark).TotalMilliseconds);
}

/// <summary>What a source counts of one topic.</summary>
internal sealed class SourceMetrics(KeyValuePair<string, object?>[] tags)
{
    private long _records;
    private long _bytes;
    private long _lag = -1;

    public KeyValuePair<string, object?>[] Tags { get; } = tags;

    /// <summary>Age of records when they are processed, milliseconds.</summary>
    public Sensor EndToEndLatency { get; } = new();

    public long Records => Volatile.Read(ref _records);

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Records of the partition not processed yet; -1 when not known.</summary>
    public long Lag
    {
        get => Volatile.Read(ref _lag);
        set => Volatile.Write(ref _lag, value);
    }

    public void Consumed(int records, int bytes)
    {
        _records += records;
        _bytes += bytes;
    }
}

/// <summary>What a sink counts of one topic.</summary>
internal sealed class SinkMetrics(KeyValuePair<string, object?>[] tags)
{
    private long _bytes;

    public KeyValuePair<string, object?>[] Tags { get; } = tags;

    /// <summary>Age of records when they are written, milliseconds.</summary>
    public Sensor EndToEndLatency { get; } = new();

    /// <summary>Bytes of keys and values.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public void Produced(int bytes, long ageMs)
    {
        _bytes += bytes;
        EndToEndLatency.Record(ageMs);
    }
}
