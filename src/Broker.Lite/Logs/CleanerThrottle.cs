namespace Broker.Lite.Logs;

/// <summary>Holds compaction to a number of bytes per second, read and written together, over periods of 300 ms.</summary>
internal sealed class CleanerThrottle(CleanerOptions options, TimeProvider time)
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(300);

    /// <summary>The longest wait in one piece, so that whoever closes the log does not wait for long.</summary>
    private static readonly TimeSpan _maxWait = TimeSpan.FromMilliseconds(100);

    private long _periodStart = time.GetTimestamp();
    private double _bytes;

    /// <summary>Counts bytes, and waits when there were too many. Ends early when <paramref name="isStopping"/> says so.</summary>
    public void Count(long bytes, Func<bool> isStopping, CancellationToken stopping)
    {
        _bytes += bytes;
        if (options.MaxBytesPerSecond >= double.MaxValue)
            return;
        TimeSpan elapsed = time.GetElapsedTime(_periodStart);
        if (elapsed < _period && _bytes < options.MaxBytesPerSecond * _period.TotalSeconds)
            return;
        double seconds = Math.Min((_bytes / options.MaxBytesPerSecond) - elapsed.TotalSeconds, TimeSpan.FromDays(1).TotalSeconds);
        for (TimeSpan left = TimeSpan.FromSeconds(Math.Max(seconds, 0)); left > TimeSpan.Zero && !isStopping(); left -= _maxWait)
            options.Wait(left < _maxWait ? left : _maxWait, stopping);
        _periodStart = time.GetTimestamp();
        _bytes = 0;
    }
}
