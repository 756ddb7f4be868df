using System.Diagnostics;
using Streams.State.Bytes;

namespace Streams.State.RocksDb;

/// <summary>A place in a snapshot of a database.</summary>
internal sealed unsafe class RocksDbIterator : IByteEngineIterator
{
    private readonly RocksDbEngine _engine;
    private readonly RocksDbHandle _database;
    private readonly nint _iterator;
    private readonly int _slot;
    private readonly StackTrace? _origin;
    private bool _disposed;

    public RocksDbIterator(RocksDbEngine engine, RocksDbHandle database, nint iterator)
    {
        _engine = engine;
        _database = database;
        _iterator = iterator;
        if (ForgottenIterators.TrackOrigins) _origin = new StackTrace(skipFrames: 2, fNeedFileInfo: false);
        _slot = database.AddIterator(iterator);
    }

    /// <summary>
    /// Only reached when nobody disposed it. Its native part goes now, unless the database was closed meanwhile, which took it along: it was forgotten all the same.
    /// </summary>
    ~RocksDbIterator()
    {
        if (_database is null) return;
        _database.RemoveIterator(_slot, _iterator);
        _engine.Forgotten(_origin);
    }

    public bool IsValid
    {
        get
        {
            if (NativeMethods.rocksdb_iter_valid(Pointer) != 0) return true;

            // The end and an error look the same until asked.
            byte* error = null;
            NativeMethods.rocksdb_iter_get_error(Pointer, &error);
            _engine.ThrowOn(error, "iterate over");
            return false;
        }
    }

    public ReadOnlySpan<byte> Key
    {
        get
        {
            nuint length;
            var start = NativeMethods.rocksdb_iter_key(Pointer, &length);
            return new ReadOnlySpan<byte>(start, checked((int)length));
        }
    }

    public ReadOnlySpan<byte> Value
    {
        get
        {
            nuint length;
            var start = NativeMethods.rocksdb_iter_value(Pointer, &length);
            return new ReadOnlySpan<byte>(start, checked((int)length));
        }
    }

    public void SeekToFirst() => NativeMethods.rocksdb_iter_seek_to_first(Pointer);

    public void SeekToLast() => NativeMethods.rocksdb_iter_seek_to_last(Pointer);

    public void Seek(ReadOnlySpan<byte> key)
    {
        fixed (byte* start = key) NativeMethods.rocksdb_iter_seek(Pointer, start, (nuint)key.Length);
    }

    public void SeekForPrevious(ReadOnlySpan<byte> key)
    {
        fixed (byte* start = key) NativeMethods.rocksdb_iter_seek_for_prev(Pointer, start, (nuint)key.Length);
    }

    public void Next() => NativeMethods.rocksdb_iter_next(Pointer);

    public void Previous() => NativeMethods.rocksdb_iter_prev(Pointer);

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        GC.SuppressFinalize(this);
        _database.RemoveIterator(_slot, _iterator);
    }

    /// <summary>The native iterator, as long as there is one.</summary>
    private nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed || _database.IsClosed, this);
            return _iterator;
        }
    }
}
