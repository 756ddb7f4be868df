using System.Reactive.Concurrency;

namespace Streams.Reactive;

/// <summary>How a <see cref="LiveView{K, V}"/> tells its news. Nothing is ever left out of a view, so whoever is slow holds the table's tasks up.</summary>
public sealed record ViewOptions
{
    /// <summary>
    /// News that waits for a subscriber, per subscription (default 1,024, at least 1): the mark at which tasks stop taking records, and stop reading rows out of the store,
    /// until half of it is free.
    /// </summary>
    public int Capacity { get; init; } = 1024;

    /// <summary>Where observers are called (default: the thread pool; in the test driver the calling thread). One call at a time per subscription.</summary>
    public IScheduler? Scheduler { get; init; }

    internal void Validate(string node)
    {
        if (Capacity < 1) throw new ArgumentException($"The options of view '{node}' are wrong: {nameof(Capacity)} is {Capacity}, not at least 1.");
    }
}
