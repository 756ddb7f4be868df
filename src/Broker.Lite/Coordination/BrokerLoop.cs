using System.Collections.Concurrent;
using Broker.Lite.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// The one owner of metadata and group state: work items run strictly one after the other, in the order they were posted, so that what
/// they touch needs no locks.
/// </summary>
/// <remarks>
/// There is no dedicated thread. Whoever posts to an idle loop runs the item itself, and anything posted meanwhile, up to
/// <see cref="MaxItemsPerTurn"/>; the rest moves to the thread pool. A lone caller in the same process therefore gets its answer
/// synchronously, which makes embedded tests deterministic, and a busy loop costs one interlocked increment per item. An item never runs
/// inside another one. The queue is bounded by its callers: a connection has one request in progress, and timers and signals post at most
/// one item each.
/// </remarks>
internal sealed class BrokerLoop(ILogger logger)
{
    private const int MaxItemsPerTurn = 256;

    private readonly ConcurrentQueue<Action> _items = new();
    private int _pending;
    private Action? _beforeEach;

    /// <summary>
    /// Something to run on the loop before each item: what was due before the item was posted then has happened when the item looks. Set
    /// once, before the first item.
    /// </summary>
    public void BeforeEach(Action action) => _beforeEach = action;

    /// <summary>Queues an item; it may run before this returns. An exception of the item is logged and ends only the item.</summary>
    public void Post(Action item)
    {
        _items.Enqueue(item);
        if (Interlocked.Increment(ref _pending) == 1)
            Drain();
    }

    /// <summary>Runs a function on the loop and returns its result or exception.</summary>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                completion.SetResult(function());
            }
            catch (Exception e)
            {
                completion.SetException(e);
            }
        });
        return completion.Task;
    }

    /// <summary>Runs an action on the loop and completes when it has run.</summary>
    public Task InvokeAsync(Action action) => InvokeAsync(() =>
    {
        action();
        return true;
    });

    private void Drain()
    {
        for (var run = 0; ; run++)
        {
            if (run == MaxItemsPerTurn)
            {
                // The caller's own work must not wait behind an endless stream of other callers' items.
                ThreadPool.UnsafeQueueUserWorkItem(static loop => loop.Drain(), this, preferLocal: false);
                return;
            }

            // The count was incremented after the enqueue, so an item is there whenever the count says so.
            _items.TryDequeue(out var item);
            if (_beforeEach is { } before)
                Run(before);
            Run(item!);

            if (Interlocked.Decrement(ref _pending) == 0)
                return;
        }
    }

    private void Run(Action item)
    {
        try
        {
            item();
        }
        catch (Exception e)
        {
            Log.LoopItemFailed(logger, e);
        }
    }
}
