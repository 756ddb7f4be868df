using Streams.State.Bytes;
using Streams.State.RocksDb;

namespace Streams.State;

/// <summary>Which window store to use, under which name, and how long it keeps windows. Made by <see cref="Stores"/>. Source: Kafka's <c>WindowBytesStoreSupplier</c>.</summary>
public sealed class WindowBytesStoreSupplier
{
    // Kafka's least segment interval on disk. Memory has no reason to keep a minute of windows that live a second.
    private const long LeastOnDiskMs = 60_000;
    private const long LeastInMemoryMs = 1_000;

    internal WindowBytesStoreSupplier(
        string name, TimeSpan retentionPeriod, TimeSpan windowSize, bool retainDuplicates, bool isPersistent, bool isTimestamped, bool orderByTime)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(retentionPeriod, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(windowSize, TimeSpan.Zero);
        if (windowSize > retentionPeriod)
        {
            throw new ArgumentException(
                $"Window store '{name}' keeps windows for {retentionPeriod}, which is less than their size of {windowSize}; retention must be at least size plus grace.",
                nameof(retentionPeriod));
        }

        Name = name;
        RetentionPeriod = retentionPeriod;
        WindowSize = windowSize;
        RetainDuplicates = retainDuplicates;
        IsPersistent = isPersistent;
        IsTimestamped = isTimestamped;
        OrderByTime = orderByTime || !isPersistent;
        SegmentIntervalMs = SegmentInterval(RetentionMs, isPersistent);
    }

    /// <summary>Name of the store.</summary>
    public string Name { get; }

    /// <summary>How long windows are kept, from their start, in stream time. Milliseconds; what is finer is ignored.</summary>
    public TimeSpan RetentionPeriod { get; }

    /// <summary>Length of the windows; only used to tell their ends.</summary>
    public TimeSpan WindowSize { get; }

    /// <summary>Whether puts of the same key and time are kept side by side.</summary>
    public bool RetainDuplicates { get; }

    /// <summary>Whether the content outlives the process.</summary>
    public bool IsPersistent { get; }

    /// <summary>Whether entries on disk carry timestamps; in memory either kind does.</summary>
    public bool IsTimestamped { get; }

    /// <summary>Whether walks over several keys go by time, then key. Stores in memory always do; those on disk otherwise go by segment, then key.</summary>
    public bool OrderByTime { get; }

    internal long RetentionMs => (long)RetentionPeriod.TotalMilliseconds;

    internal long WindowSizeMs => (long)WindowSize.TotalMilliseconds;

    internal long SegmentIntervalMs { get; }

    internal static long SegmentInterval(long retentionMs, bool isPersistent) => Math.Max(retentionMs / 2, isPersistent ? LeastOnDiskMs : LeastInMemoryMs);

    /// <summary>The kind of a store's folder has the segment interval in it: with another one, entries would be looked for in the wrong segments.</summary>
    internal IByteEngine? OpenEngine(IStateStoreContext context, string kind) =>
        IsPersistent ? RocksDbEngine.Open(context, Name, $"{kind}, segments of {SegmentIntervalMs} ms,") : null;
}
