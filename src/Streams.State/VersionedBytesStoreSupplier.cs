using Streams.State.Bytes;
using Streams.State.RocksDb;

namespace Streams.State;

/// <summary>Which versioned store to use, under which name, and how far back look-ups reach. Made by <see cref="Stores"/>. Source: KIP-889.</summary>
public sealed class VersionedBytesStoreSupplier
{
    // A look-up as of a time asks one segment after the other, so there are only a few; what is too old is kept for at most one of them.
    private const int SegmentsPerRetention = 4;
    private const long LeastSegmentMs = 1_000;

    internal VersionedBytesStoreSupplier(string name, TimeSpan historyRetention, bool isPersistent)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (historyRetention < TimeSpan.Zero) throw new ArgumentException($"Versioned store '{name}' cannot keep history for {historyRetention}.", nameof(historyRetention));
        Name = name;
        HistoryRetention = historyRetention;
        IsPersistent = isPersistent;
        SegmentIntervalMs = Math.Max(HistoryRetentionMs / SegmentsPerRetention, LeastSegmentMs);
    }

    /// <summary>Name of the store.</summary>
    public string Name { get; }

    /// <summary>How far back in stream time look-ups reach, and how late a write may come. Milliseconds; what is finer is ignored.</summary>
    public TimeSpan HistoryRetention { get; }

    /// <summary>Whether the content outlives the process.</summary>
    public bool IsPersistent { get; }

    internal long HistoryRetentionMs => (long)HistoryRetention.TotalMilliseconds;

    internal long SegmentIntervalMs { get; }

    internal IByteEngine? OpenEngine(IStateStoreContext context) =>
        IsPersistent ? RocksDbEngine.Open(context, Name, $"versioned-key-value, segments of {SegmentIntervalMs} ms,") : null;
}
