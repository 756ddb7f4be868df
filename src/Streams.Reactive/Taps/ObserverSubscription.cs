using System.Reactive.Concurrency;
using System.Reactive.Disposables;

namespace Streams.Reactive.Taps;

/// <summary>Calls an observer, one item after the other, on a scheduler, the thread pool, or the thread of the test driver.</summary>
internal sealed class ObserverSubscription<T>(Outlet<T> outlet, int capacity, TapOverflow overflow, IObserver<T> observer, IScheduler? scheduler)
    : Subscription<T>(outlet, capacity, overflow), IDisposable, IThreadPoolWorkItem
{
    private bool _isScheduled;
    private int _needsKick;

    public void Dispose() => Outlet.Remove(this);

    public void Execute() => Run(isInline: false);

    public override void Kick(bool inline)
    {
        if (Interlocked.Exchange(ref _needsKick, 0) == 0) return;
        if (scheduler is null)
        {
            if (inline) Run(isInline: true);
            else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }

        try
        {
            scheduler.Schedule(this, static (_, self) =>
            {
                self.Run(isInline: false);
                return Disposable.Empty;
            });
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // A scheduler that has been disposed is the subscriber's fault, and not the topology's.
            Fail(failure);
        }
    }

    protected override void OnNews()
    {
        if (_isScheduled) return;
        _isScheduled = true;
        Volatile.Write(ref _needsKick, 1);
    }

    protected override void OnEmpty() => _isScheduled = false;

    private void Run(bool isInline)
    {
        try
        {
            while (true)
            {
                switch (Outlet.TryTake(this, out var item, out var failure))
                {
                    case TakeResult.Item:
                        observer.OnNext(item!);
                        break;
                    case TakeResult.Ended:
                        Outlet.Remove(this);
                        isInline = false;
                        if (failure is null) observer.OnCompleted();
                        else observer.OnError(failure);
                        return;
                    default:
                        return;
                }
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Fail(failure);

            // In the test driver an assertion is to fail the test; at the end, which is a disposal, there is nobody to tell.
            if (isInline) throw;
        }
    }

    private void Fail(Exception failure)
    {
        Outlet.Remove(this);
        Outlet.ReportFailed(failure);
    }
}
