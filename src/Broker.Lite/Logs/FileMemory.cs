using System.Buffers;

namespace Broker.Lite.Logs;

/// <summary>
/// A part of a log file that stands for its bytes without having read them: the system can send it to a socket straight from its cache of the file.
/// Whoever looks at the bytes all the same gets them, read then into pooled memory.
/// </summary>
/// <remarks>
/// The bytes are written already and do not change: logs only grow, and a segment that goes stays open for <c>file.delete.delay.ms</c>. One owner, who
/// disposes it when the bytes are on their way. Not safe for use by several threads.
/// </remarks>
internal sealed class FileMemory(LogFile file, FileStream stream, long position, int length) : MemoryManager<byte>
{
    private byte[]? _rented;
    private bool _isDisposed;

    /// <summary>The file, for the system's own sending. Not to be read through, nor disposed.</summary>
    public FileStream Stream => stream;

    /// <summary>Where the part starts.</summary>
    public long Position => position;

    public override Memory<byte> Memory => CreateMemory(length);

    /// <exception cref="IOException">The file cannot be read, or has become shorter.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_rented is not null)
            return _rented.AsSpan(0, length);
        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        int read = file.Read(position, rented.AsSpan(0, length));
        if (read < length)
        {
            ArrayPool<byte>.Shared.Return(rented);
            throw new EndOfStreamException($"A log file ends {length - read} bytes before the end of what was to be sent of it.");
        }

        _rented = rented;
        return rented.AsSpan(0, length);
    }

    public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException("A part of a file has no address.");

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
