namespace Broker.Lite.Logs;

/// <summary>
/// One file of a log. One writer at a time; readers may run beside it, on bytes that were written before. Failures are
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>; after <see cref="Dispose"/> <see cref="ObjectDisposedException"/>.
/// </summary>
internal abstract class LogFile : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Writes all of <paramref name="data"/> at <paramref name="position"/>, at most <see cref="Length"/>.</summary>
    public abstract void Write(long position, ReadOnlySpan<byte> data);

    /// <summary>Reads up to the size of <paramref name="destination"/>; fewer bytes only at the end.</summary>
    public abstract int Read(long position, Span<byte> destination);

    /// <summary>
    /// Memory that holds the file from <paramref name="position"/> on, without a copy and for as long as it is referenced: up to
    /// <paramref name="maxBytes"/>, but possibly fewer. False where there is no such memory.
    /// </summary>
    public virtual bool TryBorrow(long position, int maxBytes, out ReadOnlyMemory<byte> memory)
    {
        memory = default;
        return false;
    }

    /// <summary>
    /// Stands for a part of the file that is written and will not change, for sending it without reading it. Null where the system cannot.
    /// </summary>
    public virtual FileMemory? TryLend(long position, int length) => null;

    /// <summary>Cuts the file off at <paramref name="length"/>.</summary>
    public abstract void Truncate(long length);

    /// <summary>Forces what was written to disk.</summary>
    public abstract void Flush();

    /// <inheritdoc/>
    public abstract void Dispose();
}
