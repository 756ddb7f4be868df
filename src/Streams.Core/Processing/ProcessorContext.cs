namespace Streams.Core;

/// <summary>What a processor may ask of the task it runs in. Use it from the task's thread only.</summary>
/// <remarks>Source: Kafka's <c>processor.api.ProcessorContext</c> (KIP-478); forwarding is a method of the processor itself, where it is typed.</remarks>
public sealed class ProcessorContext
{
    private readonly Processor _node;
    private readonly IReadOnlyCollection<string> _storeNames;

    internal ProcessorContext(TaskContext task, Processor node, IReadOnlyCollection<string> storeNames)
    {
        Task = task;
        _node = node;
        _storeNames = storeNames;
    }

    internal TaskContext Task { get; }

    /// <summary>The application's id.</summary>
    public string ApplicationId => Task.ApplicationId;

    /// <summary>The task.</summary>
    public TaskId TaskId => Task.TaskId;

    /// <summary>Where the record being processed was read; <c>null</c> in <c>Init</c> and in punctuators.</summary>
    public RecordMetadata? RecordMetadata => Task.Metadata;

    /// <summary>Largest timestamp this task has seen, Unix milliseconds; -1 before the first record.</summary>
    public long CurrentStreamTimeMs => Task.StreamTime;

    /// <summary>The wall clock, Unix milliseconds.</summary>
    public long CurrentSystemTimeMs => Task.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A store that is connected to this processor.</summary>
    /// <typeparam name="TStore">Its type, such as <see cref="IKeyValueStore{K, V}"/>.</typeparam>
    /// <param name="name">Its name.</param>
    /// <exception cref="TopologyException">No such store, not connected to this processor, or of another type.</exception>
    public TStore GetStateStore<TStore>(string name)
        where TStore : class
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_storeNames.Contains(name) || !Task.TryGetStore(name, out var store))
        {
            throw new TopologyException(
                $"Processor '{_node.NodeName}' has no access to state store '{name}'; it is connected to: " +
                $"{(_storeNames.Count == 0 ? "none" : string.Join(", ", _storeNames))}. " +
                "Connect the store when adding the processor, or with Topology.ConnectProcessorAndStateStores.");
        }

        return store as TStore ?? throw new TopologyException(
            $"State store '{name}' is a {TypeNames.Of(store.GetType())}, but processor '{_node.NodeName}' asks for a {TypeNames.Of(typeof(TStore))}.");
    }

    /// <summary>Calls back again and again as time passes.</summary>
    /// <remarks>
    /// Stream time: aligned to 0, fires first as soon as there is data, and missed intervals collapse into one call. Wall clock: aligned to the
    /// moment of the call, checked between batches of records. Source: Kafka's <c>ProcessorContext.schedule</c>.
    /// </remarks>
    /// <param name="interval">Time between calls; at least 1 ms.</param>
    /// <param name="type">Which clock.</param>
    /// <param name="callback">Called with the time it fires at.</param>
    public ICancellable Schedule(TimeSpan interval, PunctuationType type, Punctuator callback) => Schedule(null, interval, type, callback);

    /// <summary>Calls back at a given time and then again and again. Source: KIP-1146.</summary>
    /// <param name="start">First time, as Unix milliseconds; <c>null</c> for the default alignment.</param>
    /// <param name="interval">Time between calls; at least 1 ms.</param>
    /// <param name="type">Which clock.</param>
    /// <param name="callback">Called with the time it fires at.</param>
    public ICancellable Schedule(long? start, TimeSpan interval, PunctuationType type, Punctuator callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        if (interval < TimeSpan.FromMilliseconds(1))
            throw new ArgumentOutOfRangeException(nameof(interval), interval, "A punctuation interval is at least 1 ms.");
        var scheduler = Task.Scheduler ?? throw new InvalidOperationException("Schedules can be made in Init, Process and punctuators only.");
        return scheduler(start, interval, type, callback, _node);
    }

    /// <summary>Asks for a commit soon; it happens after the current record. Source: Kafka's <c>ProcessorContext.commit</c>.</summary>
    public void Commit() => Task.CommitRequested = true;

    /// <summary>Counts a record that this processor leaves out, in Kafka's <c>dropped-records-total</c>.</summary>
    /// <param name="reason">Why; a tag of the metric.</param>
    public void RecordDropped(DropReason reason = DropReason.Unspecified) => Task.Metrics.Drop(reason);
}
