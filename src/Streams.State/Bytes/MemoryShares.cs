using System.Runtime.CompilerServices;
using Streams.State.RocksDb;

namespace Streams.State.Bytes;

/// <summary>
/// How the stores that were given one <see cref="StateMemory"/> divide it: beside record caches and input buffers, a third of the rest each, and no more than a quarter of the whole,
/// for RocksDB's block cache, for its memtables, and for tables in memory (overlay and read cache).
/// </summary>
internal sealed class MemoryShares(StateMemory memory)
{
    // A store of its own needs a little, or it would commit after every record: past 64 stores per 256 MiB the sum grows with the number of stores.
    private const long LeastPerStoreBytes = 1L << 20;

    private static readonly ConditionalWeakTable<StateMemory, MemoryShares> All = [];

    private readonly Lazy<NativeHandle> _blockCache = new(() =>
        new NativeHandle(NativeMethods.rocksdb_cache_create_lru((nuint)Part(memory)), NativeMethods.rocksdb_cache_destroy));

    private readonly Lock _division = new();
    private int _cachingStores;

    // Asked for at every write, changed when a store opens or closes.
    private long _recordCacheBytes = memory.RecordCacheBytes;
    private int _persistentStores;

    public static MemoryShares Of(StateMemory memory) => All.GetValue(memory, static memory => new MemoryShares(memory));

    /// <summary>Bytes of record cache for each caching store.</summary>
    public long RecordCacheBytes => Volatile.Read(ref _recordCacheBytes);

    /// <summary>Bytes of table in memory for each persistent store.</summary>
    public long TableBytes => PerPersistentStore(Part(memory));

    /// <summary>Bytes of memtable for each persistent store.</summary>
    public long MemtableBytes => PerPersistentStore(Part(memory));

    /// <summary>The block cache that all persistent stores share.</summary>
    public NativeHandle BlockCache => _blockCache.Value;

    public bool IsCachingOn => memory.RecordCacheBytes > 0;

    public void AddCaching() => ChangeCaching(1);

    public void RemoveCaching() => ChangeCaching(-1);

    public void AddPersistent() => Interlocked.Increment(ref _persistentStores);

    public void RemovePersistent() => Interlocked.Decrement(ref _persistentStores);

    /// <summary>What each of the three may have.</summary>
    internal static long Part(StateMemory memory) => Math.Min(memory.TotalBytes / 4, (memory.TotalBytes - memory.RecordCacheBytes - memory.InputBufferBytes) / 3);

    private void ChangeCaching(int stores)
    {
        lock (_division)
        {
            _cachingStores += stores;
            Volatile.Write(ref _recordCacheBytes, memory.RecordCacheBytes / Math.Max(1, _cachingStores));
        }
    }

    private long PerPersistentStore(long bytes) => Math.Max(LeastPerStoreBytes, bytes / Math.Max(1, Volatile.Read(ref _persistentStores)));
}
