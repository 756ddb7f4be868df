namespace Streams.Reactive.Taps;

/// <summary>An observable made of a function.</summary>
internal sealed class Observed<T>(Func<IObserver<T>, IDisposable> subscribe) : IObservable<T>
{
    public IDisposable Subscribe(IObserver<T> observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        return subscribe(observer);
    }
}

/// <summary>A sequence that subscribes anew for each loop over it.</summary>
internal sealed class Sequence<T>(Func<TapReader<T>> open) : IAsyncEnumerable<T>
{
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) => open().GetAsyncEnumerator(cancellationToken);
}
