using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Streams.State.Bytes;

/// <summary>
/// What every kind of store is made of: a table in memory, below it an engine or nothing, beside it changelog and record cache. Kinds own the layout of keys
/// and nothing else.
/// </summary>
/// <remarks>
/// <para>
/// Without an engine the table is the store. With one it is overlay and read cache in one: an entry is <i>unapplied</i> (written, not yet in the engine; never
/// evicted) or clean (a copy of what the engine has, or the knowledge that it has nothing; evicted when memory is needed, second chance).
/// </para>
/// <para>
/// A commit declares everything written so far to be at an offset. What is committed goes to the engine in one sorted batch together with that
/// offset, but not necessarily at once: it may wait for later commits, so that a hot key is written once for many. After a crash the engine is at the last
/// batch and the changelog from its offset brings the rest. The wait is bounded by memory, by <see cref="TailRecordsMax"/> changelog records and by
/// <see cref="WaitingCommitsMax"/> commits; without a changelog there is no wait.
/// </para>
/// <para>
/// One thread. Readers on other threads are to be served from here by the owner between records, or from an engine snapshot plus a copy of the unapplied
/// entries taken at a commit; nothing in the entries is published to other threads.
/// </para>
/// </remarks>
internal sealed class TableStore<T> : IDisposable
{
    /// <summary>Changelog records that a crash may leave to restore because their writes waited: a million, a second or two.</summary>
    public const long TailRecordsMax = 1_000_000;

    /// <summary>Commits that a write may wait for.</summary>
    public const int WaitingCommitsMax = 64;

    private const int FlushPassesMax = 8;
    private const int EvictionSteps = 64;

    private readonly SerdeBuffer _value = new();
    private readonly EntryTimes? _times;
    private readonly int _segmentBytes;
    private readonly EntryTable<T> _table = new();
    private readonly ValueCodec<T> _codec;
    private readonly bool _typed;
    private readonly IByteEngine? _engine;
    private readonly RestoreBuffer? _restored;
    private readonly RecordCache<T>? _cache;
    private readonly IStateStoreContext _context;
    private readonly IChangelog? _changelog;
    private readonly bool _hasChangelog;
    private readonly MemoryShares _shares;
    private readonly StoreMetrics? _metrics;

    private HeldWriteListener<T>? _listener;
    private bool _sendOldValues;
    private bool _flushing;
    // Numbers of unapplied entries. One whose entry expired before it was applied names nothing, or an entry that came later, which may then be named twice.
    private int[] _unapplied = [];
    private int _unappliedListed;
    private int _unappliedCount;
    private long _unappliedBytes;
    private long _heapBytes;
    private int _commitNumber;
    private int _waitingCommits;
    private long? _offset;
    private int _hand;
    private int _broom;
    private IByteEngineIterator? _idleIterator;
    private ulong _firstSegment;
    private bool _dropSegments;
    private long _completeFrom;
    private bool _closed;

    /// <summary>Makes the table of a store.</summary>
    /// <param name="name">Name of the store.</param>
    /// <param name="codec">How values look as bytes.</param>
    /// <param name="context">The task; gives changelog and memory.</param>
    /// <param name="engine">What is below; owned from here on. <c>null</c>: memory is all there is.</param>
    /// <param name="caching">Whether writes are held back in a record cache.</param>
    /// <param name="times">
    /// When given, keys begin with <see cref="SegmentBytes"/> bytes of big-endian segment number that the changelog does not have, so that whole segments can be
    /// dropped, and entries have a time.
    /// </param>
    /// <param name="logsWrites">Whether writes go to the changelog as they are; a kind whose changelog looks different logs by itself.</param>
    public TableStore(
        string name, ValueCodec<T> codec, IStateStoreContext context, IByteEngine? engine, bool caching, EntryTimes? times = null, bool logsWrites = true)
    {
        Name = name;
        _times = times;
        _segmentBytes = times is null ? 0 : SegmentBytes;
        _codec = codec;
        _typed = codec.KeepsTyped;
        _context = context;
        _hasChangelog = context.Changelog is not null;
        _changelog = logsWrites ? context.Changelog : null;
        _engine = engine;
        _shares = MemoryShares.Of(context.Memory);
        _metrics = (context as IMeasuredStoreContext)?.StoreMetrics;
        StreamTime = -1;
        if (engine is not null)
        {
            _shares.AddPersistent();
            _restored = new RestoreBuffer(codec.TimestampBytes);
            _offset = engine.Offset;
            StreamTime = engine.StreamTime;
            _completeFrom = engine.IsEmpty ? 0 : AfterStreamTime;
        }

        if (caching && _shares.IsCachingOn)
        {
            _shares.AddCaching();
            _cache = new RecordCache<T>();
        }
    }

    /// <summary>Length of the segment number before the keys of a segmented store.</summary>
    public const int SegmentBytes = sizeof(ulong);

    /// <summary>The segment of entries that do not expire: it is after all others.</summary>
    public const ulong LastingSegment = ulong.MaxValue;

    public string Name { get; }

    public long? ChangelogOffset => _offset;

    public bool IsCaching => _cache is not null;

    public bool HoldsWrites => _cache is { Count: > 0 };

    /// <summary>Bytes written or restored since the last commit; 0 without an engine, where they are no overlay but the store.</summary>
    public long UncommittedBytes { get; private set; }

    /// <summary>Largest time a windowed kind has seen, Unix milliseconds; kept with each batch. No entry but lasting ones is later.</summary>
    public long StreamTime { get; set; }

    /// <summary>Entries of a segmented store before this time are never asked for again: they need not get to the engine, nor stay in memory.</summary>
    public long EarliestKept { get; set; }

    /// <summary>Goes up when the engine's content changes: cursors then need a new snapshot.</summary>
    public int Epoch { get; private set; }

    /// <summary>Goes up with every call that may move entries: a number got before is then no longer good.</summary>
    public int Operation { get; private set; }

    public EntryTable<T> Table => _table;

    public ValueCodec<T> Codec => _codec;

    public bool KeepsTyped => _typed;

    public long ApproximateCount
    {
        get
        {
            ThrowIfClosed();
            if (_engine is null) return _table.Count - HeldDeletions();
            WriteRestored();
            return Math.Max(0, _engine.EstimateCount() + UnappliedCountChange());
        }
    }

    public bool SetListener(HeldWriteListener<T> listener, bool sendOldValues)
    {
        if (_cache is null) return false;
        _listener = listener;
        _sendOldValues = sendOldValues;
        return true;
    }

    /// <summary>Called before a caller's key buffer changes: entry numbers got for the key in it are no longer good.</summary>
    public void BeginOperation() => Operation++;

    /// <summary>The entry of a key, read from the engine if need be; -1 when the key is known to be absent.</summary>
    public int Load(ReadOnlySpan<byte> key, out uint hash)
    {
        if (_metrics is null || !_metrics.Get.WantsTime()) return LoadEntry(key, out hash);
        var mark = _metrics.Get.Mark();
        var id = LoadEntry(key, out hash);
        _metrics.Get.Record(mark);
        return id;
    }

    private int LoadEntry(ReadOnlySpan<byte> key, out uint hash)
    {
        ThrowIfClosed();
        Operation++;
        hash = KeyHash.Of(key);
        var id = _table.Find(key, hash);
        if (id >= 0)
        {
            // Who looks up mostly writes right after.
            _cache?.Prefetch(id);
            if (_engine is not null) _table[id].Flags |= EntryFlags.Referenced;
            return id;
        }

        return EngineMayHave && !IsCompleteAt(key) ? LoadFromEngine(key, hash) : -1;
    }

    /// <summary>The entry of a key if memory has one, else -1, which says nothing about the engine.</summary>
    public int Find(ReadOnlySpan<byte> key, out uint hash)
    {
        ThrowIfClosed();
        Operation++;
        hash = KeyHash.Of(key);
        return _table.Find(key, hash);
    }

    /// <summary>Whether an entry has a value.</summary>
    public bool Has(int id) => id >= 0 && _table[id].Has(EntryFlags.Present);

    /// <summary>An entry's value.</summary>
    public T ValueOf(int id) => _typed ? _table[id].Typed : _codec.Read(_table.ValueOf(id));

    /// <summary>Writes a value.</summary>
    /// <param name="id">What <see cref="Load"/> or <see cref="Find"/> gave for the key, with no call in between.</param>
    /// <param name="hash">What they gave with it.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    public void Put(int id, uint hash, ReadOnlySpan<byte> key, T value)
    {
        if (_metrics is null || !_metrics.Put.WantsTime())
        {
            PutEntry(id, hash, key, value);
            return;
        }

        var mark = _metrics.Put.Mark();
        PutEntry(id, hash, key, value);
        _metrics.Put.Record(mark);
    }

    private void PutEntry(int id, uint hash, ReadOnlySpan<byte> key, T value)
    {
        // Serialising comes first: when user code throws there, nothing has changed.
        if (!_typed || (_cache is null && _changelog is not null)) Serialise(value);
        if (_cache is null)
        {
            LogSerialised(key, _context.Timestamp);
            if (id < 0) id = AddEntry(key, hash);
            SetValue(id, value);
            MarkUnapplied(id);
            Operation++;
            return;
        }

        ref var held = ref Hold(ref id, hash, key);
        SetValue(id, value);
        _cache.Hold(ref held, id, key.Length + ValueBytes(id), _context.Coordinates);
        Operation++;
        EvictHeld();
    }

    /// <summary>Deletes a key. The parameters are those of <see cref="Put"/>.</summary>
    public void Delete(int id, uint hash, ReadOnlySpan<byte> key)
    {
        if (_metrics is null || !_metrics.Delete.WantsTime())
        {
            DeleteEntry(id, hash, key);
            return;
        }

        var mark = _metrics.Delete.Mark();
        DeleteEntry(id, hash, key);
        _metrics.Delete.Record(mark);
    }

    private void DeleteEntry(int id, uint hash, ReadOnlySpan<byte> key)
    {
        Operation++;
        if (_cache is not null)
        {
            ref var held = ref Hold(ref id, hash, key);
            ClearValue(id);
            _cache.Hold(ref held, id, key.Length, _context.Coordinates);
            EvictHeld();
            return;
        }

        LogTombstone(key, _context.Timestamp);
        if (_engine is null)
        {
            if (id >= 0) RemoveEntry(id);
            return;
        }

        if (id < 0)
        {
            // An empty engine has nothing to delete, but the deletion was logged, so the commit must not look empty.
            id = AddEntry(key, hash);
        }

        ClearValue(id);
        MarkUnapplied(id);
    }

    /// <summary>
    /// Logs a value that the store itself does not take because it comes too late. Downstream is told as well where it listens to a cache: Kafka's cache
    /// does not know what the store behind it refuses.
    /// </summary>
    public void Refuse(ReadOnlySpan<byte> key, T value)
    {
        if (_changelog is not null)
        {
            Serialise(value);
            LogSerialised(key, _context.Timestamp);
        }

        _listener?.Invoke(key, value, hasNew: true, default!, hasOld: false, _context.Coordinates);
    }

    /// <summary>Logs a deletion that the store itself does not take because it comes too late.</summary>
    /// <returns>False when it never reaches the store: a cache with a listener keeps deletions back of which neither store nor downstream know a value.</returns>
    public bool RefuseDeletion(ReadOnlySpan<byte> key)
    {
        if (_listener is not null) return false;
        LogOnlyDeletion(key);
        return true;
    }

    /// <summary>Logs a deletion that the store itself does not take.</summary>
    public void LogOnlyDeletion(ReadOnlySpan<byte> key) => LogTombstone(key, _context.Timestamp);

    /// <summary>
    /// Drops all segments before one, without logging: the changelog expires by itself. From memory at once, from the engine with the next batch. What the cache
    /// holds stays until it is flushed, and goes the next time.
    /// </summary>
    public void DropSegmentsBefore(ulong segment)
    {
        Debug.Assert(_segmentBytes > 0, "only segmented stores have segments");
        if (segment <= _firstSegment) return;
        _firstSegment = segment;
        Operation++;
        if (_engine is not null)
        {
            // Entries in memory are left to eviction and to the next batch: nobody asks for them any more.
            _dropSegments = true;
            return;
        }

        for (var id = 0; id < _table.IdLimit; id++)
        {
            if (_table[id].Has(EntryFlags.Live) && !_table[id].Has(EntryFlags.Held) && SegmentOf(id) < segment) RemoveEntry(id);
        }

        if (_cache is null or { Count: 0 }) _table.CompactIfSparse();
    }

    /// <summary>Whether memory has all entries from a time on: nothing of them was evicted or restored past it.</summary>
    public bool IsCompleteFrom(long time) => _engine is null || (_times is not null && time >= _completeFrom && time != EntryTimes.Lasting);

    /// <summary>Takes an entry out of memory without logging: expiry of windows that the changelog expires by itself. Only without an engine or cache.</summary>
    public void Forget(int id)
    {
        Debug.Assert(_engine is null, "an engine expires by itself");
        Debug.Assert(!_table[id].Has(EntryFlags.Held), "held writes are flushed first");
        Operation++;
        RemoveEntry(id);
    }

    /// <summary>Entries from <paramref name="lower"/> (inclusive) to <paramref name="upper"/>, open where <c>null</c>.</summary>
    public TableCursor<T> Cursor(byte[]? lower, byte[]? upper, bool upperInclusive, bool reverse)
    {
        ThrowIfClosed();
        var cursor = new TableCursor<T>(this);
        cursor.Start(lower, lower is not null, upper, upper is not null, upperInclusive, reverse);
        return cursor;
    }

    /// <summary>
    /// An iterator of the engine below with everything restored in it; <c>null</c> when there is nothing below that memory does not have, from a time on.
    /// Give it back with <see cref="Return"/>.
    /// </summary>
    public IByteEngineIterator? IterateEngine(long earliestTime)
    {
        if (!EngineMayHave || (_times is not null && IsCompleteFrom(earliestTime))) return null;
        WriteRestored();
        var idle = _idleIterator;
        _idleIterator = null;
        return idle ?? _engine!.Iterate();
    }

    /// <summary>Takes an iterator back. One is kept for the next who asks, as long as the engine stays as it is: making one costs more than a seek.</summary>
    public void Return(IByteEngineIterator iterator, int epoch)
    {
        if (epoch == Epoch && _idleIterator is null && !_closed) _idleIterator = iterator;
        else iterator.Dispose();
    }

    /// <summary>Takes a changelog record.</summary>
    public void Restore(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue, long timestamp, long offset)
    {
        if (_restored is null)
        {
            RestoreInMemory(key, value, hasValue, timestamp);
            return;
        }

        _restored.Add(key, value, hasValue, timestamp, offset);
        if (_restored.IsFull) WriteRestored();
        UncommittedBytes = Math.Max(1, _restored.HeldBytes);
    }

    /// <summary>Called before a run of <see cref="Restore"/>: nothing in memory may hide what is restored below it.</summary>
    public void BeginRestore()
    {
        ThrowIfClosed();
        Operation++;
        if (HasUncommittedWrites || _cache is { Count: > 0 }) throw new InvalidOperationException($"Store '{Name}' has uncommitted writes; changelog records can only be restored onto a commit.");
        if (_engine is null || _table.Count == 0) return;
        Apply();
        _table.Clear();
        _completeFrom = AfterStreamTime;
        _heapBytes = 0;
        _hand = 0;
    }

    /// <summary>Logs and forwards what the record cache holds, eldest first.</summary>
    public void Flush()
    {
        ThrowIfClosed();
        if (_cache is null) return;
        var mark = _metrics?.Mark() ?? 0;
        for (var pass = 0; _cache.Count > 0; pass++)
        {
            // Somebody downstream may write to this store again, but not for ever.
            if (pass == FlushPassesMax)
                throw new StateStoreException($"Store '{Name}' is written to by its own flush, {FlushPassesMax} times over: is a processor below it feeding its own input?");
            FlushHeld();
        }

        _metrics?.Flushed(mark);
    }

    public void Commit(long? changelogOffset)
    {
        ThrowIfClosed();
        if (_cache is { Count: > 0 })
            throw new InvalidOperationException($"Store '{Name}' holds {_cache.Count} writes back; Flush comes before the producer and before Commit.");
        Operation++;
        WriteRestored();
        _offset = changelogOffset;
        UncommittedBytes = 0;
        HasUncommittedWrites = false;
        _commitNumber++;
        if (_engine is null)
        {
            _table.CompactIfSparse();
            return;
        }

        _restored!.Release();
        _waitingCommits++;
        if (ShouldApply(changelogOffset)) Apply();
    }

    /// <summary>
    /// Closes. What is committed is written to the engine, unless uncommitted writes lie over it: then they, and the commits still waiting, are left to the changelog.
    /// </summary>
    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        if (_cache is not null) _shares.RemoveCaching();
        if (_engine is null) return;
        _shares.RemovePersistent();
        using (_engine)
        {
            EngineChanged();
            WriteRestored();
            var atCommit = !HasUncommittedWrites && _cache is not { Count: > 0 };
            if (atCommit && (_unappliedCount > 0 || _engine.Offset != _offset)) Apply();
            _engine.Persist();
        }
    }

    public void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_closed, this);

    private long AfterStreamTime => StreamTime == long.MaxValue ? long.MaxValue : StreamTime + 1;

    private bool IsCompleteAt(ReadOnlySpan<byte> key) => _times is not null && IsCompleteFrom(_times.TimeOf(key));

    private ulong SegmentOf(int id) => BinaryPrimitives.ReadUInt64BigEndian(_table.KeyOf(id));

    /// <summary>Called when the engine's content changes: iterators over it show the past, and idle ones would keep it on disk.</summary>
    private void EngineChanged()
    {
        Epoch++;
        _idleIterator?.Dispose();
        _idleIterator = null;
    }

    private bool EngineMayHave => _engine is not null && (!_engine.IsEmpty || _restored!.Count > 0);

    private bool HasUncommittedWrites { get; set; }

    /// <summary>Whether values can hold anything on the heap: known to the compiler of the code that runs, for whom the rest is then not there.</summary>
    private static bool HasHeap => RuntimeHelpers.IsReferenceOrContainsReferences<T>();

    private int LoadFromEngine(ReadOnlySpan<byte> key, uint hash)
    {
        WriteRestored();
        _value.Clear();
        var found = _engine!.TryGet(key, _value);
        T? typed = default;
        if (found && _typed) typed = _codec.Read(_value.WrittenSpan);
        var id = AddEntry(key, hash);
        ref var entry = ref _table[id];
        entry.Flags |= EntryFlags.Referenced;
        if (!found) return id;
        entry.Flags |= EntryFlags.Present;
        if (_typed)
        {
            entry.Typed = typed!;
            if (HasHeap) _heapBytes += _codec.HeapBytes(typed!);
        }
        else
        {
            _table.SetBytes(id, _value.WrittenSpan);
        }

        return id;
    }

    private int AddEntry(ReadOnlySpan<byte> key, uint hash)
    {
        if (_engine is not null)
        {
            if (_times is not null) Sweep();
            if (MemoryBytes > _shares.TableBytes) Evict(EvictionSteps);
        }

        return _table.Add(key, hash);
    }

    /// <summary>
    /// Looks at the next two entries for each that is added, and drops them when they have expired, applied or not: a table whose entries live for seconds is then at
    /// most about twice as large as what lives, stays in the processor's caches, and its engine never hears of most entries.
    /// </summary>
    private void Sweep()
    {
        for (var step = 0; step < 2 && _table.IdLimit > 0; step++)
        {
            if (++_broom >= _table.IdLimit) _broom = 0;
            ref var entry = ref _table[_broom];
            if (!entry.Has(EntryFlags.Live) || entry.Has(EntryFlags.Held) || _times!.TimeOf(_table.KeyOf(_broom)) >= EarliestKept) continue;
            var bytes = EntryTable<T>.EntryOverheadBytes + entry.KeyLength + ValueBytes(_broom);

            // It may have been counted with fewer bytes, or more: no more is given back than was counted.
            if (entry.WrittenIn == _commitNumber) UncommittedBytes = Math.Max(0, UncommittedBytes - bytes);
            if (entry.Has(EntryFlags.Unapplied))
            {
                _unappliedCount--;
                _unappliedBytes = _unappliedCount == 0 ? 0 : Math.Max(0, _unappliedBytes - bytes);
            }

            RemoveEntry(_broom);
        }
    }

    private void RemoveEntry(int id)
    {
        if (HasHeap && _typed && _table[id].Has(EntryFlags.Present)) _heapBytes -= _codec.HeapBytes(_table[id].Typed);
        _table.Remove(id);
    }

    private void Serialise(T value)
    {
        _value.Clear();
        _codec.Write(value, _value);
    }

    /// <summary>Sets an entry's value; where bytes are kept, to what was serialised last.</summary>
    private void SetValue(int id, T value)
    {
        ref var entry = ref _table[id];
        if (_typed)
        {
            if (HasHeap && entry.Has(EntryFlags.Present)) _heapBytes -= _codec.HeapBytes(entry.Typed);
            entry.Typed = value;
            if (HasHeap) _heapBytes += _codec.HeapBytes(value);
        }
        else
        {
            _table.SetBytes(id, _value.WrittenSpan);
        }

        entry.Flags |= EntryFlags.Present | EntryFlags.Referenced;
    }

    private void ClearValue(int id)
    {
        ref var entry = ref _table[id];
        if (_typed)
        {
            if (HasHeap && entry.Has(EntryFlags.Present)) _heapBytes -= _codec.HeapBytes(entry.Typed);
            entry.Typed = default!;
        }
        else
        {
            _table.SetBytes(id, default);
        }

        entry.Flags &= ~EntryFlags.Present;
    }

    private int ValueBytes(int id) => _typed ? (HasHeap ? _codec.HeapBytes(_table[id].Typed) : 0) + sizeof(long) : _table[id].ValueLength;

    private void LogSerialised(ReadOnlySpan<byte> key, long contextTimestamp)
    {
        if (_changelog is null) return;
        var value = _value.WrittenSpan;
        key = key[_segmentBytes..];
        if (_codec.TimestampBytes > 0) _changelog.Append(key, value[sizeof(long)..], hasValue: true, BinaryPrimitives.ReadInt64BigEndian(value));
        else _changelog.Append(key, value, hasValue: true, contextTimestamp);
    }

    private void LogTombstone(ReadOnlySpan<byte> key, long timestamp) => _changelog?.Append(key[_segmentBytes..], default, hasValue: false, timestamp);

    private void MarkUnapplied(int id)
    {
        if (_engine is null) return;
        HasUncommittedWrites = true;
        ref var entry = ref _table[id];
        if (entry.WrittenIn == _commitNumber) return;

        // Counted once per commit interval and entry. Values that grow within one are seen by the eviction bound, which counts real bytes.
        entry.WrittenIn = _commitNumber;
        var bytes = EntryTable<T>.EntryOverheadBytes + entry.KeyLength + ValueBytes(id);
        UncommittedBytes += bytes;
        if (entry.Has(EntryFlags.Unapplied)) return;
        entry.Flags |= EntryFlags.Unapplied;
        _unappliedBytes += bytes;
        _unappliedCount++;
        if (_unappliedListed == _unapplied.Length)
        {
            ListUnapplied();
            if (_unappliedListed >= _unapplied.Length / 2) Array.Resize(ref _unapplied, Math.Max(64, _unapplied.Length * 2));
        }

        _unapplied[_unappliedListed++] = id;
    }

    /// <summary>Leaves each unapplied entry in the list once, and nothing else.</summary>
    private Span<int> ListUnapplied()
    {
        var kept = 0;
        foreach (var id in _unapplied.AsSpan(0, _unappliedListed))
        {
            ref var entry = ref _table[id];
            if (!entry.Has(EntryFlags.Unapplied)) continue;
            entry.Flags &= ~EntryFlags.Unapplied;
            _unapplied[kept++] = id;
        }

        _unappliedListed = kept;
        var ids = _unapplied.AsSpan(0, kept);
        foreach (var id in ids) _table[id].Flags |= EntryFlags.Unapplied;
        Debug.Assert(_unappliedListed <= _unappliedCount, "the list has nothing that is not unapplied");
        return ids;
    }

    /// <summary>
    /// Whether the wait is over. A table that is full of clean entries evicts them; one that stays over its bound is full of unapplied ones that grew.
    /// </summary>
    private bool ShouldApply(long? offset) =>
        !_hasChangelog
        || _waitingCommits >= WaitingCommitsMax
        || _unappliedBytes > _shares.TableBytes / 2
        || MemoryBytes > _shares.TableBytes / 4 * 5
        || offset - (_engine!.Offset ?? 0) >= TailRecordsMax;

    private long MemoryBytes => _table.UsedBytes + _heapBytes;

    /// <summary>Writes everything unapplied to the engine, at the offset of the last commit.</summary>
    private void Apply()
    {
        var ids = ListUnapplied();
        _table.Sort(ids);
        if (_dropSegments)
        {
            // The empty key is below all of segment 0. What was written into a dropped segment since the last batch never gets there.
            Span<byte> first = stackalloc byte[SegmentBytes];
            BinaryPrimitives.WriteUInt64BigEndian(first, _firstSegment);
            _engine!.BatchDeleteRange(default, first);
            _dropSegments = false;
        }

        foreach (var id in ids)
        {
            if (_times is not null && _times.TimeOf(_table.KeyOf(id)) < EarliestKept) continue;
            if (!_table[id].Has(EntryFlags.Present))
            {
                _engine!.BatchDelete(_table.KeyOf(id));
                continue;
            }

            if (_typed)
            {
                Serialise(_table[id].Typed);
                _engine!.BatchPut(_table.KeyOf(id), _value.WrittenSpan);
            }
            else
            {
                _engine!.BatchPut(_table.KeyOf(id), _table.ValueOf(id));
            }
        }

        _engine!.BatchWrite(_offset, StreamTime);
        foreach (var id in ids) _table[id].Flags &= ~EntryFlags.Unapplied;
        _unappliedCount = _unappliedListed = 0;
        _unappliedBytes = 0;
        _waitingCommits = 0;
        EngineChanged();
        if (MemoryBytes > _shares.TableBytes) Evict(2 * _table.IdLimit);
        if (_cache is null or { Count: 0 }) _table.CompactIfSparse();
    }

    private void WriteRestored()
    {
        if (_restored is null or { Count: 0 }) return;
        _restored.WriteTo(_engine!, StreamTime);
        _offset = _engine!.Offset;
        _completeFrom = AfterStreamTime;
        EngineChanged();
    }

    /// <summary>
    /// Drops clean entries that have expired, or were not used since the hand last passed, until memory is at its bound or the steps are spent.
    /// </summary>
    private void Evict(int steps)
    {
        // Nothing clean, nothing to find.
        var bound = _table.Count > _unappliedCount ? _shares.TableBytes : long.MaxValue;
        for (; steps > 0 && MemoryBytes > bound; steps--)
        {
            if (_hand >= _table.IdLimit) _hand = 0;
            TryEvict(_hand++);
        }
    }

    private void TryEvict(int id)
    {
        ref var entry = ref _table[id];
        if (!entry.Has(EntryFlags.Live) || entry.Has(EntryFlags.Unapplied | EntryFlags.Held)) return;
        if (_times is not null)
        {
            var time = _times.TimeOf(_table.KeyOf(id));
            if (time < EarliestKept)
            {
                RemoveEntry(id);
                return;
            }

            // The engine still has it, so memory is no longer complete there. Where there is known to be nothing, that stays known.
            if (!entry.Has(EntryFlags.Referenced) && entry.Has(EntryFlags.Present) && time != EntryTimes.Lasting) _completeFrom = Math.Max(_completeFrom, time + 1);
        }

        if (entry.Has(EntryFlags.Referenced)) entry.Flags &= ~EntryFlags.Referenced;
        else RemoveEntry(id);
    }

    private void RestoreInMemory(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool hasValue, long timestamp)
    {
        T? typed = default;
        if (hasValue && _typed)
        {
            typed = _codec.ReadLogged(value, timestamp);
        }
        else if (hasValue)
        {
            _value.Clear();
            if (_codec.TimestampBytes > 0)
            {
                BinaryPrimitives.WriteInt64BigEndian(_value.GetSpan(sizeof(long)), timestamp);
                _value.Advance(sizeof(long));
            }

            System.Buffers.BuffersExtensions.Write(_value, value);
        }

        var hash = KeyHash.Of(key);
        var id = _table.Find(key, hash);
        if (hasValue)
        {
            if (id < 0) id = _table.Add(key, hash);
            SetValue(id, typed!);
        }
        else if (id >= 0)
        {
            RemoveEntry(id);
        }
    }

    /// <summary>Readies an entry for a held write: adds it, and sets its value aside as the old one when the cache does not have an older.</summary>
    private ref HeldWrite<T> Hold(ref int id, uint hash, ReadOnlySpan<byte> key)
    {
        var old = OldValue.Unknown;
        if (id < 0)
        {
            if (!EngineMayHave || IsCompleteAt(key)) old = OldValue.Absent;
            id = AddEntry(key, hash);
        }
        else
        {
            old = _table[id].Has(EntryFlags.Present) ? OldValue.Present : OldValue.Absent;
        }

        ref var held = ref _cache!.SlotOf(id);
        ref var entry = ref _table[id];
        if (entry.Has(EntryFlags.Held)) return ref held;
        entry.Flags |= EntryFlags.Held;
        held.Old = old;
        if (old != OldValue.Present || !_sendOldValues) return ref held;
        if (_typed) held.OldTyped = entry.Typed;
        else (held.OldHandle, held.OldLength) = _table.DetachBytes(id);
        return ref held;
    }

    private void EvictHeld()
    {
        // Kafka's cache flushes everything that is dirty when the entry it must evict is; so does this one.
        if (!_flushing && _cache!.Bytes > _shares.RecordCacheBytes) FlushHeld();
    }

    private void FlushHeld()
    {
        Operation++;
        var outermost = !_flushing;
        _flushing = true;
        var around = _context.Coordinates;
        try
        {
            for (var left = _cache!.Count; left > 0 && _cache.TryTake(out var id, out var write); left--)
            {
                _table.Prefetch(_cache.Upcoming());
                Release(id, in write);
            }
        }
        finally
        {
            _context.Coordinates = around;
            if (outermost) _flushing = false;
        }
    }

    /// <summary>A held write becomes a write: logged, part of the overlay, and told to the listener with the coordinates it was made at.</summary>
    private void Release(int id, in HeldWrite<T> write)
    {
        _table[id].Flags &= ~EntryFlags.Held;
        var coordinates = _cache!.CoordinatesOf(in write);
        _context.Coordinates = coordinates;
        var hasNew = _table[id].Has(EntryFlags.Present);
        T? oldValue = default;
        var hasOld = write.Old == OldValue.Present;
        if (_listener is not null && (_sendOldValues || !hasNew)) hasOld = ReadOld(id, in write, out oldValue);
        _table.FreeBytes(write.OldHandle, write.OldLength);

        // Nothing before and nothing now: neither changelog nor downstream ever knew of it.
        if (_listener is null || hasNew || hasOld)
        {
            T? newValue = default;
            if (hasNew)
            {
                newValue = ValueOf(id);
                if (_changelog is not null) SerialisedForLog(id);
                LogSerialised(_table.KeyOf(id), coordinates.Timestamp);
            }
            else
            {
                LogTombstone(_table.KeyOf(id), coordinates.Timestamp);
            }

            MarkUnapplied(id);
            _listener?.Invoke(_table.KeyOf(id), newValue!, hasNew, oldValue!, hasOld && _sendOldValues, in coordinates);
        }

        // The listener may have written the key again, or flushed, so that the entry is gone by now.
        ref var entry = ref _table[id];
        if (_engine is null && entry.Has(EntryFlags.Live) && !entry.Has(EntryFlags.Present | EntryFlags.Held)) RemoveEntry(id);
    }

    private void SerialisedForLog(int id)
    {
        _value.Clear();
        if (_typed) _codec.Write(_table[id].Typed, _value);
        else System.Buffers.BuffersExtensions.Write(_value, _table.ValueOf(id));
    }

    private bool ReadOld(int id, in HeldWrite<T> write, out T? value)
    {
        value = default;
        switch (write.Old)
        {
            case OldValue.Present when !_sendOldValues:
                return true;
            case OldValue.Present:
                value = _typed ? write.OldTyped : _codec.Read(_table.Bytes(write.OldHandle, write.OldLength));
                return true;
            case OldValue.Unknown when EngineMayHave:
                WriteRestored();
                _value.Clear();
                if (!_engine!.TryGet(_table.KeyOf(id), _value)) return false;
                value = _codec.Read(_value.WrittenSpan);
                return true;
            default:
                return false;
        }
    }

    private int HeldDeletions()
    {
        if (_cache is null or { Count: 0 }) return 0;
        var count = 0;
        for (var id = 0; id < _table.IdLimit; id++)
        {
            if (_table[id].Has(EntryFlags.Live) && !_table[id].Has(EntryFlags.Present)) count++;
        }

        return count;
    }

    /// <summary>An estimate, like the engine's: unapplied values count as new keys only when the engine is empty.</summary>
    private int UnappliedCountChange()
    {
        if (!_engine!.IsEmpty) return 0;
        var count = 0;
        for (var id = 0; id < _table.IdLimit; id++)
        {
            if (_table[id].Has(EntryFlags.Present)) count++;
        }

        return count;
    }
}
