using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// Windows of activity: records of a key belong to one session as long as no gap between them is longer than the inactivity gap. Both ends belong to
/// the session. Source: KIP-94.
/// </summary>
public sealed record SessionWindows
{
    private SessionWindows(long gapMs, long graceMs)
    {
        GapMs = gapMs;
        GraceMs = graceMs;
    }

    /// <summary>Inactivity gap in milliseconds.</summary>
    public long GapMs { get; }

    /// <summary>How late, in milliseconds of stream time after a session has ended, a record may come and still extend it.</summary>
    public long GraceMs { get; }

    /// <summary>Sessions that take late records for the grace period.</summary>
    /// <param name="inactivityGap">Gap, at least 1 ms, in whole milliseconds.</param>
    /// <param name="afterWindowEnd">Grace period, in whole milliseconds.</param>
    public static SessionWindows OfInactivityGapAndGrace(TimeSpan inactivityGap, TimeSpan afterWindowEnd) =>
        new(WindowTimes.Positive(inactivityGap, nameof(inactivityGap)), WindowTimes.NotNegative(afterWindowEnd, nameof(afterWindowEnd)));

    /// <summary>Sessions that take no late records.</summary>
    public static SessionWindows OfInactivityGapWithNoGrace(TimeSpan inactivityGap) => OfInactivityGapAndGrace(inactivityGap, TimeSpan.Zero);
}
