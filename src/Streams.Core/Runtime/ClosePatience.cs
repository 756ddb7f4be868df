namespace Streams.Core;

/// <summary>
/// How long an application that closes goes on trying: three quarters of the time that its closing is waited for, less ten seconds at most, are for last commits; what is left is for
/// closing stores, and for what is only polite to the cluster. Without it a commit that a dead broker does not answer would outlive everybody who waits for it.
/// </summary>
internal sealed class ClosePatience : IDisposable
{
    private static readonly TimeSpan _mostForTheRest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _longest = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _commits;
    private readonly CancellationTokenSource _farewells;
    private long? _end;
    private bool _isDisposed;

    public ClosePatience(TimeProvider time)
    {
        _time = time;
        _commits = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _farewells = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        Commits = _commits.Token;
        Farewells = _farewells.Token;
    }

    /// <summary>Cancelled when what is not committed is given up: the tasks go back to their last commit, and whoever runs them next goes on from there.</summary>
    public CancellationToken Commits { get; }

    /// <summary>Cancelled shortly before nobody waits any more: transactions are left to their time-out, the group to the session's.</summary>
    public CancellationToken Farewells { get; }

    /// <summary>Somebody waits for the end, so long. Of several the most impatient one counts.</summary>
    /// <param name="timeout"><see cref="Timeout.InfiniteTimeSpan"/>, or more than a day, for as long as it takes.</param>
    public void EndIn(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan || timeout > _longest) return;
        lock (_gate)
        {
            var end = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
            if (_isDisposed || end >= _end) return;
            _end = end;
            var rest = timeout / 4 < _mostForTheRest ? timeout / 4 : _mostForTheRest;
            _commits.CancelAfter(timeout - rest);
            _farewells.CancelAfter(timeout - (rest / 3));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            _commits.Dispose();
            _farewells.Dispose();
        }
    }
}
