namespace Streams.State.Shared;

/// <summary>A view of a store that several threads use: every call holds the store's lock. Used for global stores only; a task's own stores have one thread and no lock.</summary>
/// <param name="store">The store.</param>
/// <param name="gate">Its lock, shared by all its views.</param>
/// <param name="writable">Whether this is the view of the one who writes.</param>
internal abstract class SharedStore(IStateStore store, Lock gate, bool writable) : IStateStore
{
    public string Name => store.Name;

    public bool IsPersistent => store.IsPersistent;

    public long? ChangelogOffset
    {
        get
        {
            lock (gate) return store.ChangelogOffset;
        }
    }

    public bool HoldsWrites
    {
        get
        {
            lock (gate) return store.HoldsWrites;
        }
    }

    public long UncommittedBytes
    {
        get
        {
            lock (gate) return store.UncommittedBytes;
        }
    }

    public void Init(IStateStoreContext context)
    {
        ThrowIfReadOnly();
        lock (gate) store.Init(context);
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ThrowIfReadOnly();
        lock (gate) store.Restore(batch, from, to);
    }

    public void Flush()
    {
        ThrowIfReadOnly();
        lock (gate) store.Flush();
    }

    public void Commit(long? changelogOffset)
    {
        ThrowIfReadOnly();
        lock (gate) store.Commit(changelogOffset);
    }

    public void Dispose()
    {
        // Closing is the writer's: a reader that lets go must not take the store from the others.
        if (!writable) return;
        lock (gate) store.Dispose();
    }

    protected void ThrowIfReadOnly()
    {
        if (!writable) throw new InvalidOperationException($"Global store '{Name}' can only be read here: it is written by its own processor, from its topic. Write to that topic instead.");
    }
}
