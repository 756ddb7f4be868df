namespace Streams.Core;

/// <summary>A node that has calls under way outside the task's thread.</summary>
internal interface IAsyncNode
{
    /// <summary>Calls that have not been taken in yet: running, waiting to run, or done.</summary>
    int Pending { get; }

    /// <summary>Takes in what is done and starts what may start; called by the task's thread.</summary>
    /// <returns>Number of calls taken in.</returns>
    int Drain();
}

/// <summary>
/// The asynchronous calls of one task. Their results come back to the task's thread, which is where everything else of the task happens too.
/// </summary>
/// <remarks>
/// A commit waits until no call is pending, so that offsets and transactions never pass a record whose call has not ended. The wait is bounded by
/// the calls' own time-outs and retries.
/// </remarks>
internal sealed class AsyncCalls
{
    private readonly List<IAsyncNode> _nodes = [];
    private readonly object _gate = new();
    private readonly Action _wake;
    private bool _somethingIsDone;
    private int _isSignalled;

    /// <param name="wake">Ends the thread's wait for records.</param>
    /// <param name="waits">Whether the thread may wait for calls. Not in the test driver, whose clock only the test moves.</param>
    public AsyncCalls(Action wake, bool waits)
    {
        _wake = wake;
        Waits = waits;
    }

    public bool Waits { get; }

    public int Pending
    {
        get
        {
            var pending = 0;
            foreach (var node in _nodes) pending += node.Pending;
            return pending;
        }
    }

    public void Add(IAsyncNode node) => _nodes.Add(node);

    /// <summary>Says that a call is done; from any thread.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            _somethingIsDone = true;
            Monitor.Pulse(_gate);
        }

        // Thousands of calls may end between two looks of the thread: it is woken once.
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0) _wake();
    }

    /// <summary>Takes in what is done. Parents come before children, so what they send on is started at once.</summary>
    public int Drain()
    {
        if (_nodes.Count == 0) return 0;
        Volatile.Write(ref _isSignalled, 0);
        var drained = 0;
        foreach (var node in _nodes) drained += node.Drain();
        return drained;
    }

    /// <summary>Waits until a call is done. Callers look again in any case, and so does nobody miss one that ended in between.</summary>
    public void WaitForAny(Func<bool> isDone)
    {
        Forget();
        if (!isDone()) Wait();
    }

    /// <summary>Waits until no call is pending, taking results in as they come.</summary>
    /// <param name="drain">Takes in what is done, with whatever the task needs around that.</param>
    public void Finish(Func<int> drain)
    {
        while (Pending > 0)
        {
            if (drain() > 0) continue;
            if (!Waits) throw new InvalidOperationException($"{Pending} asynchronous call(s) are pending, and the test driver does not wait.");
            Forget();
            if (drain() == 0 && Pending > 0) Wait();
        }
    }

    private void Forget()
    {
        lock (_gate) _somethingIsDone = false;
    }

    private void Wait()
    {
        lock (_gate)
        {
            while (!_somethingIsDone) Monitor.Wait(_gate);
        }
    }
}
