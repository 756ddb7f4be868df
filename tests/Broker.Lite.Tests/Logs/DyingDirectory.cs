using Broker.Lite.Logs;

namespace Broker.Lite.Tests.Logs;

/// <summary>
/// A folder of a process that is killed: from a chosen change to its files on, none happens any more. Of the last write a part may get through.
/// </summary>
internal sealed class DyingDirectory(LogDirectory inner) : LogDirectory
{
    /// <summary>How many more changes happen; null for any number.</summary>
    public int? StepsLeft { get; set; }

    /// <summary>Changes so far.</summary>
    public int Steps { get; private set; }

    public override bool IsOnDisk => true;

    public override LogFile Open(string name)
    {
        Step();
        return new DyingFile(this, inner.Open(name));
    }

    public override IReadOnlyList<string> List() => inner.List();

    public override void Delete(string name)
    {
        Step();
        inner.Delete(name);
    }

    public override void Rename(string name, string newName)
    {
        Step();
        inner.Rename(name, newName);
    }

    public override void Sync() => Step();

    public override byte[]? TryReadAll(string name, int maxBytes) => inner.TryReadAll(name, maxBytes);

    public override void Replace(string name, ReadOnlySpan<byte> content)
    {
        Step();
        inner.Replace(name, content);
    }

    public override void Remove()
    {
        Step();
        inner.Remove();
    }

    private void Step()
    {
        if (StepsLeft == 0)
            throw new IOException("the process is dead");
        Steps++;
        StepsLeft--;
    }

    private sealed class DyingFile(DyingDirectory directory, LogFile inner) : LogFile
    {
        public override long Length => inner.Length;

        public override void Write(long position, ReadOnlySpan<byte> data)
        {
            if (directory.StepsLeft == 0)
                inner.Write(position, data[..(data.Length / 2)]);
            directory.Step();
            inner.Write(position, data);
        }

        public override int Read(long position, Span<byte> destination) => inner.Read(position, destination);

        public override void Truncate(long length)
        {
            directory.Step();
            inner.Truncate(length);
        }

        public override void Flush() => directory.Step();

        public override void Dispose() => inner.Dispose();
    }
}
