namespace Streams.Core;

/// <summary>Where to start reading a topic for which the application has no committed offset. Source: KIP-1106.</summary>
public abstract record AutoOffsetReset
{
    private AutoOffsetReset()
    {
    }

    /// <summary>The first record. The default.</summary>
    public static AutoOffsetReset Earliest { get; } = new EarliestReset();

    /// <summary>Only what comes from now on.</summary>
    public static AutoOffsetReset Latest { get; } = new LatestReset();

    /// <summary>Nowhere: starting without a committed offset is an error.</summary>
    public static AutoOffsetReset None { get; } = new NoneReset();

    /// <summary>The first record that is not older than the given time, counted back from now.</summary>
    public static AutoOffsetReset ByDuration(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        return new DurationReset(duration);
    }

    internal sealed record EarliestReset : AutoOffsetReset;

    internal sealed record LatestReset : AutoOffsetReset;

    internal sealed record NoneReset : AutoOffsetReset;

    internal sealed record DurationReset(TimeSpan Duration) : AutoOffsetReset;
}
