using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Kafka.Protocol.Records;

/// <summary>
/// A growing byte buffer over pooled memory with a hard upper bound. It has one owner, who disposes it; memory and spans taken from it are
/// invalid afterwards. Asking for more than the bound is a <see cref="ProtocolException"/>, so a decompression bomb ends there. Not thread-safe.
/// </summary>
public sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private const int MinimumCapacityBytes = 256;

    private byte[] _array;
    private int _length;

    /// <summary>Creates an empty buffer that may grow to <paramref name="maxBytes"/>.</summary>
    /// <param name="maxBytes">Upper bound in bytes, at most <see cref="Array.MaxLength"/>.</param>
    /// <param name="initialCapacityBytes">How much to rent at once.</param>
    public PooledBuffer(int maxBytes, int initialCapacityBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(initialCapacityBytes);
        MaxBytes = Math.Min(maxBytes, Array.MaxLength);
        _array = initialCapacityBytes == 0 ? [] : ArrayPool<byte>.Shared.Rent(Math.Min(initialCapacityBytes, MaxBytes));
    }

    /// <summary>The bound given at creation, in bytes.</summary>
    public int MaxBytes { get; }

    /// <summary>Bytes written so far.</summary>
    public int Length => _length;

    /// <summary>What has been written; valid until the next write or <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, _length);

    /// <summary>What has been written; valid until the next write or <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _array.AsSpan(0, _length);

    /// <summary>What has been written, for patching in place.</summary>
    internal Span<byte> MutableSpan => _array.AsSpan(0, _length);

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(_array.Length, MaxBytes) - _length);
        _length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsMemory(_length, Math.Min(_array.Length, MaxBytes) - _length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsSpan(_length, Math.Min(_array.Length, MaxBytes) - _length);
    }

    /// <summary>Appends a copy of <paramref name="source"/>.</summary>
    public void Write(ReadOnlySpan<byte> source)
    {
        Reserve(source.Length);
        source.CopyTo(_array.AsSpan(_length));
        _length += source.Length;
    }

    /// <summary>Forgets what was written and keeps the memory.</summary>
    public void Clear() => _length = 0;

    /// <summary>Gives the memory back. Doing it again has no effect.</summary>
    public void Dispose()
    {
        byte[] array = _array;
        _array = [];
        _length = 0;
        if (array.Length > 0)
            ArrayPool<byte>.Shared.Return(array);
    }

    /// <summary>Drops everything written at and after <paramref name="length"/>.</summary>
    internal void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)_length, nameof(length));
        _length = length;
    }

    /// <summary>Room for up to <paramref name="wanted"/> more bytes: less where the bound is near, nothing at the bound.</summary>
    internal Span<byte> GetSpanWithinBound(int wanted)
    {
        int allowed = Math.Min(wanted, MaxBytes - _length);
        Reserve(allowed);
        return _array.AsSpan(_length, allowed);
    }

    /// <summary>The memory up to <paramref name="end"/>, written or not: a decoder reads back what it wrote before.</summary>
    internal Span<byte> ArrayUpTo(int end) => _array.AsSpan(0, Math.Min(end, MaxBytes));

    /// <summary>Ends a decoder whose output does not fit.</summary>
    [DoesNotReturn]
    internal void ThrowBoundExceeded() => ThrowBoundExceeded(MaxBytes);

    /// <summary>Makes room for <paramref name="count"/> more bytes.</summary>
    internal void Reserve(int count)
    {
        if (count > _array.Length - _length || count > MaxBytes - _length)
            Grow(count);
    }

    private void Grow(int count)
    {
        if (count > MaxBytes - _length)
            ThrowBoundExceeded(MaxBytes);
        int needed = _length + count;
        int doubled = (int)Math.Min(MaxBytes, Math.Max(MinimumCapacityBytes, 2L * _array.Length));
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, doubled));
        _array.AsSpan(0, _length).CopyTo(larger);
        if (_array.Length > 0)
            ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }

    [DoesNotReturn]
    private static void ThrowBoundExceeded(int maxBytes) =>
        throw new ProtocolException(ErrorCode.CorruptMessage, $"The data is larger than the {maxBytes} bytes allowed for it.");
}
