namespace Streams.Core;

/// <summary>
/// Lets other threads read the stores of a task between two of its records. The thread that has the task holds the gate while it works, and makes way as soon as
/// somebody waits: a reader waits for one record at most, and the owner for the one call of a reader.
/// </summary>
/// <remarks>
/// Costs the owner one read of a number per record. What a reader sees is never the middle of a record. Why not a lock per store operation: docs/adr/0033.
/// </remarks>
internal sealed class StoreGate
{
    private const int GraceSpins = 40;

    /// <summary>How long a reader waits for a record to be done before it gives up: user code may hang, or wait for that very reader.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private int _waiting;
    private bool _closed;

    /// <summary>Whether somebody waits.</summary>
    public bool IsWanted => Volatile.Read(ref _waiting) != 0;

    /// <summary>Enters as the one who has the task. Dispose the scope.</summary>
    public Scope EnterAsOwner()
    {
        _lock.Enter();
        return new Scope(_lock);
    }

    /// <summary>Enters as a reader. Dispose the scope.</summary>
    /// <exception cref="StateStoreMigratedException">The store is closed.</exception>
    /// <exception cref="StateStoreNotAvailableException">The task was busy with one record for too long.</exception>
    public Scope Enter()
    {
        if (!_lock.TryEnter()) Wait();
        if (!_closed) return new Scope(_lock);
        _lock.Exit();
        throw new StateStoreMigratedException("The store was closed: its task has moved, or the application is closing. Ask where it is now.");
    }

    /// <summary>Enters as somebody who wants to know something of the task but not from its stores, which may be closed. Dispose the scope.</summary>
    public Scope EnterAsVisitor()
    {
        if (!_lock.TryEnter()) Wait();
        return new Scope(_lock);
    }

    /// <summary>Lets those who wait have their turn. Only inside <see cref="EnterAsOwner"/>, entered once.</summary>
    public void Yield()
    {
        _lock.Exit();

        // The lock is not fair: without a moment's grace the owner would have it again before a reader is awake.
        var spin = new SpinWait();
        while (IsWanted && spin.Count < GraceSpins) spin.SpinOnce(sleep1Threshold: -1);
        _lock.Enter();
    }

    /// <summary>There is nothing to read any more.</summary>
    public void Close() => _closed = true;

    private void Wait()
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            if (!_lock.TryEnter(_patience))
                throw new StateStoreNotAvailableException($"The store could not be read for {_patience.TotalSeconds} s, because its task was busy with one record: does user code wait for this query?");
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>A stay inside; leave by disposing it.</summary>
    public readonly ref struct Scope(Lock held)
    {
        public void Dispose() => held.Exit();
    }
}
