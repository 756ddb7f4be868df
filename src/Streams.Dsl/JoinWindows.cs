using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// How far apart in time two records may be to be joined: the other stream's record is at most <see cref="BeforeMs"/> earlier and at most
/// <see cref="AfterMs"/> later, both inclusive. Source: Kafka's <c>JoinWindows</c>, KIP-633.
/// </summary>
public sealed record JoinWindows
{
    private JoinWindows(long beforeMs, long afterMs, long graceMs)
    {
        if (beforeMs > 0 && afterMs > long.MaxValue - beforeMs)
            throw new ArgumentOutOfRangeException(nameof(afterMs), afterMs, $"{beforeMs} ms before and {afterMs} ms after are together longer than time itself.");
        if (beforeMs + afterMs < 0)
            throw new ArgumentOutOfRangeException(nameof(beforeMs), beforeMs, $"{beforeMs} ms before and {afterMs} ms after leave no time in between.");
        BeforeMs = beforeMs;
        AfterMs = afterMs;
        GraceMs = graceMs;
    }

    /// <summary>How much earlier the other record may be, in milliseconds; negative: how much later it must at least be.</summary>
    public long BeforeMs { get; }

    /// <summary>How much later the other record may be, in milliseconds; negative: how much earlier it must at least be.</summary>
    public long AfterMs { get; }

    /// <summary>How late, in milliseconds of stream time, a record may come and still be joined.</summary>
    public long GraceMs { get; }

    /// <summary>Records at most so far apart, in either direction, with a grace period.</summary>
    /// <param name="timeDifference">Largest difference, in whole milliseconds.</param>
    /// <param name="afterWindowEnd">Grace period, in whole milliseconds.</param>
    public static JoinWindows OfTimeDifferenceAndGrace(TimeSpan timeDifference, TimeSpan afterWindowEnd)
    {
        var ms = WindowTimes.NotNegative(timeDifference, nameof(timeDifference));
        return new JoinWindows(ms, ms, WindowTimes.NotNegative(afterWindowEnd, nameof(afterWindowEnd)));
    }

    /// <summary>Records at most so far apart, in either direction, without grace.</summary>
    public static JoinWindows OfTimeDifferenceWithNoGrace(TimeSpan timeDifference) => OfTimeDifferenceAndGrace(timeDifference, TimeSpan.Zero);

    /// <summary>The same, with another limit for how much earlier the other record may be.</summary>
    public JoinWindows Before(TimeSpan timeDifference) => new(WindowTimes.WholeMs(timeDifference, nameof(timeDifference)), AfterMs, GraceMs);

    /// <summary>The same, with another limit for how much later the other record may be.</summary>
    public JoinWindows After(TimeSpan timeDifference) => new(BeforeMs, WindowTimes.WholeMs(timeDifference, nameof(timeDifference)), GraceMs);
}
