namespace Streams.Core.Tests.Support;

/// <summary>A store that has a name and keeps nothing.</summary>
internal sealed class NamedStore(string name) : IStateStore
{
    public string Name { get; } = name;

    public bool IsPersistent => false;

    public long? ChangelogOffset => null;

    public long UncommittedBytes => 0;

    public bool IsDisposed { get; private set; }

    public void Init(IStateStoreContext context)
    {
    }

    public void Restore(RecordBatch batch, int from, int to)
    {
    }

    public void Flush()
    {
    }

    public void Commit(long? changelogOffset)
    {
    }

    public void Dispose() => IsDisposed = true;
}
