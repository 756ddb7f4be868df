using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core;
using Log = Streams.Reactive.Diagnostics.Log;

namespace Streams.Reactive.Taps;

/// <summary>
/// Where the tasks of a topology meet those who subscribe to what they send out: holds the subscriptions and their buffers, and knows whether the tasks have to wait.
/// </summary>
/// <remarks>
/// One lock guards everything here and in the buffers; nobody's code is called under it. Tasks ask <see cref="IsPaused"/> before each record, which is a field. Tasks are held up from
/// the moment a waiting subscriber's buffer is full until half of it is free, so they are not woken for every record that is taken.
/// </remarks>
internal sealed class Outlet<T>(string name, int capacity) : ITopologyCompanion
{
    private readonly Lock _gate = new();
    private readonly List<Action> _wakes = [];
    private Subscription<T>[] _subscriptions = [];
    private ILogger _logger = NullLogger.Instance;
    private volatile bool _isPaused;
    private bool _isHeldFull;
    private int _held;
    private int _runs;
    private bool _isDriver;
    private bool _hasEnded;
    private Exception? _failure;
    private long _dropped;
    private long _failed;

    /// <summary>Whether tasks are to take no further record.</summary>
    public bool IsPaused => _isPaused;

    public int SubscriptionCount
    {
        get
        {
            lock (_gate) return _subscriptions.Length;
        }
    }

    /// <summary>Records left out of buffers that were full, over all subscriptions so far.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Subscribers that threw so far.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Items that wait: the most of any subscription, and those that wait for a commit.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _held + (_subscriptions.Length == 0 ? 0 : _subscriptions.Max(static each => each.Queue.Count));
        }
    }

    public void Add(Subscription<T> subscription)
    {
        lock (_gate)
        {
            if (_hasEnded) subscription.End(_failure);
            else _subscriptions = [.. _subscriptions, subscription];
        }

        subscription.Kick(inline: false);
    }

    public void Remove(Subscription<T> subscription)
    {
        Action[] wakes;
        lock (_gate)
        {
            subscription.IsDisposed = true;
            subscription.Queue.Clear();
            subscription.IsPausing = false;
            _subscriptions = [.. _subscriptions.Where(other => other != subscription)];
            wakes = UpdatePause();
        }

        Wake(wakes);
    }

    public void AddTask(Action wake)
    {
        lock (_gate) _wakes.Add(wake);
    }

    public void RemoveTask(Action wake)
    {
        lock (_gate) _wakes.Remove(wake);
    }

    /// <summary>Gives an item to all subscriptions.</summary>
    /// <param name="item">The item.</param>
    /// <param name="inline">Whether observers are called before this returns.</param>
    public void Publish(in T item, bool inline)
    {
        Subscription<T>[] receivers;
        lock (_gate)
        {
            receivers = _subscriptions;
            foreach (var subscription in receivers) Append(subscription, in item);
            UpdatePause();
        }

        foreach (var subscription in receivers) subscription.Kick(inline);
    }

    /// <summary>Gives an item to one subscription.</summary>
    public void PublishTo(Subscription<T> subscription, in T item, bool inline)
    {
        lock (_gate)
        {
            if (subscription.IsOver) return;
            Append(subscription, in item);
            UpdatePause();
        }

        subscription.Kick(inline);
    }

    /// <summary>Counts an item that waits for a commit; false when nobody subscribes, so that it need not wait.</summary>
    public bool TryHold()
    {
        lock (_gate)
        {
            if (_subscriptions.Length == 0) return false;
            _held++;
            foreach (var subscription in _subscriptions) UpdatePausing(subscription);
            UpdatePause();
            return true;
        }
    }

    /// <summary>Gives items that have waited for their commit to all subscriptions.</summary>
    public void Release(List<T> held, bool inline)
    {
        Action[] wakes;
        Subscription<T>[] receivers;
        lock (_gate)
        {
            receivers = _subscriptions;
            _held -= held.Count;
            foreach (var subscription in receivers)
            {
                foreach (var item in held) Append(subscription, in item);
            }

            wakes = UpdatePause();
        }

        foreach (var subscription in receivers) subscription.Kick(inline);
        Wake(wakes);
    }

    /// <summary>Forgets items whose commit will not come.</summary>
    public void Discard(int held)
    {
        if (held == 0) return;
        Action[] wakes;
        lock (_gate)
        {
            _held -= held;
            foreach (var subscription in _subscriptions) UpdatePausing(subscription);
            wakes = UpdatePause();
        }

        Wake(wakes);
    }

    /// <summary>Takes the next item of a subscription, or its end.</summary>
    public TakeResult TryTake(Subscription<T> subscription, [MaybeNull] out T item, out Exception? failure)
    {
        Action[] wakes;
        TakeResult result;
        lock (_gate)
        {
            result = subscription.Take(out item, out failure);
            if (result != TakeResult.Item) return result;
            UpdatePausing(subscription);
            wakes = UpdatePause();
        }

        Wake(wakes);
        return result;
    }

    /// <summary>Runs something under the lock.</summary>
    public TResult Locked<TResult>(Func<TResult> look)
    {
        lock (_gate) return look();
    }

    /// <summary>Notes that a subscriber threw. It has been unsubscribed; everybody else goes on.</summary>
    public void ReportFailed(Exception failure)
    {
        Interlocked.Increment(ref _failed);
        Log.SubscriberFailed(_logger, name, failure);
    }

    public ICompanionRun Start(CompanionSettings application)
    {
        lock (_gate)
        {
            _logger = application.Logger;
            _isDriver = application.Cluster is null;
            _runs++;
            _hasEnded = false;
            _failure = null;
        }

        return new Run(this);
    }

    public void NeverStarts() => End(null, isLast: Locked(() => _runs == 0));

    private void End(Exception? failure, bool isLast)
    {
        Subscription<T>[] receivers = [];
        Action[] wakes;
        lock (_gate)
        {
            if (isLast)
            {
                _hasEnded = true;
                _failure = failure;
            }

            if (isLast || failure is not null)
            {
                receivers = _subscriptions;
                _subscriptions = [];
                foreach (var subscription in receivers) subscription.End(failure);
            }

            wakes = UpdatePause();
        }

        foreach (var subscription in receivers) subscription.Kick(inline: _isDriver);
        Wake(wakes);
    }

    private void Append(Subscription<T> subscription, in T item)
    {
        if (!subscription.Append(in item)) Interlocked.Increment(ref _dropped);
        UpdatePausing(subscription);
    }

    private void UpdatePausing(Subscription<T> subscription)
    {
        if (subscription.Overflow != TapOverflow.Wait || subscription.IsDisposed) return;
        var waiting = subscription.Queue.Count + _held;
        subscription.IsPausing = subscription.IsPausing ? waiting > subscription.Capacity / 2 : waiting >= subscription.Capacity;
    }

    private Action[] UpdatePause()
    {
        // Whoever subscribes, what waits for a commit is bounded.
        _isHeldFull = _isHeldFull ? _held > capacity / 2 : _held >= capacity;
        var pauses = _isHeldFull;
        foreach (var subscription in _subscriptions) pauses |= subscription.IsPausing;
        var wasPaused = _isPaused;
        _isPaused = pauses;
        return wasPaused && !pauses ? [.. _wakes] : [];
    }

    private static void Wake(Action[] wakes)
    {
        foreach (var wake in wakes) wake();
    }

    private sealed class Run(Outlet<T> outlet) : ICompanionRun
    {
        public Task EndAsync(Exception? failure)
        {
            outlet.End(failure, isLast: outlet.Locked(() => --outlet._runs == 0));
            return Task.CompletedTask;
        }
    }
}
