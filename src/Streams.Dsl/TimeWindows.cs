using Streams.Dsl.Windows;

namespace Streams.Dsl;

/// <summary>
/// Windows of fixed size, aligned to the epoch: tumbling (each begins where the last one ends) or hopping (they overlap). The start belongs to the
/// window, the end does not. Source: Kafka's <c>TimeWindows</c>, KIP-633.
/// </summary>
public sealed record TimeWindows
{
    private TimeWindows(long sizeMs, long advanceMs, long graceMs)
    {
        SizeMs = sizeMs;
        AdvanceMs = advanceMs;
        GraceMs = graceMs;
    }

    /// <summary>Size in milliseconds.</summary>
    public long SizeMs { get; }

    /// <summary>Milliseconds from the start of one window to the start of the next; the size for tumbling windows.</summary>
    public long AdvanceMs { get; private init; }

    /// <summary>How late, in milliseconds of stream time after its window's end, a record may come and still count.</summary>
    public long GraceMs { get; }

    /// <summary>Tumbling windows that take late records for the grace period.</summary>
    /// <param name="size">Size, at least 1 ms, in whole milliseconds.</param>
    /// <param name="afterWindowEnd">Grace period, in whole milliseconds.</param>
    public static TimeWindows OfSizeAndGrace(TimeSpan size, TimeSpan afterWindowEnd)
    {
        var sizeMs = WindowTimes.Positive(size, nameof(size));
        return new TimeWindows(sizeMs, sizeMs, WindowTimes.NotNegative(afterWindowEnd, nameof(afterWindowEnd)));
    }

    /// <summary>Tumbling windows that close at their end: a record that comes after is dropped.</summary>
    public static TimeWindows OfSizeWithNoGrace(TimeSpan size) => OfSizeAndGrace(size, TimeSpan.Zero);

    /// <summary>Hopping windows: one begins every so often.</summary>
    /// <param name="advance">At least 1 ms and at most the size.</param>
    public TimeWindows AdvanceBy(TimeSpan advance)
    {
        var advanceMs = WindowTimes.Positive(advance, nameof(advance));
        if (advanceMs > SizeMs) throw new ArgumentOutOfRangeException(nameof(advance), advance, $"Windows of {SizeMs} ms cannot advance by {advanceMs} ms: records in between would be in no window.");
        return this with { AdvanceMs = advanceMs };
    }
}

/// <summary>A single window from a start on, without end. Source: Kafka's <c>UnlimitedWindows</c>.</summary>
public sealed record UnlimitedWindows
{
    private UnlimitedWindows()
    {
    }

    /// <summary>Where the window begins, Unix milliseconds; records before it are in no window.</summary>
    public long StartMs { get; private init; }

    /// <summary>A window from the epoch on.</summary>
    public static UnlimitedWindows Of() => new();

    /// <summary>A window from the given time on; not before 1970.</summary>
    public UnlimitedWindows StartOn(DateTimeOffset start)
    {
        var startMs = start.ToUnixTimeMilliseconds();
        ArgumentOutOfRangeException.ThrowIfNegative(startMs, nameof(start));
        return this with { StartMs = startMs };
    }
}
