using System.Diagnostics.CodeAnalysis;
using Streams.Reactive.Taps;

namespace Streams.Reactive;

/// <summary>A subscription that is read at the reader's own pace. Subscribed from its making until it is disposed; for one reader.</summary>
/// <typeparam name="T">What is read.</typeparam>
public sealed class TapReader<T> : IAsyncEnumerable<T>, IDisposable
{
    private readonly ReaderSubscription<T> _subscription;

    internal TapReader(Outlet<T> outlet, int capacity, TapOverflow overflow)
    {
        _subscription = new ReaderSubscription<T>(outlet, capacity, overflow);
        outlet.Add(_subscription);
    }

    internal TapReader(ReaderSubscription<T> subscription) => _subscription = subscription;

    /// <summary>Items that wait to be read.</summary>
    public int Count => _subscription.Outlet.Locked(() => _subscription.Queue.Count);

    /// <summary>Items left out so far because the buffer was full; always 0 with <see cref="TapOverflow.Wait"/>.</summary>
    public long DroppedRecords => _subscription.Dropped;

    /// <summary>Reads the next item if there is one; false when there is none now or ever: <see cref="WaitToReadAsync"/> tells which.</summary>
    public bool TryRead([MaybeNullWhen(false)] out T item) => _subscription.Outlet.TryTake(_subscription, out item, out _) == TakeResult.Item;

    /// <summary>Waits for an item.</summary>
    /// <returns>False when there will be none any more: the application was closed, or the reader disposed.</returns>
    /// <exception cref="Exception">The error that ended the application.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (hasItem, hasEnded, failure, news) = _subscription.Outlet.Locked(Look);
            if (hasItem) return true;
            if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
            if (hasEnded) return false;
            await news!.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads to the end, and disposes the reader then, or when the loop is left.</summary>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) => new Enumerator(this, cancellationToken);

    /// <summary>Unsubscribes; what is buffered is given up.</summary>
    public void Dispose() => _subscription.Dispose();

    private (bool HasItem, bool HasEnded, Exception? Failure, Task? News) Look()
    {
        if (_subscription.Queue.Count > 0) return (true, false, null, null);
        return _subscription.Take(out _, out var failure) == TakeResult.Empty ? (false, false, null, _subscription.NextNews()) : (false, true, failure, null);
    }

    // Not an async iterator: one that is disposed before its first step runs no code, and so would stay subscribed.
    private sealed class Enumerator(TapReader<T> reader, CancellationToken cancellationToken) : IAsyncEnumerator<T>
    {
        private T? _current;

        public T Current => _current!;

        public ValueTask<bool> MoveNextAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            return reader.TryRead(out _current) ? new ValueTask<bool>(true) : WaitAsync();
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            return ValueTask.CompletedTask;
        }

        private async ValueTask<bool> WaitAsync()
        {
            while (await reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (reader.TryRead(out _current)) return true;
            }

            return false;
        }
    }
}
