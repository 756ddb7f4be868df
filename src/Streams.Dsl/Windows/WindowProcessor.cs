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
internal abstract class WindowProcessor<K, V, VR>(string storeName, Emission emission, bool sendsOldValues)
    : TableProcessor<K, V, Windowed<K>, VR>(sendsOldValues)
{
    private const long None = -1;

    private TaskContext? _task;
    private ICancellable? _idle;
    private long _lastRecordMs;
    private long _streamTimeAtLook = None;
    private bool _hasOpenWindows = true;
    private long _nextLook = long.MinValue;

    protected string StoreName { get; } = storeName;

    protected bool EmitsOnClose { get; } = emission.IsOnClose;

    /// <summary>Largest timestamp that this node has seen; its own, not the task's (E-24).</summary>
    protected long StreamTime { get; private set; } = None;

    /// <summary>Close time at the last results; <see cref="HasEmitted"/> says whether there were any.</summary>
    protected long LastCloseTime { get; private set; } = None;

    protected bool HasEmitted => LastCloseTime != None;

    protected void Observe(long timestamp)
    {
        if (timestamp > StreamTime) StreamTime = timestamp;
        if (!emission.ClosesWhenIdle) return;
        _lastRecordMs = Context.CurrentSystemTimeMs;
        _hasOpenWindows = true;
    }

    /// <summary>
    /// Time up to which windows have closed: as stream time says or, where silence closes windows too, as far as it has closed them already. Only then is it
    /// remembered over a restart; otherwise it comes back with stream time, as in Kafka Streams (E-25).
    /// </summary>
    protected long CloseTime(long byStreamTime) => emission.ClosesWhenIdle ? Math.Max(byStreamTime, LastCloseTime) : byStreamTime;

    /// <summary>Whether silence has closed everything that ended before this time, so that nothing may be added to it.</summary>
    protected bool IsClosedForGood(long endMs) => emission.ClosesWhenIdle && endMs < LastCloseTime;

    /// <summary>Gives the results of all windows that have not been given, whatever stream time says.</summary>
    /// <returns>The close time at which all of them, and the windows that the latest record is in, have closed; <see cref="LastCloseTime"/> when there are none.</returns>
    protected abstract long EmitAll();

    /// <summary>Whether it is time to look for closed windows.</summary>
    protected bool IsTimeToEmit(long closeTime)
    {
        if (!EmitsOnClose || emission.ClosesWhenIdle) return false;
        var now = Context.CurrentSystemTimeMs;
        if (now < _nextLook) return false;
        _nextLook = WindowTimes.Add(Math.Max(0, now), _task!.EmitIntervalMs);
        return !HasEmitted || LastCloseTime < closeTime;
    }

    /// <summary>
    /// The same where silence closes windows: to be asked before the record is stored. Storing it moves the store's time, and with it what retention hides; looking at
    /// least once per <see cref="Emission.SpareMs"/> of stream time, and before that, no closed window is hidden before it has been given.
    /// </summary>
    protected bool IsTimeToEmitFirst(long closeTime)
    {
        if (!emission.ClosesWhenIdle || LastCloseTime >= closeTime) return false;
        if (StreamTime - _streamTimeAtLook < emission.SpareMs && _lastRecordMs < _nextLook) return false;
        _nextLook = WindowTimes.Add(Math.Max(0, _lastRecordMs), _task!.EmitIntervalMs);
        _streamTimeAtLook = StreamTime;
        return true;
    }

    protected void Emitted(long closeTime)
    {
        LastCloseTime = closeTime;
        _task!.SetProcessorValue(StoreName, closeTime);
    }

    /// <summary>How many writes the task's stores have refused because they are older than what is kept.</summary>
    protected long Refused => HasDroppedOutput ? Context.Task.Metrics.Dropped(DropReason.Expired) : 0;

    /// <summary>
    /// Shows a record whose window the store has just refused to keep. That happens after a restart only: the store knows how far time had come, this node does not.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="window">The window.</param>
    /// <param name="refusedBefore"><see cref="Refused"/> before the write.</param>
    protected void ShowIfRefused(in Record<K, V> record, Window window, long refusedBefore)
    {
        if (Refused != refusedBefore) ShowDropped(in record, DropReason.Expired, window, StreamTime);
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
        if (!emission.ClosesWhenIdle) return;

        // Windows that a restored store still holds open are given the whole time again.
        _lastRecordMs = Context.CurrentSystemTimeMs;
        WaitForSilence(WindowTimes.Add(_lastRecordMs, emission.IdleMs));
    }

    private void WaitForSilence(long until)
    {
        _idle?.Cancel();
        _idle = Context.Schedule(until, TimeSpan.FromMilliseconds(emission.IdleMs), PunctuationType.WallClockTime, OnIdle);
    }

    private void OnIdle(long now)
    {
        var due = WindowTimes.Add(_lastRecordMs, emission.IdleMs);
        if (now < due)
        {
            // A record has come since this was scheduled.
            WaitForSilence(due);
            return;
        }

        if (!_hasOpenWindows) return;
        _hasOpenWindows = false;
        var closeTime = EmitAll();
        if (closeTime > LastCloseTime) Emitted(closeTime);
    }
}
