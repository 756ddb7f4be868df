namespace Streams.Reactive.Taps;

/// <summary>Waits for somebody to take items.</summary>
internal sealed class ReaderSubscription<T>(Outlet<T> outlet, int capacity, TapOverflow overflow) : Subscription<T>(outlet, capacity, overflow)
{
    private TaskCompletionSource? _news;

    /// <summary>Completes with the next news; <c>null</c> when there are some already. Under the outlet's lock.</summary>
    public Task? NextNews()
    {
        if (Queue.Count > 0 || IsDisposed) return null;
        _news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _news.Task;
    }

    /// <summary>Ends the wait of a reader that has been disposed.</summary>
    public void Dispose()
    {
        Outlet.Remove(this);
        Outlet.Locked(() =>
        {
            OnNews();
            return true;
        });
    }

    // Told already: what waits goes on elsewhere, so that telling under the lock is safe.
    public override void Kick(bool inline)
    {
    }

    protected override void OnNews()
    {
        _news?.TrySetResult();
        _news = null;
    }

    protected override void OnEmpty()
    {
    }
}
