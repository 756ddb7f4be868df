using Streams.State.Bytes;
using Streams.State.RocksDb;

namespace Streams.State;

/// <summary>Which session store to use, under which name, and how long it keeps sessions. Made by <see cref="Stores"/>. Source: Kafka's <c>SessionBytesStoreSupplier</c>.</summary>
public sealed class SessionBytesStoreSupplier
{
    internal SessionBytesStoreSupplier(string name, TimeSpan retentionPeriod, bool isPersistent, bool orderByTime)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (retentionPeriod < TimeSpan.Zero) throw new ArgumentException($"Session store '{name}' cannot keep sessions for {retentionPeriod}.", nameof(retentionPeriod));
        Name = name;
        RetentionPeriod = retentionPeriod;
        IsPersistent = isPersistent;
        OrderByTime = orderByTime || !isPersistent;
        SegmentIntervalMs = WindowBytesStoreSupplier.SegmentInterval(RetentionMs, isPersistent);
    }

    /// <summary>Name of the store.</summary>
    public string Name { get; }

    /// <summary>How long sessions are kept, from their end, in stream time. Milliseconds; what is finer is ignored.</summary>
    public TimeSpan RetentionPeriod { get; }

    /// <summary>Whether the content outlives the process.</summary>
    public bool IsPersistent { get; }

    /// <summary>Whether walks over several keys go by end, then key. Stores in memory always do; those on disk otherwise go by segment, then key.</summary>
    public bool OrderByTime { get; }

    internal long RetentionMs => (long)RetentionPeriod.TotalMilliseconds;

    internal long SegmentIntervalMs { get; }

    internal IByteEngine? OpenEngine(IStateStoreContext context, string kind) =>
        IsPersistent ? RocksDbEngine.Open(context, Name, $"{kind}, segments of {SegmentIntervalMs} ms,") : null;
}
