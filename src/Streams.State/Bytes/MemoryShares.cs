using System.Runtime.CompilerServices;

namespace Streams.State.Bytes;

/// <summary>
/// How the stores that were given one <see cref="StateMemory"/> divide it: beside the record caches, a quarter of the whole each for RocksDB's block cache, for its
/// memtables, and for tables in memory (overlay and read cache); what is left is for input buffers and the stores' fixed costs.
/// </summary>
internal sealed class MemoryShares(StateMemory memory)
{
    // A store of its own needs a little, or it would commit after every record: past 64 stores per 256 MiB the sum grows with the number of stores.
    private const long LeastPerStoreBytes = 1L << 20;

    private static readonly ConditionalWeakTable<StateMemory, MemoryShares> All = [];

    private int _cachingStores;
    private int _persistentStores;

    public static MemoryShares Of(StateMemory memory) => All.GetValue(memory, static memory => new MemoryShares(memory));

    /// <summary>Bytes of record cache for each caching store.</summary>
    public long RecordCacheBytes => memory.RecordCacheBytes / Math.Max(1, Volatile.Read(ref _cachingStores));

    /// <summary>Bytes of table in memory for each persistent store.</summary>
    public long TableBytes => PerPersistentStore(memory.TotalBytes / 4);

    /// <summary>Bytes of memtable for each persistent store.</summary>
    public long MemtableBytes => PerPersistentStore(memory.TotalBytes / 4);

    /// <summary>Bytes of the block cache that all share.</summary>
    public long BlockCacheBytes => memory.TotalBytes / 4;

    public bool IsCachingOn => memory.RecordCacheBytes > 0;

    public void AddCaching() => Interlocked.Increment(ref _cachingStores);

    public void RemoveCaching() => Interlocked.Decrement(ref _cachingStores);

    public void AddPersistent() => Interlocked.Increment(ref _persistentStores);

    public void RemovePersistent() => Interlocked.Decrement(ref _persistentStores);

    private long PerPersistentStore(long bytes) => Math.Max(LeastPerStoreBytes, bytes / Math.Max(1, Volatile.Read(ref _persistentStores)));
}
