using System.Globalization;

namespace Simulation;

/// <summary>
/// Virtual time and everything that happens in it: one queue of events, taken in the order of their time, and by the seed's choice where the time is the same. All code under
/// test runs inside an event, one at a time, so that a seed is a schedule.
/// </summary>
internal sealed class World(int seed)
{
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Event, (long Due, int Tie, long Number)> _events = new();
    private readonly List<string> _trace = [];
    private long _number;
    private ulong _fingerprint = 14695981039346656037;

    /// <summary>What chance decides.</summary>
    public Random Random { get; } = new(seed);

    public int Seed { get; } = seed;

    /// <summary>Time since the beginning.</summary>
    public TimeSpan Now { get; private set; }

    public DateTimeOffset UtcNow => _start + Now;

    /// <summary>Events so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Differs when anything in the run differs.</summary>
    public ulong Fingerprint => _fingerprint;

    /// <summary>Whether lines are kept; costs time.</summary>
    public bool Traces { get; init; }

    public IReadOnlyList<string> TraceLines => _trace;

    public bool Chance(double probability) => Random.NextDouble() < probability;

    public TimeSpan Between(double leastMs, double mostMs) => TimeSpan.FromMilliseconds(leastMs + (Random.NextDouble() * (mostMs - leastMs)));

    /// <summary>Lets something happen after a while, as part of a process, or of none.</summary>
    public Event At(TimeSpan delay, Incarnation? owner, Action action)
    {
        var due = Now + (delay < TimeSpan.Zero ? TimeSpan.Zero : delay);
        var added = new Event(owner, action);
        _events.Enqueue(added, (due.Ticks, Random.Next(), _number++));
        return added;
    }

    /// <summary>The same, in a moment: other things may come before it.</summary>
    public Event Soon(Incarnation? owner, Action action) => At(Between(0, 0.05), owner, action);

    /// <summary>Notes what happens, for the fingerprint and the trace.</summary>
    public void Note(Incarnation? owner, string what)
    {
        foreach (var character in what) _fingerprint = (_fingerprint ^ character) * 1099511628211;
        _fingerprint = (_fingerprint ^ (ulong)Now.Ticks) * 1099511628211;
        if (Traces) _trace.Add(string.Create(CultureInfo.InvariantCulture, $"{Now.TotalSeconds,9:F4} {owner?.Name,-8} {what}"));
    }

    /// <summary>Lets time pass until something is so, or until a time; false for the latter, or when nothing is left to happen.</summary>
    public bool Run(Func<bool> until, TimeSpan limit, long maxSteps)
    {
        while (!until())
        {
            if (Steps >= maxSteps || !_events.TryDequeue(out var next, out var place)) return false;
            if (next.IsCancelled) continue;
            if (next.Owner is { } owner)
            {
                if (owner.IsDead) continue;
                if (owner.PausedUntil > new TimeSpan(place.Due))
                {
                    _events.Enqueue(next, (owner.PausedUntil.Ticks, place.Tie, place.Number));
                    continue;
                }
            }

            if (place.Due > limit.Ticks)
            {
                _events.Enqueue(next, place);
                Now = limit;
                return false;
            }

            Now = new TimeSpan(Math.Max(Now.Ticks, place.Due));
            Steps++;
            next.Action();
        }

        return true;
    }

    /// <summary>Waits so long: on a fiber by parking it, elsewhere as a task that ends inside an event.</summary>
    public Task Delay(Incarnation? owner, TimeSpan time, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
        if (Fiber.Current is { } fiber)
        {
            var waiter = new Waiter(this, owner, fiber);
            waiter.Wait(time, cancellationToken);
            return cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;
        }

        var done = new TaskCompletionSource();
        var registration = cancellationToken.UnsafeRegister(_ => Soon(owner, () => done.TrySetCanceled(cancellationToken)), null);
        At(time, owner, () =>
        {
            registration.Dispose();
            done.TrySetResult();
        });
        return done.Task;
    }

    /// <summary>Waits for a task that somebody ends inside an event.</summary>
    public async Task<T> Until<T>(Incarnation? owner, Task<T> task, CancellationToken cancellationToken)
    {
        if (Fiber.Current is { } fiber)
        {
            if (!task.IsCompleted)
            {
                var waiter = new Waiter(this, owner, fiber);
                _ = task.ContinueWith(_ => waiter.Wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                waiter.Wait(Timeout.InfiniteTimeSpan, cancellationToken);
            }

            if (!task.IsCompleted) cancellationToken.ThrowIfCancellationRequested();
            return await task.ConfigureAwait(false);
        }

        var done = new TaskCompletionSource();
        using var registration = cancellationToken.UnsafeRegister(_ => Soon(owner, () => done.TrySetCanceled(cancellationToken)), null);
        _ = task.ContinueWith(_ => Soon(owner, () => done.TrySetResult()), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await done.Task.ConfigureAwait(false);
        return await task.ConfigureAwait(false);
    }

    /// <summary>Something that is going to happen.</summary>
    internal sealed class Event(Incarnation? owner, Action action)
    {
        public Incarnation? Owner { get; } = owner;

        public Action Action { get; } = action;

        public bool IsCancelled { get; private set; }

        public void Cancel() => IsCancelled = true;
    }
}

/// <summary>One wait of a fiber.</summary>
internal sealed class Waiter(World world, Incarnation? owner, Fiber fiber)
{
    private bool _woken;

    /// <summary>Parks the fiber, which is the caller, until it is woken, the time is over, or cancelled.</summary>
    public void Wait(TimeSpan timeout, CancellationToken cancellationToken)
    {
        World.Event? alarm = null;
        if (timeout != Timeout.InfiniteTimeSpan) alarm = world.At(timeout, owner, Go);
        using var registration = cancellationToken.UnsafeRegister(static waiter => ((Waiter)waiter!).Wake(), this);
        fiber.Park();
        alarm?.Cancel();
    }

    /// <summary>Ends the wait in a moment; from anywhere.</summary>
    public void Wake()
    {
        if (!_woken) world.Soon(owner, Go);
    }

    private void Go()
    {
        if (_woken) return;
        _woken = true;
        fiber.Resume();
    }
}
