using System.Reactive.Concurrency;

namespace Streams.Reactive;

/// <summary>How a <see cref="StreamTap{K, V}"/> gives records out.</summary>
public sealed record TapOptions
{
    /// <summary>
    /// Records that wait for a subscriber, per subscription (default 1,024, at least 1). With <see cref="TapDelivery.AfterCommit"/> those that wait for their commit count too.
    /// With <see cref="TapOverflow.Wait"/> it is the mark at which tasks stop taking records: what the record in hand (or a cache that is being flushed) still gives goes
    /// over it. With the others it is never exceeded.
    /// </summary>
    public int Capacity { get; init; } = 1024;

    /// <summary>What happens when a buffer is full (default: tasks wait).</summary>
    public TapOverflow Overflow { get; init; }

    /// <summary>When records are seen (default: as they are processed).</summary>
    public TapDelivery Delivery { get; init; }

    /// <summary>
    /// Where observers are called (default: the thread pool; in the test driver the calling thread, before the driver's call returns). One call at a time per subscription.
    /// </summary>
    public IScheduler? Scheduler { get; init; }

    /// <summary>Checks everything.</summary>
    /// <exception cref="ArgumentException">Names everything that is wrong.</exception>
    internal void Validate(string node)
    {
        var faults = new List<string>();
        if (Capacity < 1) faults.Add($"{nameof(Capacity)} is {Capacity}, not at least 1");
        if (!Enum.IsDefined(Overflow)) faults.Add($"{nameof(Overflow)} is {Overflow}");
        if (!Enum.IsDefined(Delivery)) faults.Add($"{nameof(Delivery)} is {Delivery}");
        if (faults.Count > 0) throw new ArgumentException($"The options of tap '{node}' are wrong: {string.Join("; ", faults)}.");
    }
}
