using System.Buffers;

namespace Streams.Kafka.Librdkafka;

/// <summary>A pooled array that the batches of one drain share: the last one disposed gives it back.</summary>
/// <remarks>Each batch disposes it once (<see cref="Streams.Core.RecordBatch"/> guarantees that); batches may be disposed on different threads.</remarks>
internal sealed class SharedBytes(byte[] bytes, int length) : IDisposable
{
    private int _holders = 1;

    public ReadOnlyMemory<byte> Memory { get; } = bytes.AsMemory(0, length);

    /// <summary>One more batch holds it.</summary>
    public void Retain() => Interlocked.Increment(ref _holders);

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0 && bytes.Length > 0) ArrayPool<byte>.Shared.Return(bytes);
    }
}
