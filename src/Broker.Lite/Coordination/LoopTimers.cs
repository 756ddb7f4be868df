namespace Broker.Lite.Coordination;

/// <summary>
/// Deadlines that fire on the <see cref="BrokerLoop"/>. All timers share one <see cref="ITimer"/> of the injected clock, armed for the
/// earliest deadline, so that moving a deadline later (each heartbeat does) costs one field write.
/// </summary>
/// <remarks>Every member except the clock's callback is called on the loop.</remarks>
internal sealed class LoopTimers : IDisposable
{
    // Cancelled entries stay in the queue until they surface; beyond this many the queue is rebuilt when they are the majority.
    private const int CancelledBeforeRebuild = 1024;

    private readonly BrokerLoop _loop;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ITimer _clock;
    private readonly PriorityQueue<LoopTimer, long> _queue = new();
    private long _armedForMs = long.MaxValue;
    private int _cancelled;
    private bool _disposed;

    public LoopTimers(BrokerLoop loop, TimeProvider time)
    {
        _loop = loop;
        _time = time;
        _origin = time.GetTimestamp();
        loop.BeforeEach(FireDue);
        _clock = time.CreateTimer(_ => _loop.Post(Fire), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Milliseconds of the clock's monotonic time since this object was made.</summary>
    public long NowMs => (long)_time.GetElapsedTime(_origin).TotalMilliseconds;

    /// <summary>
    /// Runs <paramref name="callback"/> on the loop once, <paramref name="delayMs"/> milliseconds from now (never inside this call).
    /// </summary>
    public LoopTimer Schedule(long delayMs, Action callback)
    {
        var timer = new LoopTimer(this, callback, DueAt(delayMs));
        Enqueue(timer);
        return timer;
    }

    public void Dispose()
    {
        _disposed = true;
        _queue.Clear();
        _clock.Dispose();
    }

    internal long DueAt(long delayMs) => NowMs + Math.Clamp(delayMs, 0, int.MaxValue);

    internal void Enqueue(LoopTimer timer)
    {
        if (_disposed)
            return;
        timer.QueuedForMs = timer.DueMs;
        _queue.Enqueue(timer, timer.DueMs);
        Arm();
    }

    internal void OnCancelled()
    {
        if (++_cancelled <= CancelledBeforeRebuild || _cancelled <= _queue.Count / 2)
            return;
        var live = _queue.UnorderedItems.Where(entry => entry.Element.IsPending && entry.Priority == entry.Element.QueuedForMs).ToArray();
        _queue.Clear();
        _queue.EnqueueRange(live);
        _cancelled = 0;
    }

    /// <summary>
    /// The clock's timers come some milliseconds late. A request that arrives in between must find what should have happened done: a client
    /// that waits for as long as a session lasts and then deletes the group is right to expect that it has no members.
    /// </summary>
    private void FireDue()
    {
        if (_queue.TryPeek(out _, out var dueMs) && dueMs <= NowMs)
            Fire();
    }

    private void Fire()
    {
        if (_disposed)
            return;
        _armedForMs = long.MaxValue;
        var now = NowMs;
        while (_queue.TryPeek(out var timer, out var queuedFor) && queuedFor <= now)
        {
            _queue.Dequeue();
            if (!timer.IsPending)
                _cancelled = Math.Max(0, _cancelled - 1);
            else if (queuedFor != timer.QueuedForMs)
                continue; // superseded by an entry with an earlier deadline
            else if (timer.DueMs > now)
                Enqueue(timer); // was moved later since it was queued
            else
                timer.Run();
        }

        Arm();
    }

    private void Arm()
    {
        if (!_queue.TryPeek(out _, out var dueMs) || dueMs >= _armedForMs)
            return;
        _armedForMs = dueMs;
        // Whole milliseconds, rounded up: a clock that fires a fraction early would only spin once more.
        _clock.Change(TimeSpan.FromMilliseconds(Math.Max(0, dueMs - NowMs)), Timeout.InfiniteTimeSpan);
    }
}
