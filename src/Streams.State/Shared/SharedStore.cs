namespace Streams.State.Shared;

/// <summary>A view of a store that several threads use: every call holds the store's lock. Global stores are used through it by all, other stores by queries; the processors of a task use its stores directly.</summary>
/// <param name="store">The store.</param>
/// <param name="gate">Its lock, shared by all its views.</param>
/// <param name="writable">Whether this is the view of the one who writes.</param>
internal abstract class SharedStore(IStateStore store, StoreGate gate, bool writable) : IStateStore
{
    public string Name => store.Name;

    public bool IsPersistent => store.IsPersistent;

    public long? ChangelogOffset
    {
        get
        {
            using (gate.Enter()) return store.ChangelogOffset;
        }
    }

    public bool HoldsWrites
    {
        get
        {
            using (gate.Enter()) return store.HoldsWrites;
        }
    }

    public long UncommittedBytes
    {
        get
        {
            using (gate.Enter()) return store.UncommittedBytes;
        }
    }

    public void Init(IStateStoreContext context)
    {
        ThrowIfReadOnly();
        using (gate.Enter()) store.Init(context);
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
        ThrowIfReadOnly();
        using (gate.Enter()) store.Restore(batch, from, to);
    }

    public void Flush()
    {
        ThrowIfReadOnly();
        using (gate.Enter()) store.Flush();
    }

    public void Commit(long? changelogOffset)
    {
        ThrowIfReadOnly();
        using (gate.Enter()) store.Commit(changelogOffset);
    }

    public void Dispose()
    {
        // Closing is the writer's: a reader that lets go must not take the store from the others.
        if (!writable) return;
        using (gate.EnterAsOwner())
        {
            store.Dispose();
            gate.Close();
        }
    }

    protected void ThrowIfReadOnly()
    {
        if (!writable) throw new InvalidOperationException($"Store '{Name}' can only be read here: it is written by its own processor, a global one from its topic. Write to the topic that feeds it instead.");
    }
}
