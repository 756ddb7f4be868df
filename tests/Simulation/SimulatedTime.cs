namespace Simulation;

/// <summary>The clock of a process, which stands still for it while it is paused; of the broker without one.</summary>
internal sealed class SimulatedTime(World world, Incarnation? owner) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => world.UtcNow;

    public override long GetTimestamp() => world.Now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(world, owner, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(World world, Incarnation? owner, TimerCallback callback, object? state) : ITimer
    {
        private World.Event? _next;
        private bool _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (_disposed) return false;
            _next?.Cancel();
            _next = dueTime == Timeout.InfiniteTimeSpan ? null : world.At(dueTime, owner, () => Fire(period));
            return true;
        }

        public void Dispose()
        {
            _disposed = true;
            _next?.Cancel();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(TimeSpan period)
        {
            _next = period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero ? null : world.At(period, owner, () => Fire(period));
            callback(state);
        }
    }
}
