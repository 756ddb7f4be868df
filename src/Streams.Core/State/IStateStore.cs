namespace Streams.Core;

/// <summary>
/// Something that keeps state for one task. The runtime opens it, restores it from its changelog, and commits it together with the task.
/// </summary>
/// <remarks>
/// <para>
/// Order of a commit: <see cref="Flush"/> of every store (what the record cache held back is forwarded and logged), then the producer or its
/// transaction, then <see cref="Commit"/> of every store. What was written since the last <see cref="Commit"/> is visible to the task but
/// not durable; after a crash a store is at a commit, never between two. Source: KIP-892 and KIP-1035.
/// </para>
/// <para>Called from the task's thread only, except that read-only views of the typed stores may be read from any thread.</para>
/// </remarks>
public interface IStateStore : IDisposable
{
    /// <summary>Name of the store, unique in the topology.</summary>
    string Name { get; }

    /// <summary>Whether the content outlives the process (and so only the tail of the changelog is restored).</summary>
    bool IsPersistent { get; }

    /// <summary>Offset of the next changelog record that the store has not seen, as of its last commit; <c>null</c> when it starts empty.</summary>
    /// <remarks>Known after <see cref="Init"/>.</remarks>
    long? ChangelogOffset { get; }

    /// <summary>Opens the store. Called once, before anything else.</summary>
    void Init(IStateStoreContext context);

    /// <summary>Takes changelog records, in order, before processing starts or on a standby.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="from">Index of the first record to take.</param>
    /// <param name="to">Index after the last record to take.</param>
    void Restore(RecordBatch batch, int from, int to);

    /// <summary>Forwards and logs what the record cache held back. Stores without a cache have nothing to do.</summary>
    void Flush();

    /// <summary>
    /// Whether <see cref="Flush"/> has something to do. What one store forwards may be written to another that has been flushed already; the runtime
    /// flushes again until no store holds anything back. Default: never, as for a store without a cache.
    /// </summary>
    bool HoldsWrites => false;

    /// <summary>Makes everything written or restored so far durable, atomically with the changelog offset that it corresponds to.</summary>
    /// <param name="changelogOffset">Offset after the last changelog record contained; <c>null</c> when the store has no changelog.</param>
    void Commit(long? changelogOffset);

    /// <summary>Bytes written since the last <see cref="Commit"/> and held in memory; the runtime commits early past its bound.</summary>
    long UncommittedBytes { get; }
}

/// <summary>What a store is given by its task.</summary>
public interface IStateStoreContext
{
    /// <summary>The application's id.</summary>
    string ApplicationId { get; }

    /// <summary>The task.</summary>
    TaskId TaskId { get; }

    /// <summary>Folder of the task, for persistent stores; it exists, and this process has locked it.</summary>
    string TaskDirectory { get; }

    /// <summary>Where the store logs its writes; <c>null</c> when logging is off.</summary>
    IChangelog? Changelog { get; }

    /// <summary>Time of the record or punctuation that is being processed, Unix milliseconds.</summary>
    long Timestamp { get; }

    /// <summary>Coordinates of the source record being processed. A cache remembers them per entry and sets them back when it forwards late.</summary>
    RecordCoordinates Coordinates { get; set; }

    /// <summary>Counts a write that a store refused because it came too late, in Kafka's <c>dropped-records-total</c>.</summary>
    void RecordDropped();

    /// <summary>Bounds what the store may hold in memory.</summary>
    StateMemory Memory { get; }
}

/// <summary>Coordinates of a source record and the time at that point of the graph.</summary>
/// <param name="Topic">Topic; empty outside a record.</param>
/// <param name="Partition">Partition.</param>
/// <param name="Offset">Offset.</param>
/// <param name="Timestamp">Unix milliseconds.</param>
/// <param name="HasRecord">False in punctuators.</param>
/// <param name="Headers">Headers of the record at that point of the graph; <c>null</c> for none.</param>
public readonly record struct RecordCoordinates(string Topic, int Partition, long Offset, long Timestamp, bool HasRecord, Headers? Headers = null);

/// <summary>A store's changelog: each write goes to the store's partition of the changelog topic.</summary>
public interface IChangelog
{
    /// <summary>Logs a write.</summary>
    /// <param name="key">Bytes of the key as the changelog has them.</param>
    /// <param name="value">Bytes of the value.</param>
    /// <param name="hasValue">False logs a tombstone; <paramref name="value"/> is ignored.</param>
    /// <param name="timestamp">Timestamp of the changelog record, Unix milliseconds; <see cref="OutgoingRecord.TimeOfWriting"/> for stores that give none (suppression buffers).</param>
    /// <param name="headers">Headers, where the store's format has any; <c>null</c> for none.</param>
    void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue, long timestamp, Headers? headers = null);
}

/// <summary>The memory that the stores of an application share: one number, divided by whoever asks.</summary>
public sealed class StateMemory
{
    /// <summary>Default budget: 256 MiB.</summary>
    public const long DefaultBytes = 256L << 20;

    /// <summary>Creates a budget.</summary>
    /// <param name="totalBytes">All of it: block cache, memtables, record caches, overlays, input buffers. At least 16 MiB.</param>
    /// <param name="recordCacheBytes">Share of the record cache; 0 turns caching off. Kafka's <c>statestore.cache.max.bytes</c>, default 10 MiB.</param>
    /// <param name="inputBufferBytes">Share of records that are fetched and not processed; it is not for stores. Default 0: there are none.</param>
    public StateMemory(long totalBytes = DefaultBytes, long recordCacheBytes = 10L << 20, long inputBufferBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(totalBytes, 16L << 20);
        ArgumentOutOfRangeException.ThrowIfNegative(recordCacheBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(inputBufferBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(recordCacheBytes, totalBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputBufferBytes, totalBytes - recordCacheBytes);
        TotalBytes = totalBytes;
        RecordCacheBytes = recordCacheBytes;
        InputBufferBytes = inputBufferBytes;
    }

    /// <summary>The whole budget in bytes.</summary>
    public long TotalBytes { get; }

    /// <summary>The record cache's share in bytes, divided evenly among the stores that cache.</summary>
    public long RecordCacheBytes { get; }

    /// <summary>The share of records that are fetched and not processed.</summary>
    public long InputBufferBytes { get; }
}
