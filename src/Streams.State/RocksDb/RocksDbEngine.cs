using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.State.Bytes;

namespace Streams.State.RocksDb;

/// <summary>
/// A store's data in a RocksDB folder of its own: user keys as they are in the default column family; format, changelog offset and stream time in a second one.
/// </summary>
/// <remarks>
/// <para>
/// With a changelog there is no write-ahead log: the changelog is it. After a crash the folder is at some batch in the past, as far as memtables were flushed. The
/// offset follows the data: it is noted on disk when everything up to it is there, so it is never ahead. Data ahead of it is harmless, because the
/// changelog is replayed over it, up to the same end. Without a changelog the write-ahead log is on, unsynced: it survives the process, not the machine.
/// (Not RocksDB's atomic flush of several column families: asked for one flush while it begins another by itself, 7.8 fails an assertion.)
/// </para>
/// <para>
/// A batch of some size is flushed in the background right away. That bounds what a crash leaves to restore, and it gives the next batch an empty memtable, where
/// ascending keys are appended: between the entries of an earlier batch each insertion is a full search, measured at five times the cost. While such a flush
/// runs, batches carry no offset, or the second half of the flush could bring an offset to disk whose data is not there yet.
/// </para>
/// <para>
/// Memory: blocks, indexes and bloom filters in the cache that all stores of the application share, memtables by <see cref="MemoryShares"/>.
/// Universal compaction and no compression, as Kafka Streams has it. Source: KIP-1035 (offsets in a column family), Kafka's <c>RocksDBStore</c>.
/// </para>
/// </remarks>
internal sealed unsafe class RocksDbEngine : IByteEngine
{
    /// <summary>Version of what this code writes: 1 is user keys in <c>default</c> and the entries below in <c>offsets</c>.</summary>
    public const int FormatVersion = 1;

    /// <summary>Changelog records that may be in memtables only before they are flushed however few bytes they are: a million.</summary>
    public const long UnflushedRecordsMax = 1_000_000;

    /// <summary>Bytes in memtables past which a flush begins: 1 MiB.</summary>
    public const long UnflushedBytesMax = 1 << 20;

    /// <summary>Where the kind of a store, if its keys begin with a segment, goes over into how long segments are; suppliers write it.</summary>
    public const string SegmentsOf = ", segments of ";

    private const int UniversalCompaction = 1;
    private const int NoCompression = 0;
    private const int TwoLevelIndex = 2;
    private const int LogWarnings = 2;
    private const int OpenFilesMax = 512;
    private const int MemtablesMax = 3;
    private const int MemtableBytesMin = 512 << 10;
    private const int MemtableBytesMax = 16 << 20;
    private const int OffsetsMemtableBytes = 64 << 10;
    private const int BlockBytes = 4 << 10;
    private const double BloomBitsPerKey = 10;

    // What an entry costs in a memtable beside its key and value.
    private const int MemtableEntryBytes = 32;

    private static readonly byte[] FormatKey = "format"u8.ToArray();
    private static readonly byte[] KindKey = "kind"u8.ToArray();
    private static readonly byte[] OffsetKey = "changelog-offset"u8.ToArray();
    private static readonly byte[] StreamTimeKey = "stream-time"u8.ToArray();

    private readonly string _path;
    private readonly ILogger _logger;
    private readonly List<NativeHandle> _handles = [];
    private readonly NativeHandle _readOptions;
    private readonly NativeHandle _writeOptions;
    private readonly NativeHandle _flushOptions;
    private readonly NativeHandle _batch;
    private readonly NativeHandle _mark;
    private readonly bool _writeAheadLog;
    private readonly SerdeBuffer _metadata = new(64);
    private readonly long _memtableBytes;
    private RocksDbHandle _database = null!;
    private nint _data;
    private nint _offsets;
    private bool _batchHasPuts;
    private long _batchBytes;
    private long _unflushedBytes;
    private long _flushedOffset;
    private Task _flush = Task.CompletedTask;
    private long _forgotten;

    private RocksDbEngine(string name, string path, MemoryShares shares, bool writeAheadLog, ILogger logger)
    {
        Name = name;
        _path = path;
        _logger = logger;
        _memtableBytes = Math.Clamp(shares.MemtableBytes / MemtablesMax, MemtableBytesMin, MemtableBytesMax);
        _readOptions = Own(NativeMethods.rocksdb_readoptions_create(), NativeMethods.rocksdb_readoptions_destroy);
        _writeOptions = Own(NativeMethods.rocksdb_writeoptions_create(), NativeMethods.rocksdb_writeoptions_destroy);
        _flushOptions = Own(NativeMethods.rocksdb_flushoptions_create(), NativeMethods.rocksdb_flushoptions_destroy);
        _batch = Own(NativeMethods.rocksdb_writebatch_create(), NativeMethods.rocksdb_writebatch_destroy);
        _mark = Own(NativeMethods.rocksdb_writebatch_create(), NativeMethods.rocksdb_writebatch_destroy);
        _writeAheadLog = writeAheadLog;
        NativeMethods.rocksdb_writeoptions_disable_WAL(_writeOptions, writeAheadLog ? 0 : 1);
        NativeMethods.rocksdb_flushoptions_set_wait(_flushOptions, 1);
    }

    public string Name { get; }

    public bool IsEmpty { get; private set; }

    public long? Offset { get; private set; }

    public long StreamTime { get; private set; } = -1;

    /// <summary>Native iterators alive.</summary>
    public int OpenIterators => _database.OpenIterators;

    /// <summary>Opens a store's folder, and makes it when it is not there.</summary>
    /// <param name="context">Gives task folder and memory.</param>
    /// <param name="name">Name of the store and of its folder below <c>rocksdb</c>.</param>
    /// <param name="kind">What the bytes are; a folder of another kind is refused.</param>
    /// <exception cref="StateStoreException">The library is missing, or the folder cannot be opened, is corrupt, locked, of another kind, or of a newer format.</exception>
    public static RocksDbEngine Open(IStateStoreContext context, string name, string kind)
    {
        RocksDbLibrary.Load();
        if (name.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 || name is "." or "..")
            throw new StateStoreException($"Store name '{name}' cannot be a folder's name.");
        var path = Path.Combine(context.TaskDirectory, "rocksdb", name);
        Change("made", () => Directory.CreateDirectory(path));

        var application = context as IRuntimeStoreContext;
        var logger = application?.Logger ?? NullLogger.Instance;
        var tuning = application?.RocksDbOptionsOf(name) ?? new Dictionary<string, string>();
        var hasChangelog = context.Changelog is not null;
        if (OpenFolder(out var found) is { } engine) return engine;

        // The changelog says the same whatever the segments. Only this store goes: others of the task may have no changelog.
        Log.StoreSegmentsChanged(logger, name, path, found, kind);
        Change("emptied", () =>
        {
            Directory.Delete(path, recursive: true);
            Directory.CreateDirectory(path);
        });
        return OpenFolder(out _) ?? throw new StateStoreException($"Store '{name}': the folder {path} was deleted and is still there.");

        void Change(string what, Action change)
        {
            try
            {
                change();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new StateStoreException($"Store '{name}': the folder {path} cannot be {what}: {failure.Message}", failure);
            }
        }

        RocksDbEngine? OpenFolder(out string found)
        {
            var shares = MemoryShares.Of(context.Memory);
            var engine = new RocksDbEngine(name, path, shares, writeAheadLog: !hasChangelog, logger);
            try
            {
                engine.OpenDatabase(shares, tuning);
                engine.ReadMetadata(hasChangelog ? null : kind, kind);
                found = engine.Kind;
                if (found == kind) return engine;
                if (!IsOtherwiseSegmented(found, kind)) throw engine.OfAnotherKind(kind);
                engine.Dispose();
                return null;
            }
            catch
            {
                engine.Dispose();
                throw;
            }
        }
    }

    // "window, segments of 60000 ms," and "window, segments of 90000 ms,": the same store after its retention was changed.
    private static bool IsOtherwiseSegmented(string found, string kind)
    {
        var end = kind.IndexOf(SegmentsOf, StringComparison.Ordinal);
        return end > 0 && found.StartsWith(kind.AsSpan(0, end + SegmentsOf.Length), StringComparison.Ordinal);
    }

    /// <summary>Opens a store that is there, whatever its kind, to look into it. Nobody else may have it open.</summary>
    /// <exception cref="StateStoreException">It is not a store of ours, it is in use, or it cannot be read.</exception>
    public static RocksDbEngine OpenExisting(string path)
    {
        RocksDbLibrary.Load();
        var name = Path.GetFileName(path);
        if (!File.Exists(Path.Combine(path, "CURRENT"))) throw new StateStoreException($"There is no store in {path}.");
        var shares = MemoryShares.Of(new StateMemory(16L << 20, 0));
        var engine = new RocksDbEngine(name, path, shares, writeAheadLog: true, NullLogger.Instance);
        try
        {
            engine.OpenDatabase(shares, new Dictionary<string, string>());
            engine.ReadMetadata(null, null);
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>What the bytes are.</summary>
    public string Kind { get; private set; } = "";

    public bool TryGet(ReadOnlySpan<byte> key, SerdeBuffer value) => TryGet(_data, key, value);

    public IByteEngineIterator Iterate()
    {
        ObjectDisposedException.ThrowIf(_database.IsClosed, this);
        return new RocksDbIterator(this, _database, NativeMethods.rocksdb_create_iterator_cf(_database, _readOptions, _data));
    }

    public void BatchPut(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        AddPut(_batch, _data, key, value);
        _batchHasPuts = true;
        _batchBytes += key.Length + value.Length + MemtableEntryBytes;
    }

    public void BatchDelete(ReadOnlySpan<byte> key)
    {
        fixed (byte* keyStart = key) NativeMethods.rocksdb_writebatch_delete_cf(_batch, _data, keyStart, (nuint)key.Length);
        _batchBytes += key.Length + MemtableEntryBytes;
    }

    public void BatchDeleteRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        // An empty span has no address, and RocksDB wants one.
        byte none = 0;
        fixed (byte* fromStart = from, toStart = to)
            NativeMethods.rocksdb_writebatch_delete_range_cf(_batch, _data, fromStart is null ? &none : fromStart, (nuint)from.Length, toStart, (nuint)to.Length);
        _batchBytes += from.Length + to.Length + MemtableEntryBytes;
    }

    public void BatchWrite(long? offset, long streamTime)
    {
        if (_writeAheadLog) AddOffset(_batch, offset ?? Offset, streamTime);
        Write(_batch);
        Offset = offset ?? Offset;
        StreamTime = streamTime;
        if (_batchHasPuts) IsEmpty = false;
        _batchHasPuts = false;
        _unflushedBytes += _batchBytes;
        _batchBytes = 0;
        if (!_flush.IsCompleted) return;

        // One that failed is reported here at the latest.
        AwaitFlush();
        if (_unflushedBytes >= UnflushedBytesMax || Offset - _flushedOffset >= UnflushedRecordsMax) BeginFlush();
    }

    public void Persist()
    {
        AwaitFlush();
        Flush(Offset, StreamTime);
    }

    public long EstimateCount()
    {
        ulong count;
        return NativeMethods.rocksdb_property_int_cf(_database, _data, "rocksdb.estimate-num-keys", &count) == 0 ? (long)Math.Min(count, long.MaxValue) : 0;
    }

    public void Dispose()
    {
        // A flush that is running ends first; whether it failed was for Persist to tell, or for whoever failed before it was asked. Then the database with its
        // iterators and column families, options last.
        ((IAsyncResult)_flush).AsyncWaitHandle.WaitOne();
        _ = _flush.Exception;
        _database?.Dispose();
        foreach (var handle in _handles) handle.Dispose();
    }

    /// <summary>An iterator was collected that nobody disposed. On the finaliser's thread, which is not for logging.</summary>
    internal void Forgotten(StackTrace? origin)
    {
        var count = Interlocked.Increment(ref _forgotten);
        ForgottenIterators.Report(Name, origin);

        // A loop that forgets them says so at 1, 2, 4, 8 …: often enough to be seen, too seldom to flood the log.
        if (!BitOperations.IsPow2(count)) return;
        ThreadPool.UnsafeQueueUserWorkItem(
            static forgotten => Log.IteratorForgotten(forgotten._logger, forgotten.count, forgotten.Name, forgotten.where),
            (_logger, count, Name, where: origin is null ? "somewhere: the AppContext switch Streams.State.TrackIteratorOrigins has them remember it" : $"here:{Environment.NewLine}{origin}"),
            preferLocal: false);
    }

    internal void ThrowOn(byte* error, string action)
    {
        if (error is not null) throw Failure(TakeText(error), action);
    }

    private static string TakeText(byte* error)
    {
        var text = Marshal.PtrToStringUTF8((nint)error) ?? "";
        NativeMethods.rocksdb_free(error);
        return text;
    }

    private NativeHandle Own(nint pointer, Action<nint> release)
    {
        var handle = new NativeHandle(pointer, release);
        _handles.Add(handle);
        return handle;
    }

    private void OpenDatabase(MemoryShares shares, IReadOnlyDictionary<string, string> tuning)
    {
        var table = Own(NativeMethods.rocksdb_block_based_options_create(), NativeMethods.rocksdb_block_based_options_destroy);
        NativeMethods.rocksdb_block_based_options_set_block_size(table, BlockBytes);
        NativeMethods.rocksdb_block_based_options_set_block_cache(table, shares.BlockCache);
        NativeMethods.rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
        NativeMethods.rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);

        // One filter of a million keys is larger than a shard of the cache and would be read from the file for each look-up (measured: 250 us); its
        // parts are cached one by one.
        NativeMethods.rocksdb_block_based_options_set_index_type(table, TwoLevelIndex);
        NativeMethods.rocksdb_block_based_options_set_partition_filters(table, 1);
        NativeMethods.rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
        NativeMethods.rocksdb_block_based_options_set_filter_policy(table, NativeMethods.rocksdb_filterpolicy_create_bloom_full(BloomBitsPerKey));

        // Options of the database and of the user's data are one object to RocksDB, so that tuning need not say which it means.
        var data = ColumnOptions(table, _memtableBytes);
        NativeMethods.rocksdb_options_set_create_if_missing(data, 1);
        NativeMethods.rocksdb_options_set_create_missing_column_families(data, 1);
        NativeMethods.rocksdb_options_set_max_open_files(data, OpenFilesMax);
        NativeMethods.rocksdb_options_set_info_log_level(data, LogWarnings);
        NativeMethods.rocksdb_options_set_keep_log_file_num(data, 1);
        NativeMethods.rocksdb_options_set_stats_dump_period_sec(data, 0);
        if (tuning.Count > 0) data = Tune(data, tuning);
        var offsets = ColumnOptions(table, OffsetsMemtableBytes);
        fixed (byte* dataName = "default\0"u8, offsetsName = "offsets\0"u8)
        {
            var names = stackalloc byte*[] { dataName, offsetsName };
            var options = stackalloc nint[] { data.DangerousGetHandle(), offsets.DangerousGetHandle() };
            var columns = new nint[2];
            byte* error = null;
            nint opened;
            fixed (nint* columnStart = columns)
                opened = NativeMethods.rocksdb_open_column_families(data, _path, columns.Length, names, options, columnStart, &error);
            ThrowOn(error, "open");
            _database = new RocksDbHandle(opened, columns);
            (_data, _offsets) = (columns[0], columns[1]);
        }
    }

    private NativeHandle Tune(NativeHandle options, IReadOnlyDictionary<string, string> tuning)
    {
        var text = RocksDbTuning.Describe(Name, tuning);
        var tuned = Own(NativeMethods.rocksdb_options_create(), NativeMethods.rocksdb_options_destroy);
        byte* error = null;
        NativeMethods.rocksdb_get_options_from_string(options, text, tuned, &error);
        if (error is null) return tuned;
        throw new StateStoreException($"Store '{Name}': RocksDB does not take its options (RocksDbOptions, rocksdb.*) '{text}': {TakeText(error)}. Names and values are those of RocksDB's own options files.");
    }

    private NativeHandle ColumnOptions(NativeHandle table, long memtableBytes)
    {
        var options = Own(NativeMethods.rocksdb_options_create(), NativeMethods.rocksdb_options_destroy);
        NativeMethods.rocksdb_options_set_block_based_table_factory(options, table);
        NativeMethods.rocksdb_options_set_write_buffer_size(options, (nuint)memtableBytes);
        NativeMethods.rocksdb_options_set_max_write_buffer_number(options, MemtablesMax);
        NativeMethods.rocksdb_options_set_compaction_style(options, UniversalCompaction);
        NativeMethods.rocksdb_options_set_compression(options, NoCompression);
        return options;
    }

    // Without a demanded kind any is taken; without one to make, it must be there.
    private void ReadMetadata(string? demanded, string? made)
    {
        using (var iterator = Iterate())
        {
            iterator.SeekToFirst();
            IsEmpty = !iterator.IsValid;
        }

        if (!TryGetMetadata(FormatKey))
        {
            if (!IsEmpty || made is null) throw Failure("it has data but no format entry; it was written by something else", "open");
            WriteFormat(made);
            Kind = made;
            return;
        }

        var format = _metadata.WrittenCount == sizeof(int) ? BinaryPrimitives.ReadInt32BigEndian(_metadata.WrittenSpan) : -1;
        if (format > FormatVersion)
        {
            throw new StateStoreException(
                $"Store '{Name}' in {_path} has format {format}; this version reads up to {FormatVersion}. Use the newer version that wrote it, or delete the folder "
                + "to restore the store from its changelog.");
        }

        if (format < 1) throw Failure("its format entry is damaged", "open");
        var found = TryGetMetadata(KindKey) ? Encoding.UTF8.GetString(_metadata.WrittenSpan) : "unknown";
        Kind = found;
        if (demanded is not null && found != demanded) throw OfAnotherKind(demanded);

        Offset = TryGetNumber(OffsetKey);
        StreamTime = TryGetNumber(StreamTimeKey) ?? -1;
        _flushedOffset = Offset ?? 0;
    }

    private StateStoreException OfAnotherKind(string kind) => new(
        $"Store '{Name}' in {_path} holds a {Kind} store, and the topology has a {kind} store of that name. Rename the store, or delete the folder.");

    /// <summary>Notes format and kind.</summary>
    internal void WriteFormat(string kind, int version = FormatVersion)
    {
        Span<byte> number = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(number, version);
        AddPut(_mark, _offsets, FormatKey, number);
        AddPut(_mark, _offsets, KindKey, Encoding.UTF8.GetBytes(kind));
        Write(_mark);

        // Before any data, so that a crash cannot leave data without it.
        FlushColumn(_offsets);
    }

    private bool TryGetMetadata(byte[] key)
    {
        _metadata.Clear();
        return TryGet(_offsets, key, _metadata);
    }

    private long? TryGetNumber(byte[] key)
    {
        if (!TryGetMetadata(key)) return null;
        if (_metadata.WrittenCount != sizeof(long)) throw Failure($"its entry '{Encoding.UTF8.GetString(key)}' is damaged", "open");
        return BinaryPrimitives.ReadInt64BigEndian(_metadata.WrittenSpan);
    }

    private bool TryGet(nint column, ReadOnlySpan<byte> key, SerdeBuffer value)
    {
        byte* error = null;
        nint slice;
        fixed (byte* start = key)
            slice = NativeMethods.rocksdb_get_pinned_cf(_database, _readOptions, column, start, (nuint)key.Length, &error);
        ThrowOn(error, "read from");
        if (slice == nint.Zero) return false;
        try
        {
            nuint length;
            var start = NativeMethods.rocksdb_pinnableslice_value(slice, &length);
            System.Buffers.BuffersExtensions.Write(value, new ReadOnlySpan<byte>(start, checked((int)length)));
            return true;
        }
        finally
        {
            NativeMethods.rocksdb_pinnableslice_destroy(slice);
        }
    }

    private static void AddPut(NativeHandle batch, nint column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyStart = key, valueStart = value)
            NativeMethods.rocksdb_writebatch_put_cf(batch, column, keyStart, (nuint)key.Length, valueStart, (nuint)value.Length);
    }

    private void AddOffset(NativeHandle batch, long? offset, long streamTime)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        if (offset is { } position)
        {
            BinaryPrimitives.WriteInt64BigEndian(number, position);
            AddPut(batch, _offsets, OffsetKey, number);
        }

        if (streamTime < 0) return;
        BinaryPrimitives.WriteInt64BigEndian(number, streamTime);
        AddPut(batch, _offsets, StreamTimeKey, number);
    }

    private void Write(NativeHandle batch)
    {
        byte* error = null;
        NativeMethods.rocksdb_write(_database, _writeOptions, batch, &error);
        NativeMethods.rocksdb_writebatch_clear(batch);
        ThrowOn(error, "write to");
    }

    private void BeginFlush()
    {
        _unflushedBytes = 0;
        var (offset, streamTime) = (Offset, StreamTime);
        _flushedOffset = offset ?? 0;
        _flush = Task.Run(() => Flush(offset, streamTime));
    }

    private void AwaitFlush() => _flush.GetAwaiter().GetResult();

    /// <summary>Brings everything written so far to disk, and then the offset that was reached when this was called. One at a time, on any thread.</summary>
    private void Flush(long? offset, long streamTime)
    {
        FlushColumn(_data);
        AddOffset(_mark, offset, streamTime);
        Write(_mark);
        FlushColumn(_offsets);
    }

    private void FlushColumn(nint column)
    {
        byte* error = null;
        NativeMethods.rocksdb_flush_cf(_database, _flushOptions, column, &error);
        ThrowOn(error, "flush");
    }

    private StateStoreException Failure(string reason, string action) => new($"Store '{Name}': cannot {action} RocksDB in {_path}: {reason}. " + WhatToDo(reason));

    // RocksDB's C API gives errors as text and nothing else. Only advice depends on it.
    private static string WhatToDo(string reason) => reason.Contains("No space left", StringComparison.Ordinal)
        ? "Make room on the disk, or give the application another StateDirectory (state.dir), and start it again; nothing that was committed is lost."
        : "If another process or store has the folder open, close that one; if the folder is damaged, delete it, and the store is restored from its changelog.";
}
