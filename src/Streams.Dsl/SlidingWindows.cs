using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// Windows that begin and end with records: two records are in a common window if their times differ by no more than the time difference. Both ends
/// belong to the window. Source: KIP-450.
/// </summary>
public sealed record SlidingWindows
{
    private SlidingWindows(long timeDifferenceMs, long graceMs)
    {
        TimeDifferenceMs = timeDifferenceMs;
        GraceMs = graceMs;
    }

    /// <summary>Largest difference between records of a window, in milliseconds.</summary>
    public long TimeDifferenceMs { get; }

    /// <summary>How late, in milliseconds of stream time after its window's end, a record may come and still count.</summary>
    public long GraceMs { get; }

    /// <summary>Sliding windows that take late records for the grace period.</summary>
    /// <param name="timeDifference">Largest difference, in whole milliseconds.</param>
    /// <param name="grace">Grace period, in whole milliseconds.</param>
    public static SlidingWindows OfTimeDifferenceAndGrace(TimeSpan timeDifference, TimeSpan grace) =>
        new(WindowTimes.NotNegative(timeDifference, nameof(timeDifference)), WindowTimes.NotNegative(grace, nameof(grace)));

    /// <summary>Sliding windows that close at their end.</summary>
    public static SlidingWindows OfTimeDifferenceWithNoGrace(TimeSpan timeDifference) => OfTimeDifferenceAndGrace(timeDifference, TimeSpan.Zero);
}
