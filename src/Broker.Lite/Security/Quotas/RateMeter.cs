namespace Broker.Lite.Security.Quotas;

/// <summary>
/// How much was used over the last windows (Kafka: <c>Rate</c> over <c>quota.window.num</c> windows of
/// <c>quota.window.size.seconds</c>). Not thread-safe: its owner locks.
/// </summary>
internal sealed class RateMeter(int windows, TimeSpan window)
{
    private readonly double[] _used = new double[windows];
    private long _current;

    /// <summary>Counts, and says how long the client has to wait until its rate is within the limit again; zero if it is.</summary>
    /// <param name="now">Time since any fixed moment.</param>
    /// <param name="amount">What was used now.</param>
    /// <param name="limitPerSecond">What may be used per second.</param>
    public TimeSpan Record(TimeSpan now, double amount, double limitPerSecond)
    {
        Advance(now);
        _used[_current % windows] += amount;
        var total = 0.0;
        foreach (var used in _used)
            total += used;
        // Averaged over all windows, the unfinished one as far as it has gone: a burst after silence is not a steady rate.
        var elapsed = Math.Max((window * (windows - 1) + (now - window * _current)).TotalSeconds, window.TotalSeconds);
        var excess = total / elapsed - limitPerSecond;
        if (excess <= 0)
            return TimeSpan.Zero;
        // After this much silence the same total is spread thin enough; past all windows it is forgotten anyway.
        return TimeSpan.FromSeconds(Math.Min(excess / limitPerSecond * elapsed, (window * windows).TotalSeconds));
    }

    /// <summary>Whether nothing it counted matters any more.</summary>
    public bool IsIdle(TimeSpan now) => IndexOf(now) - _current >= windows;

    private long IndexOf(TimeSpan now) => (long)(now / window);

    private void Advance(TimeSpan now)
    {
        var index = IndexOf(now);
        for (var passed = Math.Min(index - _current, windows); passed > 0; passed--)
            _used[(index - passed + 1) % windows] = 0;
        _current = Math.Max(index, _current);
    }
}
