using System.Buffers;
using Confluent.Kafka;

namespace Streams.Kafka.Librdkafka;

/// <summary>
/// The buffer that one drain of the client's queue fills: keys, values and headers of all its partitions, back to back. Doubles as Confluent.Kafka's
/// deserialiser, so that bytes go from librdkafka's memory into it without an array of their own.
/// </summary>
/// <remarks>Filled by the polling thread only. <see cref="Detach"/> hands the filled part to the batches of the drain and starts afresh.</remarks>
internal sealed class BatchBuffer : IDeserializer<ByteRange>, IBufferWriter<byte>
{
    private const int InitialBytes = 1 << 16;

    private byte[] _bytes = [];
    private int _length;

    /// <summary>Bytes filled since the last <see cref="Detach"/>.</summary>
    public int Length => _length;

    /// <inheritdoc/>
    public ByteRange Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        var start = _length;
        if (isNull) return new ByteRange(start, -1);
        data.CopyTo(GetSpan(data.Length));
        _length += data.Length;
        return new ByteRange(start, data.Length);
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _length);
        _length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(_length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(_length);
    }

    /// <summary>Gives the filled bytes away. They go back to the pool when the returned memory has been released as often as it was retained, and once more.</summary>
    public SharedBytes Detach()
    {
        var detached = new SharedBytes(_bytes, _length);
        _bytes = [];
        _length = 0;
        return detached;
    }

    private void Reserve(int size)
    {
        if (_bytes.Length - _length >= Math.Max(size, 1)) return;
        var grown = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(checked(_length + size), InitialBytes), (int)Math.Min(2L * _bytes.Length, Array.MaxLength)));
        _bytes.AsSpan(0, _length).CopyTo(grown);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = grown;
    }
}
