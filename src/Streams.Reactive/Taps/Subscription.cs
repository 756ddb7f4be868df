using System.Diagnostics.CodeAnalysis;

namespace Streams.Reactive.Taps;

/// <summary>What <see cref="Subscription{T}.Take"/> found.</summary>
internal enum TakeResult
{
    /// <summary>An item.</summary>
    Item,

    /// <summary>Nothing yet.</summary>
    Empty,

    /// <summary>The end; nothing follows.</summary>
    Ended,

    /// <summary>Nothing, because it has been unsubscribed.</summary>
    Disposed,
}

/// <summary>One subscriber's buffer. All members but <see cref="Kick"/> belong to the outlet, under its lock.</summary>
internal abstract class Subscription<T>(Outlet<T> outlet, int capacity, TapOverflow overflow)
{
    private bool _hasEnded;
    private Exception? _failure;
    private long _dropped;

    public Outlet<T> Outlet { get; } = outlet;

    public int Capacity { get; } = capacity;

    public TapOverflow Overflow { get; } = overflow;

    public Queue<T> Queue { get; } = new();

    /// <summary>Whether it holds the tasks up.</summary>
    public bool IsPausing { get; set; }

    public bool IsDisposed { get; set; }

    /// <summary>Whether nothing more is to be given to it: it has been unsubscribed, or has been told the end.</summary>
    public bool IsOver => IsDisposed || _hasEnded;

    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Buffers an item; false when that meant to leave one out.</summary>
    public bool Append(in T item)
    {
        var isFull = Overflow != TapOverflow.Wait && Queue.Count >= Capacity;
        if (isFull) Interlocked.Increment(ref _dropped);
        if (!isFull || Overflow == TapOverflow.DropOldest)
        {
            if (isFull) Queue.Dequeue();
            Queue.Enqueue(item);
        }

        OnNews();
        return !isFull;
    }

    /// <summary>The end follows what is buffered.</summary>
    public void End(Exception? failure)
    {
        _hasEnded = true;
        _failure = failure;
        IsPausing = false;
        OnNews();
    }

    public TakeResult Take([MaybeNull] out T item, out Exception? failure)
    {
        item = default;
        failure = null;
        if (IsDisposed) return TakeResult.Disposed;
        if (Queue.TryDequeue(out item)) return TakeResult.Item;
        if (!_hasEnded)
        {
            OnEmpty();
            return TakeResult.Empty;
        }

        failure = _failure;
        return TakeResult.Ended;
    }

    /// <summary>Tells the subscriber of news, if it is to be told; after the lock has been left.</summary>
    public abstract void Kick(bool inline);

    /// <summary>Something was appended, or the end.</summary>
    protected abstract void OnNews();

    /// <summary>The subscriber has found nothing.</summary>
    protected abstract void OnEmpty();
}
