namespace Broker.Lite.Coordination;

/// <summary>One deadline of <see cref="LoopTimers"/>; used on the loop only.</summary>
internal sealed class LoopTimer
{
    private readonly LoopTimers _timers;
    private readonly Action _callback;

    internal LoopTimer(LoopTimers timers, Action callback, long dueMs)
    {
        _timers = timers;
        _callback = callback;
        DueMs = dueMs;
    }

    /// <summary>False once it has run or was cancelled.</summary>
    public bool IsPending { get; private set; } = true;

    internal long DueMs { get; private set; }

    /// <summary>The deadline under which the queue knows this timer; entries with another one are stale.</summary>
    internal long QueuedForMs { get; set; }

    /// <summary>
    /// Moves the deadline to <paramref name="delayMs"/> milliseconds from now. No effect once it has run or was cancelled.
    /// </summary>
    public void Move(long delayMs)
    {
        if (!IsPending)
            return;
        DueMs = _timers.DueAt(delayMs);
        if (DueMs < QueuedForMs)
            _timers.Enqueue(this);
    }

    /// <summary>Makes sure that the callback will not run.</summary>
    public void Cancel()
    {
        if (!IsPending)
            return;
        IsPending = false;
        _timers.OnCancelled();
    }

    internal void Run()
    {
        IsPending = false;
        _callback();
    }
}
