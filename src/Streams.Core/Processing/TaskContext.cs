using System.Diagnostics.CodeAnalysis;

namespace Streams.Core;

/// <summary>
/// What the nodes and stores of one task share while a record runs through them. Written by the task's thread only; fields, because every hop
/// of every record touches them.
/// </summary>
internal sealed class TaskContext
{
    /// <summary>Stands in for nodes that are not part of a task yet; forwarding through it is harmless because such nodes have no children.</summary>
    public static readonly TaskContext Unwired = new(
        default, "", new Dictionary<string, IStateStore>(), TimeProvider.System, new ErrorPolicy(), new TaskMetrics(default, "", TimeProvider.System));

    private readonly IReadOnlyDictionary<string, IStateStore> _stores;
    private readonly ErrorPolicy _errors;
    private readonly Dictionary<string, long> _processorValues = [];
    private readonly Dictionary<string, object> _shared = [];
    private ProcessorException? _reported;

    public TaskContext(TaskId taskId, string applicationId, IReadOnlyDictionary<string, IStateStore> stores, TimeProvider time, ErrorPolicy errors, TaskMetrics metrics)
    {
        TaskId = taskId;
        ApplicationId = applicationId;
        _stores = stores;
        Time = time;
        _errors = errors;
        Metrics = metrics;
    }

    public TaskId TaskId { get; }

    public string ApplicationId { get; }

    public TimeProvider Time { get; }

    public ErrorPolicy Errors => _errors;

    /// <summary>What dead letters are written through; <c>null</c> where nothing is written: in global stores.</summary>
    public RecordCollector? Collector { get; init; }

    /// <summary>Whether the thread is to end. A cancellation before that is the user's own: a time-out of an HTTP call, for example.</summary>
    public Func<bool> IsClosing { get; init; } = static () => false;

    /// <summary>Least wall-clock time between two looks for results whose window has closed; 0 looks at every record.</summary>
    public long EmitIntervalMs { get; init; } = 1000;

    /// <summary>Time of the record at this point of the graph; the punctuation's time in a punctuator.</summary>
    public long Timestamp;

    /// <summary>Largest timestamp the task has seen; -1 before the first record.</summary>
    public long StreamTime = -1;

    /// <summary>Headers of the record at this point of the graph; <c>null</c> for none, and in punctuators.</summary>
    public Headers? Headers;

    /// <summary>Coordinates of the source record; <see cref="HasRecord"/> says whether there is one.</summary>
    public string Topic = "";

    public int Partition = -1;

    public long Offset = -1;

    public bool HasRecord;

    /// <summary>Set when a processor asked for a commit.</summary>
    public bool CommitRequested;

    /// <summary>Where readers of the task's stores wait for the end of a record.</summary>
    public StoreGate Gate = new();

    /// <summary>Calls under way outside the task's thread.</summary>
    public AsyncCalls Async { get; init; } = new(static () => { }, waits: true);

    /// <summary>Nodes that may hold the task up.</summary>
    public PacedNodes Paced { get; init; } = new();

    /// <summary>All that is known of the record at this point of the graph; set for a moment by who goes on with a record that was held back.</summary>
    public RecordCoordinates Coordinates
    {
        get => new(Topic, Partition, Offset, Timestamp, HasRecord, Headers);
        set
        {
            Topic = value.Topic;
            Partition = value.Partition;
            Offset = value.Offset;
            Timestamp = value.Timestamp;
            HasRecord = value.HasRecord;
            Headers = value.Headers;
        }
    }

    /// <summary>What the task counts.</summary>
    public TaskMetrics Metrics { get; }

    /// <summary>Records that were left out, by whichever node or store. Kafka's <c>dropped-records-total</c>.</summary>
    public long DroppedRecords => Metrics.TotalDropped;

    /// <summary>Numbers that processors want back after a restart; kept in the commit's metadata (the last window closed, KIP-825).</summary>
    public IReadOnlyDictionary<string, long> ProcessorValues => _processorValues;

    /// <summary>Whether a number has changed since the last commit.</summary>
    public bool ProcessorValuesChanged;

    public void SetProcessorValue(string key, long value)
    {
        _processorValues[key] = value;
        ProcessorValuesChanged = true;
    }

    /// <summary>Takes a number from a partition's commit; of several partitions the largest counts.</summary>
    public void RestoreProcessorValue(string key, long value)
    {
        if (!_processorValues.TryGetValue(key, out var known) || known < value) _processorValues[key] = value;
    }

    /// <summary>Something that several nodes of the task use together; the first that asks makes it.</summary>
    public T Share<T>(string name, Func<T> create)
        where T : class
    {
        if (_shared.TryGetValue(name, out var known)) return (T)known;
        var created = create();
        _shared.Add(name, created);
        return created;
    }

    /// <summary>Raw bytes of the source record for failure handlers.</summary>
    public Func<(ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value)>? RawSource;

    /// <summary>Takes schedules; set by the task.</summary>
    public Func<long?, TimeSpan, PunctuationType, Punctuator, Processor, ICancellable>? Scheduler;

    public RecordMetadata? Metadata => HasRecord ? new RecordMetadata(Topic, Partition, Offset) : null;

    public bool TryGetStore(string name, [MaybeNullWhen(false)] out IStateStore store) => _stores.TryGetValue(name, out store);

    /// <summary>Whether the failure came out of user code and has not been judged yet.</summary>
    public bool IsUserFailure(Exception failure) =>
        !ReferenceEquals(failure, _reported)
        && failure is not (TaskMigratedException or TaskCorruptedException or TransactionAbortedException or ProductionException or StateStoreException or ClusterUnavailableException)
        && !(failure is OperationCanceledException && IsClosing())
        && failure is not ProcessorException;

    /// <summary>Asks the processing handler; returns when it says continue, throws otherwise.</summary>
    public void HandleProcessingFailure(Processor node, long timestamp, Headers? headers, Exception failure)
    {
        var context = DescribeFailure(node.NodeName, timestamp, headers);
        if (Continues(Ask(context, () => _errors.Processing(context, failure)), context, failure, DropReason.Processing)) return;
        _reported = new ProcessorException(node.NodeName, TaskId, Metadata, failure);
        throw _reported;
    }

    /// <summary>What a handler is told about a failure at this point of the graph.</summary>
    public ErrorHandlerContext DescribeFailure(string nodeName, long timestamp, Headers? headers)
    {
        var raw = RawSource?.Invoke() ?? default;
        return new ErrorHandlerContext(nodeName, TaskId, Metadata, timestamp, headers ?? Headers.Empty, raw.Key, raw.Value) { DeadLetterTopic = DeadLetterTopic };
    }

    /// <summary>Where ready-made handlers write what failed; <c>null</c> for nowhere.</summary>
    public string? DeadLetterTopic => Collector is null ? null : _errors.DeadLetterTopic;

    /// <summary>Calls a failure handler. One that throws itself has decided nothing, and is not asked again by the operators further up.</summary>
    public ErrorResponse Ask(ErrorHandlerContext context, Func<ErrorResponse?> handler)
    {
        try
        {
            return handler() ?? throw new InvalidOperationException("A failure handler returned null; it must return an ErrorResponse.");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // The record that it was asked about: the task may be at another, or at none, when one that cannot be read comes in.
            _reported = new ProcessorException(context.NodeName, TaskId, context.Record, failure);
            throw _reported;
        }
    }

    /// <summary>Does what a handler decided: dead letters are written, what is left out is counted and told. False when the thread has to stop.</summary>
    public bool Continues(ErrorResponse response, ErrorHandlerContext context, Exception failure, DropReason reason)
    {
        var continues = response.Decision == ErrorDecision.Continue;
        Collector?.SendDeadLetters(response.DeadLetters, stops: !continues);
        if (!continues) return false;
        Metrics.Drop(reason);
        _errors.Dropped(context, failure);
        return true;
    }
}
