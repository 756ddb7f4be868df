namespace Streams.Dsl.Windows;

/// <summary>Durations as whole milliseconds, and sums that stop at the largest timestamp instead of wrapping round (E-133).</summary>
internal static class WindowTimes
{
    public static long Positive(TimeSpan duration, string parameter)
    {
        var ms = WholeMs(duration, parameter);
        ArgumentOutOfRangeException.ThrowIfLessThan(ms, 1, parameter);
        return ms;
    }

    public static long NotNegative(TimeSpan duration, string parameter)
    {
        var ms = WholeMs(duration, parameter);
        ArgumentOutOfRangeException.ThrowIfNegative(ms, parameter);
        return ms;
    }

    public static long WholeMs(TimeSpan duration, string parameter)
    {
        if (duration.Ticks % TimeSpan.TicksPerMillisecond != 0)
            throw new ArgumentException($"{duration} is not a whole number of milliseconds; event time has no finer unit.", parameter);
        return duration.Ticks / TimeSpan.TicksPerMillisecond;
    }

    /// <summary>The sum of a timestamp and a duration, at most <see cref="long.MaxValue"/>; neither is negative.</summary>
    public static long Add(long timestampMs, long durationMs) => timestampMs > long.MaxValue - durationMs ? long.MaxValue : timestampMs + durationMs;

    /// <summary>A timestamp moved by a duration of either sign, at most <see cref="long.MaxValue"/>; it may become negative.</summary>
    public static long Shift(long timestampMs, long byMs) => byMs >= 0 ? Add(timestampMs, byMs) : timestampMs + byMs;

    public static TimeSpan ToTimeSpan(long ms) => TimeSpan.FromMilliseconds(Math.Min(ms, (long)TimeSpan.MaxValue.TotalMilliseconds));
}
