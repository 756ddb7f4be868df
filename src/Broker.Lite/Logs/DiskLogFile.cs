using Microsoft.Win32.SafeHandles;

namespace Broker.Lite.Logs;

/// <summary>A file on disk. Its handle is counted by the runtime, so a read under way ends well when the file is closed beside it.</summary>
internal sealed class DiskLogFile : LogFile
{
    // Sockets send from files opened for asynchronous use alone. Elsewhere than on Windows that is but a word; there it would make every read and write slower.
    private static readonly FileOptions _options = OperatingSystem.IsWindows() ? FileOptions.None : FileOptions.Asynchronous;

    private readonly SafeFileHandle _handle;
    private long _length;
    private int _isDirty;
    private FileStream? _stream;

    public DiskLogFile(string path)
    {
        _handle = File.OpenHandle(
            path,
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.ReadWrite | FileShare.Delete,
            _options);
        _length = RandomAccess.GetLength(_handle);
        _isDirty = 1; // an earlier process may have written without forcing it to disk
    }

    private DiskLogFile(SafeFileHandle handle)
    {
        _handle = handle;
        _length = RandomAccess.GetLength(handle);
    }

    /// <summary>Opens a file to look at it, also while a broker writes it; what is written later is not seen.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static DiskLogFile OpenReadOnly(string path) =>
        new(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));

    public override long Length => Volatile.Read(ref _length);

    public override void Write(long position, ReadOnlySpan<byte> data)
    {
        Volatile.Write(ref _isDirty, 1);
        RandomAccess.Write(_handle, data, position);
        if (position + data.Length > _length)
            Volatile.Write(ref _length, position + data.Length);
    }

    public override int Read(long position, Span<byte> destination)
    {
        int total = 0;
        while (total < destination.Length)
        {
            int read = RandomAccess.Read(_handle, destination[total..], position + total);
            if (read == 0)
                break;
            total += read;
        }

        return total;
    }

    public override FileMemory? TryLend(long position, int length)
    {
        if (!_handle.IsAsync)
            return null;
        FileStream? stream = Volatile.Read(ref _stream);
        if (stream is null)
        {
            // A view of the same handle, which stays this file's: never disposed, and without a buffer there is nothing in it to flush.
            stream = new FileStream(_handle, FileAccess.Read, bufferSize: 0, isAsync: true);
            stream = Interlocked.CompareExchange(ref _stream, stream, null) ?? stream;
        }

        return new FileMemory(this, stream, position, length);
    }

    public override void Truncate(long length)
    {
        Volatile.Write(ref _isDirty, 1);
        RandomAccess.SetLength(_handle, length);
        Volatile.Write(ref _length, length);
    }

    public override void Flush()
    {
        // Taken before the flush: a write beside it makes the file dirty again.
        if (Interlocked.Exchange(ref _isDirty, 0) == 0)
            return;
        bool flushed = false;
        try
        {
            RandomAccess.FlushToDisk(_handle);
            flushed = true;
        }
        finally
        {
            if (!flushed)
                Volatile.Write(ref _isDirty, 1);
        }
    }

    public override void Dispose() => _handle.Dispose();
}
