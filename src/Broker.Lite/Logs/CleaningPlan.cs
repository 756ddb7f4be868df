namespace Broker.Lite.Logs;

/// <summary>What compaction of a log would have to do.</summary>
internal sealed record CleaningPlan
{
    /// <summary>The sealed segments that may be compacted, from the log's first on.</summary>
    public required LogSegment[] Segments { get; init; }

    /// <summary>From here on keys have not been looked at yet.</summary>
    public required long FirstDirtyOffset { get; init; }

    /// <summary>The offset after the last segment.</summary>
    public required long EndOffset { get; init; }

    /// <summary>Bytes of the segments that start before the first dirty offset.</summary>
    public required long CleanBytes { get; init; }

    /// <summary>Bytes of the others.</summary>
    public required long DirtyBytes { get; init; }

    /// <summary>Whether <c>max.compaction.lag.ms</c> demands it now.</summary>
    public required bool IsOverdue { get; init; }

    /// <summary>The dirty share of the bytes, from 0 to 1.</summary>
    public double DirtyRatio => DirtyBytes == 0 ? 0 : DirtyBytes / (double)(CleanBytes + DirtyBytes);

    /// <summary>Whether it is worth it, or demanded.</summary>
    public bool IsDue(double minDirtyRatio) => DirtyBytes > 0 && (IsOverdue || DirtyRatio > minDirtyRatio);
}
