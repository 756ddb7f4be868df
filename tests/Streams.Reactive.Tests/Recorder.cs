namespace Streams.Reactive.Tests;

/// <summary>Keeps what an observer is told, as a marble diagram in words.</summary>
internal sealed class Recorder<T> : IObserver<T>
{
    private readonly List<T> _items = [];
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was told so far.</summary>
    public IReadOnlyList<T> Items
    {
        get
        {
            lock (_items) return [.. _items];
        }
    }

    public bool IsCompleted => _end.Task.IsCompletedSuccessfully;

    public Exception? Failure { get; private set; }

    /// <summary>Runs before an item is kept.</summary>
    public Action<T> OnItem { get; init; } = static _ => { };

    /// <summary>Completes with the end of either kind.</summary>
    public Task End => _end.Task;

    public void OnNext(T value)
    {
        OnItem(value);
        lock (_items) _items.Add(value);
    }

    public void OnError(Exception error)
    {
        Failure = error;
        _end.TrySetException(error);
    }

    public void OnCompleted() => _end.TrySetResult();
}
