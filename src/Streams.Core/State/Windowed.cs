namespace Streams.Core;

/// <summary>A span of event time, in Unix milliseconds. Whether the end belongs to it depends on the kind of window: it does in session and sliding windows, not in time windows.</summary>
/// <param name="StartMs">First millisecond.</param>
/// <param name="EndMs">Last millisecond, or the one after it.</param>
public readonly record struct Window(long StartMs, long EndMs)
{
    /// <summary>The start as a date.</summary>
    public DateTimeOffset Start => DateTimeOffset.FromUnixTimeMilliseconds(StartMs);

    /// <summary>The end as a date; the last date there is for windows without end.</summary>
    public DateTimeOffset End => EndMs > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.MaxValue : DateTimeOffset.FromUnixTimeMilliseconds(EndMs);

    /// <inheritdoc/>
    public override string ToString() => $"{StartMs}/{EndMs}";
}

/// <summary>A key in a window: the key of a windowed table.</summary>
/// <param name="Key">The grouping key.</param>
/// <param name="Window">The window.</param>
/// <typeparam name="K">Type of the grouping key.</typeparam>
public readonly record struct Windowed<K>(K Key, Window Window)
{
    /// <inheritdoc/>
    public override string ToString() => $"[{Key}@{Window}]";
}
