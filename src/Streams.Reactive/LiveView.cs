using Streams.Core;
using Streams.Reactive.Taps;
using Streams.Reactive.Views;

namespace Streams.Reactive;

/// <summary>
/// The rows of a queryable table as they are and as they change, for those in this process who subscribe: of every partition that is here first all rows, then
/// <see cref="ViewChangeKind.Ready"/>, then each change, in its order. No change is missing between the two and none is told twice.
/// </summary>
/// <remarks>
/// <para>
/// The task itself reads the rows, between two of its records and with its record cache flushed, and takes no record until they are all told. A subscription to a large table thus holds its tasks up
/// as long as its subscriber takes.
/// </para>
/// <para>
/// What is told includes what is not committed yet; when it is given up, <see cref="ViewChangeKind.Lost"/> says so. A view is of this instance: partitions that others have are not in it.
/// A partition that arrives tells its rows to those who subscribe already; one that leaves, and every one when the application closes, ends with <see cref="ViewChangeKind.Lost"/>.
/// </para>
/// <para>Subscriptions complete and fail as those of a <see cref="StreamTap{K, V}"/> do. Thread-safe.</para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class LiveView<K, V>
{
    private readonly ViewHub<K, V> _hub;
    private readonly ViewOptions _options;

    internal LiveView(ViewHub<K, V> hub, ViewOptions options)
    {
        _hub = hub;
        _options = options;
    }

    /// <summary>Subscriptions at the moment.</summary>
    public int Subscriptions => _hub.Outlet.SubscriptionCount;

    /// <summary>Subscribers so far that threw and were unsubscribed.</summary>
    public long FailedSubscribers => _hub.Outlet.Failed;

    /// <summary>The whole table, pushed.</summary>
    public IObservable<ViewChange<K, V>> ToObservable() => Observe(default);

    /// <summary>
    /// One row, pushed: <see cref="ViewChangeKind.Row"/> if it is there, <see cref="ViewChangeKind.Ready"/> for each partition, then its changes. Keys are compared by
    /// <see cref="EqualityComparer{T}.Default"/>, which arrays do not suit.
    /// </summary>
    /// <param name="key">Its key.</param>
    public IObservable<ViewChange<K, V>> ToObservable(K key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Observe(new Optional<K>(key));
    }

    /// <summary>The whole table, pulled: each loop over the sequence subscribes when it begins and unsubscribes when it is left.</summary>
    public IAsyncEnumerable<ViewChange<K, V>> ToAsyncEnumerable() => new Sequence<ViewChange<K, V>>(() => OpenReader(default));

    /// <summary>One row, pulled.</summary>
    /// <param name="key">Its key.</param>
    public IAsyncEnumerable<ViewChange<K, V>> ToAsyncEnumerable(K key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new Sequence<ViewChange<K, V>>(() => OpenReader(new Optional<K>(key)));
    }

    /// <summary>Subscribes to the whole table now, to read later. Dispose it: one that is forgotten holds the table's tasks up.</summary>
    public TapReader<ViewChange<K, V>> OpenReader() => OpenReader(default);

    private Observed<ViewChange<K, V>> Observe(Optional<K> key) => new(observer =>
    {
        var subscription = new ObserverSubscription<ViewChange<K, V>>(_hub.Outlet, _options.Capacity, TapOverflow.Wait, observer, _options.Scheduler);
        _hub.Add(subscription, key);
        return subscription;
    });

    private TapReader<ViewChange<K, V>> OpenReader(Optional<K> key)
    {
        var subscription = new ReaderSubscription<ViewChange<K, V>>(_hub.Outlet, _options.Capacity, TapOverflow.Wait);
        _hub.Add(subscription, key);
        return new TapReader<ViewChange<K, V>>(subscription);
    }
}
