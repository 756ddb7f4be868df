using Streams.Dsl.Nodes;

namespace Streams.Dsl.Windows;

/// <summary>
/// What all windowed aggregations share: stream time as this node sees it, and results that wait until their window has closed.
/// </summary>
/// <remarks>
/// Looking for closed windows costs a search of the store, so it is done at most once per emit interval of wall-clock time; a look that finds nothing
/// uses the interval up too (E-28). The close time of the last results goes into the commit, so a restart does not give them again.
/// Source: KIP-825, Kafka's <c>AbstractKStreamTimeWindowAggregateProcessor</c>.
/// </remarks>
internal abstract class WindowProcessor<K, V, VR>(string storeName, EmitStrategy emit, bool sendsOldValues)
    : TableProcessor<K, V, Windowed<K>, VR>(sendsOldValues)
{
    private const long None = -1;

    private TaskContext? _task;
    private long _nextLook = long.MinValue;

    protected string StoreName { get; } = storeName;

    protected bool EmitsOnClose { get; } = emit == EmitStrategy.OnWindowClose;

    /// <summary>Largest timestamp that this node has seen; its own, not the task's (E-24).</summary>
    protected long StreamTime { get; private set; } = None;

    /// <summary>Close time at the last results; <see cref="HasEmitted"/> says whether there were any.</summary>
    protected long LastCloseTime { get; private set; } = None;

    protected bool HasEmitted => LastCloseTime != None;

    protected void Observe(long timestamp)
    {
        if (timestamp > StreamTime) StreamTime = timestamp;
    }

    /// <summary>Whether it is time to look for closed windows.</summary>
    protected bool IsTimeToEmit(long closeTime)
    {
        if (!EmitsOnClose) return false;
        var now = Context.CurrentSystemTimeMs;
        if (now < _nextLook) return false;
        _nextLook = WindowTimes.Add(Math.Max(0, now), _task!.EmitIntervalMs);
        return !HasEmitted || LastCloseTime < closeTime;
    }

    protected void Emitted(long closeTime)
    {
        LastCloseTime = closeTime;
        _task!.SetProcessorValue(StoreName, closeTime);
    }

    /// <summary>Sends an update on, unless results wait for their window to close.</summary>
    protected void ForwardUpdate(
        in Record<K, V> record,
        Window window,
        VR value,
        bool hasValue,
        VR old,
        bool hasOld,
        long timestamp)
    {
        if (EmitsOnClose) return;
        ForwardStored(new Record<Windowed<K>, Change<VR>>(
            new Windowed<K>(record.Key, window),
            true,
            new Change<VR>(value, hasValue, old, SendsOldValues && hasOld),
            true,
            timestamp,
            record.HeadersOrNull));
    }

    /// <summary>Sends the result of a closed window on, with the headers of the record that made time pass.</summary>
    protected void ForwardFinal(in Record<K, V> record, Windowed<K> key, VR value, long timestamp) =>
        Forward(new Record<Windowed<K>, Change<VR>>(
            key, true, new Change<VR>(value, true, default!, false), true, timestamp, record.HeadersOrNull));

    protected override void Init()
    {
        _task = Context.Task;
        if (EmitsOnClose && _task.ProcessorValues.TryGetValue(StoreName, out var closeTime)) LastCloseTime = closeTime;
    }
}
