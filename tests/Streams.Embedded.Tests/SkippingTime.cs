namespace Streams.Embedded.Tests;

/// <summary>The system's time, and what was skipped of it.</summary>
internal sealed class SkippingTime : TimeProvider
{
    private long _skippedTicks;

    public void Skip(TimeSpan time) => Interlocked.Add(ref _skippedTicks, time.Ticks);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _skippedTicks));

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Volatile.Read(ref _skippedTicks);
}
