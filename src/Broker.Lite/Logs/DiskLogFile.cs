using Microsoft.Win32.SafeHandles;

namespace Broker.Lite.Logs;

/// <summary>A file on disk. Its handle is counted by the runtime, so a read under way ends well when the file is closed beside it.</summary>
internal sealed class DiskLogFile : LogFile
{
    private readonly SafeFileHandle _handle;
    private long _length;

    public DiskLogFile(string path)
    {
        _handle = File.OpenHandle(
            path,
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.ReadWrite | FileShare.Delete);
        _length = RandomAccess.GetLength(_handle);
    }

    public override long Length => Volatile.Read(ref _length);

    public override void Write(long position, ReadOnlySpan<byte> data)
    {
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

    public override void Truncate(long length)
    {
        RandomAccess.SetLength(_handle, length);
        Volatile.Write(ref _length, length);
    }

    public override void Flush() => RandomAccess.FlushToDisk(_handle);

    public override void Dispose() => _handle.Dispose();
}
