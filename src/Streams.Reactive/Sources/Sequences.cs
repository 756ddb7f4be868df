using System.Reactive.Disposables;
using System.Threading.Channels;

namespace Streams.Reactive.Sources;

/// <summary>What a channel holds, for several loops that share it.</summary>
internal sealed class ChannelSequence<T>(ChannelReader<T> channel) : IAsyncEnumerable<T>
{
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) => channel.ReadAllAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
}

/// <summary>What an observable gives, from the beginning of a loop to its end.</summary>
internal sealed class ObservableSequence<T>(IObservable<T> items, int capacity, TapOverflow overflow, Action onDropped) : IAsyncEnumerable<T>
{
    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        var options = new BoundedChannelOptions(capacity)
        {
            SingleReader = true,
            FullMode = overflow switch
            {
                TapOverflow.DropOldest => BoundedChannelFullMode.DropOldest,
                TapOverflow.DropNewest => BoundedChannelFullMode.DropWrite,
                _ => BoundedChannelFullMode.Wait,
            },
        };
        var channel = Channel.CreateBounded<T>(options, _ => onDropped());
        using var subscription = new SingleAssignmentDisposable();
        var writer = new Writer(channel.Writer);

        // Many observables give all they have before Subscribe returns, and wait meanwhile for somebody who reads.
        _ = Task.Factory.StartNew(() => writer.SubscribeTo(items, subscription), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await foreach (var item in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return item;
        }
        finally
        {
            // Lets a call go that waits for room.
            channel.Writer.TryComplete();
        }
    }

    private sealed class Writer(ChannelWriter<T> channel) : IObserver<T>
    {
        private int _subscribingThread;

        public void SubscribeTo(IObservable<T> items, SingleAssignmentDisposable subscription)
        {
            Volatile.Write(ref _subscribingThread, Environment.CurrentManagedThreadId);
            try
            {
                subscription.Disposable = items.Subscribe(this);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                // Where nobody reads any more this is our own way out of an observable that does not end.
                channel.TryComplete(failure);
            }
            finally
            {
                Volatile.Write(ref _subscribingThread, 0);
            }
        }

        public void OnNext(T value)
        {
            while (!channel.TryWrite(value))
            {
                // A push cannot be answered later: the caller waits, which is what back-pressure on an observable is. False: nobody reads any more.
                if (channel.WaitToWriteAsync().AsTask().GetAwaiter().GetResult()) continue;
                if (Volatile.Read(ref _subscribingThread) == Environment.CurrentManagedThreadId) throw new OperationCanceledException();
                return;
            }
        }

        public void OnError(Exception error) => channel.TryComplete(error);

        public void OnCompleted() => channel.TryComplete();
    }
}
