using Broker.Lite.Logs;

namespace Broker.Lite.Tests.Logs;

/// <summary>A folder whose disk can fill up: writes then fail, after a part of the bytes has been written.</summary>
internal sealed class FaultyDirectory(LogDirectory inner) : LogDirectory
{
    private const string Message = "No space left on device";

    /// <summary>Whether writes fail from now on.</summary>
    public bool IsFull { get; set; }

    /// <summary>Whether cutting files off fails, too.</summary>
    public bool CannotTruncate { get; set; }

    /// <summary>How many bytes of a failing write still get into the file.</summary>
    public int TornBytes { get; set; }

    public override LogFile Open(string name) => new FaultyFile(this, inner.Open(name));

    public override IReadOnlyList<string> List() => inner.List();

    public override void Delete(string name) => inner.Delete(name);

    public override byte[]? TryReadAll(string name, int maxBytes) => inner.TryReadAll(name, maxBytes);

    public override void Replace(string name, ReadOnlySpan<byte> content)
    {
        if (IsFull)
            throw new IOException(Message);
        inner.Replace(name, content);
    }

    public override bool IsOnDisk => inner.IsOnDisk;

    public override void Rename(string name, string newName) => inner.Rename(name, newName);

    public override void Sync() => inner.Sync();

    public override void Remove() => inner.Remove();

    /// <summary>Changes a file behind the log's back.</summary>
    public void Corrupt(string name, Action<LogFile> change)
    {
        using LogFile file = inner.Open(name);
        change(file);
    }

    private sealed class FaultyFile(FaultyDirectory directory, LogFile inner) : LogFile
    {
        public override long Length => inner.Length;

        public override void Write(long position, ReadOnlySpan<byte> data)
        {
            if (!directory.IsFull)
            {
                inner.Write(position, data);
                return;
            }

            inner.Write(position, data[..Math.Min(directory.TornBytes, data.Length)]);
            throw new IOException(Message);
        }

        public override int Read(long position, Span<byte> destination) => inner.Read(position, destination);

        public override bool TryBorrow(long position, int maxBytes, out ReadOnlyMemory<byte> memory) => inner.TryBorrow(position, maxBytes, out memory);

        public override FileMemory? TryLend(long position, int length) => inner.TryLend(position, length);

        public override void Truncate(long length)
        {
            if (directory.CannotTruncate)
                throw new IOException(Message);
            inner.Truncate(length);
        }

        public override void Flush() => inner.Flush();

        public override void Dispose() => inner.Dispose();
    }
}
