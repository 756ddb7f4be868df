using Streams.Core;
using Streams.Reactive.Taps;

namespace Streams.Reactive;

/// <summary>
/// The records of a stream, as they pass, for those in this process who subscribe. Made with the topology, so that subscribers can be there before the application starts; records that pass while
/// nobody subscribes are not kept.
/// </summary>
/// <remarks>
/// <para>
/// Each subscription has a buffer of its own and sees the records of one partition in their order; partitions mix as they are processed. An instance sees the partitions that it
/// has: after a rebalance those are others, and nobody is told.
/// </para>
/// <para>
/// A tap is a window, not a queue: what has been committed and waits in a buffer is gone when the process dies. What must arrive goes to a topic, or through <c>ForEachAsync</c>, for which commits wait.
/// </para>
/// <para>
/// Subscriptions complete, after what is buffered, when the application has closed (the last one, if several run the topology), and end with the error that ended it otherwise. A subscriber that throws is unsubscribed,
/// logged and counted; everybody else goes on. Keys, values and headers are those that the topology works with: do not change them. Thread-safe.
/// </para>
/// </remarks>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public sealed class StreamTap<K, V>
{
    private readonly Outlet<Record<K, V>> _outlet;
    private readonly TapOptions _options;

    internal StreamTap(Outlet<Record<K, V>> outlet, TapOptions options)
    {
        _outlet = outlet;
        _options = options;
    }

    /// <summary>Subscriptions at the moment.</summary>
    public int Subscriptions => _outlet.SubscriptionCount;

    /// <summary>Records that wait: the most of any subscription, and those that wait for a commit.</summary>
    public int WaitingRecords => _outlet.Waiting;

    /// <summary>Records left out so far because a buffer was full, over all subscriptions.</summary>
    public long DroppedRecords => _outlet.Dropped;

    /// <summary>Subscribers so far that threw and were unsubscribed.</summary>
    public long FailedSubscribers => _outlet.Failed;

    /// <summary>
    /// The records, pushed: observers are called one record after the other on <see cref="TapOptions.Scheduler"/>, and a call that takes long lets its buffer fill.
    /// Operators behind it that buffer or change threads end the back-pressure.
    /// </summary>
    /// <param name="capacity">Buffer of each subscription; <c>null</c> for the tap's.</param>
    /// <param name="overflow">What happens when it is full; <c>null</c> for the tap's.</param>
    public IObservable<Record<K, V>> ToObservable(int? capacity = null, TapOverflow? overflow = null)
    {
        var (size, policy) = Checked(capacity, overflow);
        return new Observed<Record<K, V>>(observer =>
        {
            var subscription = new ObserverSubscription<Record<K, V>>(_outlet, size, policy, observer, _options.Scheduler);
            _outlet.Add(subscription);
            return subscription;
        });
    }

    /// <summary>The records, pulled: each loop over the sequence subscribes when it begins and unsubscribes when it is left.</summary>
    /// <param name="capacity">Buffer of each loop; <c>null</c> for the tap's.</param>
    /// <param name="overflow">What happens when it is full; <c>null</c> for the tap's.</param>
    public IAsyncEnumerable<Record<K, V>> ToAsyncEnumerable(int? capacity = null, TapOverflow? overflow = null)
    {
        Checked(capacity, overflow);
        return new Sequence<Record<K, V>>(() => OpenReader(capacity, overflow));
    }

    /// <summary>Subscribes now, to read later. Dispose it: with <see cref="TapOverflow.Wait"/>, one that is forgotten holds the topology up.</summary>
    /// <param name="capacity">Its buffer; <c>null</c> for the tap's.</param>
    /// <param name="overflow">What happens when it is full; <c>null</c> for the tap's.</param>
    public TapReader<Record<K, V>> OpenReader(int? capacity = null, TapOverflow? overflow = null)
    {
        var (size, policy) = Checked(capacity, overflow);
        return new TapReader<Record<K, V>>(_outlet, size, policy);
    }

    private (int Capacity, TapOverflow Overflow) Checked(int? capacity, TapOverflow? overflow)
    {
        if (capacity is { } size) ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(capacity));
        if (overflow is { } policy && !Enum.IsDefined(policy)) throw new ArgumentOutOfRangeException(nameof(overflow), overflow, "There is no such policy.");
        return (capacity ?? _options.Capacity, overflow ?? _options.Overflow);
    }
}
