using System.Buffers;
using Streams.Core;

namespace Streams.Client.Producing;

/// <summary>Grows in pooled arrays; whoever takes <see cref="Array"/> gives it back.</summary>
internal sealed class PooledBuffer : IBufferWriter<byte>
{
    /// <summary>Largest record: 1 GiB, far above what a broker takes.</summary>
    private const int MaxBytes = 1 << 30;

    public byte[] Array { get; private set; } = ArrayPool<byte>.Shared.Rent(256);

    public int Length { get; private set; }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.Length - Length);
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return Array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return Array.AsSpan(Length);
    }

    private void Reserve(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        var needed = (long)Length + Math.Max(sizeHint, 1);
        if (needed <= Array.Length) return;
        if (needed > MaxBytes) throw new SerializationException($"Key and value serialise to more than {MaxBytes} bytes.");
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, Array.Length * 2L), MaxBytes));
        Array.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(Array);
        Array = larger;
    }
}
