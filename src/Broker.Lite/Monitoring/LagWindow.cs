namespace Broker.Lite.Monitoring;

/// <summary>The last commits of a group in one partition, and what they say. The rules are those of LinkedIn's Burrow.</summary>
internal sealed class LagWindow
{
    /// <summary>Commits kept.</summary>
    public const int Size = 10;

    // A group without members that has not committed for this long is not about to.
    private const long AbandonedAfterMs = 60_000;

    private readonly Queue<(long Offset, long Lag, long TimestampMs)> _commits = new(Size + 1);
    private (long Offset, long Lag, long TimestampMs) _last;

    /// <summary>Records not yet committed, when last looked.</summary>
    public long Lag { get; private set; }

    /// <summary>Looks: takes down the commit if it is a new one.</summary>
    /// <param name="offset">The committed offset.</param>
    /// <param name="commitTimestampMs">When it was committed.</param>
    /// <param name="endOffset">The partition's end now.</param>
    public void Observe(long offset, long commitTimestampMs, long endOffset)
    {
        Lag = Math.Max(0, endOffset - offset);
        if (_commits.Count > 0 && _last.TimestampMs == commitTimestampMs && _last.Offset == offset)
            return;
        _last = (offset, Lag, commitTimestampMs);
        _commits.Enqueue(_last);
        if (_commits.Count > Size)
            _commits.Dequeue();
    }

    public LagStatus Judge(long nowMs, bool hasMembers)
    {
        if (Lag == 0 || _commits.Count == 0)
            return LagStatus.Ok;
        if (!hasMembers && nowMs - _last.TimestampMs > AbandonedAfterMs)
            return LagStatus.Stopped;
        if (_commits.Count < Size || _commits.Any(commit => commit.Lag == 0))
            return LagStatus.Ok;

        var first = _commits.Peek();
        if (nowMs - _last.TimestampMs > _last.TimestampMs - first.TimestampMs)
            return LagStatus.Stopped;
        var moved = false;
        var fell = false;
        var rose = false;
        var before = first;
        foreach (var commit in _commits.Skip(1))
        {
            moved |= commit.Offset != before.Offset;
            fell |= commit.Lag < before.Lag;
            rose |= commit.Lag > before.Lag;
            before = commit;
        }

        if (!moved && !fell)
            return LagStatus.Stalled;
        return rose && !fell ? LagStatus.Warning : LagStatus.Ok;
    }
}
