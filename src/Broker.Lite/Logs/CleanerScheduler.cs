namespace Broker.Lite.Logs;

/// <summary>
/// Compacts logs in the background, one after the other, on a thread of its own that exists only while there is something to do. Under another clock
/// than the system's it works where that clock's timers run, so that what happens under virtual time is determined.
/// </summary>
internal sealed class CleanerScheduler : IDisposable
{
    private readonly LogStore _logs;
    private readonly Func<CleanerOptions?> _options;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly bool _isVirtual;
    private Task _running = Task.CompletedTask;

    /// <summary>Starts looking at the logs every <paramref name="interval"/>. Options of null mean that nothing is compacted now.</summary>
    public CleanerScheduler(LogStore logs, Func<CleanerOptions?> options, TimeSpan interval, TimeProvider time)
    {
        _logs = logs;
        _options = options;
        _isVirtual = time != TimeProvider.System;
        _timer = time.CreateTimer(_ => Look(), null, interval, interval);
    }

    /// <summary>Stops, and waits until a compaction under way has noticed.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _stopping.Cancel();
        Task running;
        lock (_gate)
            running = _running;
        running.GetAwaiter().GetResult();
    }

    private void Look()
    {
        lock (_gate)
        {
            if (!_running.IsCompleted || _stopping.IsCancellationRequested || _options() is not { } options || !_logs.IsCleaningDue())
                return;
            if (_isVirtual)
                _logs.RunCleaning(options, _stopping.Token);
            else
                _running = Task.Factory.StartNew(() => _logs.RunCleaning(options, _stopping.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }
}
