using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;

namespace Streams.State.Bytes;

/// <summary>
/// Byte strings of any length in a few large arrays, named by a 32-bit handle: a million keys cost the collector nothing.
/// </summary>
/// <remarks>
/// <para>
/// A handle is a chunk number and an offset in units of 8 bytes. Slices are rounded up to one of 64 sizes (steps of 8 bytes, then four per doubling), and freed
/// ones wait in a list per size, linked through their own first bytes. The size follows from the length, so the caller's length is all that freeing needs.
/// Slices of half a chunk and more have an array of their own.
/// </para>
/// <para>The first chunk grows from 4 KiB, so that a small store costs little. Bound: 32,768 chunks; past it a <see cref="StateStoreException"/>.</para>
/// </remarks>
internal sealed class SliceArena
{
    private const int UnitBytes = 8;
    private const int ChunkUnitsLog2 = 17;
    private const int ChunkUnits = 1 << ChunkUnitsLog2;
    private const int ChunkBytes = ChunkUnits * UnitBytes;
    private const int FirstChunkBytes = 4 << 10;
    private const int MaxChunks = 1 << (32 - ChunkUnitsLog2);
    private const int SmallUnits = 16;
    private const int LargestPooledUnits = ChunkUnits / 2;
    private const int ClassCount = 64;

    private readonly uint[] _free = new uint[ClassCount];
    private readonly Stack<int> _freeChunks = new();
    private byte[][] _chunks = [];
    private int _chunkCount;
    private int _current = -1;

    // Unit 0 of chunk 0 is never given out, so that handle 0 means "nothing".
    private int _nextUnit = 1;

    /// <summary>Bytes of live slices, rounded up as they are.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Bytes of the arrays.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Whether a slice of one length can be overwritten with the other length in place.</summary>
    public static bool SameCapacity(int length, int otherLength) => length != 0 && otherLength != 0 && CapacityUnits(length) == CapacityUnits(otherLength);

    /// <summary>Stores bytes; 0 for none.</summary>
    public uint Store(ReadOnlySpan<byte> bytes)
    {
        var handle = Allocate(bytes.Length);
        if (handle != 0) bytes.CopyTo(Span(handle, bytes.Length));
        return handle;
    }

    /// <summary>A slice of the given length with any content; 0 for length 0.</summary>
    public uint Allocate(int length)
    {
        Debug.Assert(length >= 0, "lengths are not negative");
        if (length == 0) return 0;
        var units = CapacityUnits(length);
        if (units > LargestPooledUnits) return AllocateLarge(length);

        UsedBytes += (long)units * UnitBytes;
        var sizeClass = ClassOf(units);
        var head = _free[sizeClass];
        if (head != 0)
        {
            _free[sizeClass] = BinaryPrimitives.ReadUInt32LittleEndian(Span(head, sizeof(uint)));
            return head;
        }

        if (_current < 0 || !Fits(units)) NewChunk(units);
        var handle = ((uint)_current << ChunkUnitsLog2) | (uint)_nextUnit;
        _nextUnit += units;
        return handle;
    }

    /// <summary>Gives a slice back.</summary>
    public void Free(uint handle, int length)
    {
        if (length == 0) return;
        var units = CapacityUnits(length);
        if (units > LargestPooledUnits)
        {
            var chunk = (int)(handle >> ChunkUnitsLog2);
            UsedBytes -= length;
            AllocatedBytes -= length;
            _chunks[chunk] = [];
            _freeChunks.Push(chunk);
            return;
        }

        UsedBytes -= (long)units * UnitBytes;
        var sizeClass = ClassOf(units);
        BinaryPrimitives.WriteUInt32LittleEndian(Span(handle, sizeof(uint)), _free[sizeClass]);
        _free[sizeClass] = handle;
    }

    /// <summary>The bytes of a slice; valid until the next call that allocates, frees or clears.</summary>
    public Span<byte> Span(uint handle, int length) =>
        length == 0 ? default : _chunks[handle >> ChunkUnitsLog2].AsSpan((int)(handle & (ChunkUnits - 1)) * UnitBytes, length);

    private static int CapacityUnits(int length)
    {
        var units = (int)(((uint)length + UnitBytes - 1) / UnitBytes);
        if (units <= SmallUnits) return units;
        var step = 1 << (BitOperations.Log2((uint)units - 1) - 2);
        return (units + step - 1) & ~(step - 1);
    }

    private static int ClassOf(int units)
    {
        if (units <= SmallUnits) return units - 1;
        var log = BitOperations.Log2((uint)units - 1);
        return SmallUnits + ((log - 4) * 4) + ((units - (1 << log)) >> (log - 2)) - 1;
    }

    private bool Fits(int units)
    {
        var chunk = _chunks[_current];
        var needed = (long)(_nextUnit + units) * UnitBytes;
        if (needed <= chunk.Length) return true;
        if (needed > ChunkBytes || chunk.Length == ChunkBytes) return false;

        // Only the first chunk is ever smaller than a whole one; offsets stay what they are.
        var size = (int)Math.Min(ChunkBytes, Math.Max(needed, chunk.Length * 2L));
        AllocatedBytes += size - chunk.Length;
        Array.Resize(ref _chunks[_current], size);
        return true;
    }

    private void NewChunk(int units)
    {
        var size = _chunkCount == 0 ? Math.Max(FirstChunkBytes, (units + 1) * UnitBytes) : ChunkBytes;
        _current = TakeChunkNumber();
        _chunks[_current] = GC.AllocateUninitializedArray<byte>(size);
        AllocatedBytes += size;
        _nextUnit = _current == 0 ? 1 : 0;
    }

    private uint AllocateLarge(int length)
    {
        // Chunk 0 is kept for small slices: a large one there would have handle 0.
        if (_chunkCount == 0) NewChunk(0);
        var chunk = TakeChunkNumber();
        _chunks[chunk] = GC.AllocateUninitializedArray<byte>(length);
        UsedBytes += length;
        AllocatedBytes += length;
        return (uint)chunk << ChunkUnitsLog2;
    }

    private int TakeChunkNumber()
    {
        if (_freeChunks.TryPop(out var reused)) return reused;
        if (_chunkCount == MaxChunks)
            throw new StateStoreException($"A store's table in memory is full: {AllocatedBytes >> 20} MiB in {MaxChunks} chunks. Use a persistent store, or more partitions.");
        if (_chunkCount == _chunks.Length) Array.Resize(ref _chunks, Math.Max(4, _chunks.Length * 2));
        return _chunkCount++;
    }
}
