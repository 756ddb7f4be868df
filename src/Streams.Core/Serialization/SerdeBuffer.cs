using System.Buffers;

namespace Streams.Core;

/// <summary>A growing buffer that is cleared and used again, so that serialising allocates nothing once it has grown to its working size.</summary>
/// <remarks>Bounded by <see cref="MaxBytes"/>: a value that serialises to more is refused with a <see cref="SerializationException"/>.</remarks>
internal sealed class SerdeBuffer(int initialBytes = 256) : IBufferWriter<byte>
{
    /// <summary>Largest serialised value: 1 GiB.</summary>
    public const int MaxBytes = 1 << 30;

    private byte[] _buffer = new byte[initialBytes];
    private int _written;

    public int WrittenCount => _written;

    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, _written);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _written);

    public void Clear() => _written = 0;

    /// <summary>Overwrites 4 written bytes with a big-endian number: a length that is known only after what it counts.</summary>
    public void Patch(int at, int value) => System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(0, _written)[at..], value);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _written);
        _written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_written);
    }

    private void Reserve(int sizeHint)
    {
        var needed = Math.Max(1, sizeHint);
        if (_buffer.Length - _written >= needed) return;
        var size = Math.Max((long)_buffer.Length * 2, (long)_written + needed);
        if ((long)_written + needed > MaxBytes)
            throw new SerializationException($"A serialised value needs more than {MaxBytes} bytes.");
        Array.Resize(ref _buffer, (int)Math.Min(size, MaxBytes));
    }
}
