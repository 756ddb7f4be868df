using System.Diagnostics;

namespace Broker.Lite.Logs;

/// <summary>
/// A file in memory, as a list of chunks. A write that fits into the last chunk goes there and otherwise into a new one, never across
/// two, so that whole batches can be lent out. Chunks are not pooled: what was lent stays valid when the file goes.
/// </summary>
internal sealed class MemoryLogFile : LogFile
{
    private const int MinChunkBytes = 4 * 1024;
    private const int MaxChunkBytes = 1024 * 1024;

    private Chunk[] _chunks = [];
    private int _chunkCount;
    private long _length;

    public override long Length => Volatile.Read(ref _length);

    public override void Write(long position, ReadOnlySpan<byte> data)
    {
        if (position < _length)
        {
            Overwrite(position, data);
            return;
        }

        Debug.Assert(position == _length, "files grow at their end");
        Chunk[] chunks = _chunks;
        Chunk? last = _chunkCount == 0 ? null : chunks[_chunkCount - 1];
        if (last is null || data.Length > last.Bytes.Length - (int)(position - last.Start))
            last = AddChunk(position, data.Length);
        data.CopyTo(last.Bytes.AsSpan((int)(position - last.Start)));

        // Readers look at the length first and then at the chunks, which were published before it.
        Volatile.Write(ref _length, position + data.Length);
    }

    public override int Read(long position, Span<byte> destination)
    {
        int total = 0;
        while (total < destination.Length && TryBorrow(position + total, destination.Length - total, out ReadOnlyMemory<byte> part))
        {
            part.Span.CopyTo(destination[total..]);
            total += part.Length;
        }

        return total;
    }

    public override bool TryBorrow(long position, int maxBytes, out ReadOnlyMemory<byte> memory)
    {
        long length = Length;
        memory = default;
        if (position < 0 || position >= length || maxBytes <= 0)
            return false;
        Chunk[] chunks = Volatile.Read(ref _chunks);
        int index = FindChunk(chunks, position);
        Chunk chunk = chunks[index];
        Chunk? next = index + 1 < chunks.Length ? Volatile.Read(ref chunks[index + 1]) : null;
        long end = Math.Min(length, next?.Start ?? long.MaxValue);
        memory = chunk.Bytes.AsMemory((int)(position - chunk.Start), (int)Math.Min(maxBytes, end - position));
        return true;
    }

    public override void Truncate(long length)
    {
        while (_chunkCount > 0 && _chunks[_chunkCount - 1].Start >= length)
            _chunks[--_chunkCount] = null!;
        Volatile.Write(ref _length, length);
    }

    public override void Flush()
    {
    }

    public override void Dispose()
    {
    }

    private static int FindChunk(Chunk[] chunks, long position)
    {
        int low = 0;
        int high = chunks.Length - 1;
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            Chunk? chunk = Volatile.Read(ref chunks[middle]);
            if (chunk is not null && chunk.Start <= position)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    private void Overwrite(long position, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int index = FindChunk(_chunks, position);
            Chunk chunk = _chunks[index];
            long end = index + 1 < _chunkCount ? _chunks[index + 1].Start : _length;
            int part = (int)Math.Min(data.Length, end - position);
            if (part <= 0)
            {
                Write(position, data);
                return;
            }

            data[..part].CopyTo(chunk.Bytes.AsSpan((int)(position - chunk.Start)));
            data = data[part..];
            position += part;
        }
    }

    private Chunk AddChunk(long start, int neededBytes)
    {
        // Small at first, so that a thousand idle partitions cost little.
        long sized = Math.Clamp(_length, MinChunkBytes, MaxChunkBytes);
        var chunk = new Chunk(start, GC.AllocateUninitializedArray<byte>((int)Math.Max(sized, neededBytes)));
        if (_chunkCount == _chunks.Length)
        {
            Chunk[] larger = new Chunk[Math.Max(4, _chunks.Length * 2)];
            Array.Copy(_chunks, larger, _chunkCount);
            Volatile.Write(ref _chunks, larger);
        }

        Volatile.Write(ref _chunks[_chunkCount++], chunk);
        return chunk;
    }

    private sealed record Chunk(long Start, byte[] Bytes);
}
