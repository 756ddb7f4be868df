namespace Streams.Core;

/// <summary>The callbacks of one task that are driven by one clock, ordered by when they are due.</summary>
/// <remarks>
/// A callback that is overdue by several intervals fires once and then keeps its phase. All arithmetic saturates, so a time near
/// <see cref="long.MaxValue"/> ends a schedule instead of spinning (CVE-2026-111496). Source: Kafka's <c>PunctuationQueue</c>.
/// </remarks>
internal sealed class PunctuationQueue
{
    private readonly List<Schedule> _schedules = [];

    /// <summary>When the next callback is due; <see cref="long.MaxValue"/> when none is.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    public ICancellable Add(long firstDue, long intervalMs, Punctuator callback, Processor node)
    {
        var schedule = new Schedule(this, callback, node, intervalMs) { Due = firstDue };
        _schedules.Add(schedule);
        UpdateNextDue();
        return schedule;
    }

    /// <summary>Takes the callback that is due first, if any, and sets its next time.</summary>
    public bool TryTake(long now, out Schedule due)
    {
        due = null!;
        foreach (var schedule in _schedules)
        {
            if (schedule.Due <= now && schedule.Due != long.MaxValue && (due is null || schedule.Due < due.Due)) due = schedule;
        }

        if (due is null) return false;
        due.Due = NextAfter(due.Due, due.IntervalMs, now);
        UpdateNextDue();
        return true;
    }

    private static long NextAfter(long due, long intervalMs, long now)
    {
        // First multiple of the interval past now, counted from the time it was due.
        var missed = (UInt128)(Int128)((Int128)now - due) / (ulong)intervalMs + 1;
        var next = (Int128)due + ((Int128)missed * intervalMs);
        return next >= long.MaxValue ? long.MaxValue : (long)next;
    }

    private void UpdateNextDue()
    {
        var next = long.MaxValue;
        foreach (var schedule in _schedules) next = Math.Min(next, schedule.Due);
        NextDue = next;
    }

    internal sealed class Schedule(PunctuationQueue owner, Punctuator callback, Processor node, long intervalMs) : ICancellable
    {
        public long Due { get; set; }

        public Punctuator Callback { get; } = callback;

        public Processor Node { get; } = node;

        public long IntervalMs { get; } = intervalMs;

        public void Cancel()
        {
            owner._schedules.Remove(this);
            owner.UpdateNextDue();
        }
    }
}

/// <summary>The stream-time callbacks of a task.</summary>
internal sealed class StreamTimePunctuation(PunctuationQueue queue, TaskContext task)
{
    public PunctuationQueue Queue { get; } = queue;

    public long NextDue => Queue.NextDue;

    public void Fire()
    {
        while (Queue.TryTake(task.StreamTime, out var due)) Punctuation.Run(task, due, task.StreamTime);
    }
}

internal static class Punctuation
{
    public static void Run(TaskContext task, PunctuationQueue.Schedule due, long timestamp)
    {
        // No source record stands behind what a punctuator forwards (E-123).
        var hadRecord = task.HasRecord;
        var timestampBefore = task.Timestamp;
        var headersBefore = task.Headers;
        task.HasRecord = false;
        task.Headers = null;
        task.Timestamp = timestamp;
        try
        {
            due.Callback(timestamp);
        }
        catch (Exception failure) when (task.IsUserFailure(failure))
        {
            task.HandleProcessingFailure(due.Node, timestamp, null, failure);
        }
        finally
        {
            task.HasRecord = hadRecord;
            task.Timestamp = timestampBefore;
            task.Headers = headersBefore;
        }
    }
}
