using System.Buffers;
using System.Runtime.InteropServices;

namespace Streams.Core;

/// <summary>
/// Records of one partition as they cross from a cluster to the engine: one buffer and, for each record, where its parts lie in it. No object per record.
/// </summary>
/// <remarks>
/// <para>Filled by an adapter, read by one thread, then disposed by whoever polled it, which gives pooled memory back.</para>
/// <para>Headers lie in the buffer as Kafka's record format v2 has them: for each, zigzag-varint length and UTF-8 name, zigzag-varint length (-1: null) and bytes.</para>
/// </remarks>
public sealed class RecordBatch : IDisposable
{
    private readonly IDisposable? _owner;
    private ReadOnlyMemory<byte> _buffer;
    private ArraySegment<byte> _segment;
    private RecordSlice[] _slices;
    private bool _disposed;

    /// <summary>Creates a batch over a buffer that the adapter owns.</summary>
    /// <param name="partition">Where the records are from.</param>
    /// <param name="buffer">Holds keys, values and headers.</param>
    /// <param name="slices">Where; pooled arrays may be longer than <paramref name="count"/> and are returned to the shared pool on dispose.</param>
    /// <param name="count">Number of records.</param>
    /// <param name="nextOffset">Offset after the batch, also when its last records were control records or compacted away.</param>
    /// <param name="owner">Disposed with the batch.</param>
    public RecordBatch(TopicPartition partition, ReadOnlyMemory<byte> buffer, RecordSlice[] slices, int count, long nextOffset, IDisposable? owner = null)
    {
        ArgumentNullException.ThrowIfNull(slices);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, slices.Length);
        Partition = partition;
        _buffer = buffer;

        // Taking a span of memory asks each time what kind of memory it is, which shows at three times per record.
        if (!MemoryMarshal.TryGetArray(buffer, out _segment)) _segment = default;
        _slices = slices;
        Count = count;
        NextOffset = nextOffset;
        _owner = owner;
    }

    /// <summary>Where the records are from.</summary>
    public TopicPartition Partition { get; }

    /// <summary>Number of records; may be 0 when only <see cref="NextOffset"/> moved.</summary>
    public int Count { get; }

    /// <summary>The position a consumer is at after this batch.</summary>
    public long NextOffset { get; }

    /// <summary>Bytes held.</summary>
    public int SizeBytes => _buffer.Length;

    /// <summary>Offset, timestamp and places of a record.</summary>
    public ref readonly RecordSlice this[int index] => ref _slices[index];

    /// <summary>Bytes of a record's key, empty when absent.</summary>
    public ReadOnlySpan<byte> Key(int index)
    {
        ref readonly var slice = ref _slices[index];
        return slice.KeyLength <= 0 ? default : Bytes(slice.KeyStart, slice.KeyLength);
    }

    /// <summary>Bytes of a record's value, empty when absent.</summary>
    public ReadOnlySpan<byte> Value(int index)
    {
        ref readonly var slice = ref _slices[index];
        return slice.ValueLength <= 0 ? default : Bytes(slice.ValueStart, slice.ValueLength);
    }

    /// <summary>A record's headers; <c>null</c> when it has none.</summary>
    /// <exception cref="SerializationException">They are malformed.</exception>
    public Headers? Headers(int index)
    {
        ref readonly var slice = ref _slices[index];
        return slice.HeaderCount == 0 ? null : HeaderEncoding.Read(_buffer.Span[slice.HeadersStart..], slice.HeaderCount);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _buffer = default;
        _segment = default;
        if (_slices.Length > 0) ArrayPool<RecordSlice>.Shared.Return(_slices);
        _slices = [];
        _owner?.Dispose();
    }

    private ReadOnlySpan<byte> Bytes(int start, int length) =>
        _segment.Array is not null ? _segment.AsSpan(start, length) : _buffer.Span.Slice(start, length);
}

/// <summary>Where the parts of one record lie in its batch's buffer.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct RecordSlice
{
    /// <summary>Creates a slice; a length of -1 is an absent key or value.</summary>
    public RecordSlice(long offset, long timestamp, int keyStart, int keyLength, int valueStart, int valueLength, int headersStart, int headerCount)
    {
        Offset = offset;
        Timestamp = timestamp;
        KeyStart = keyStart;
        KeyLength = keyLength;
        ValueStart = valueStart;
        ValueLength = valueLength;
        HeadersStart = headersStart;
        HeaderCount = headerCount;
    }

    /// <summary>The record's offset.</summary>
    public long Offset { get; }

    /// <summary>The record's timestamp, Unix milliseconds; -1 when the writer gave none.</summary>
    public long Timestamp { get; }

    /// <summary>Start of the key in the buffer.</summary>
    public int KeyStart { get; }

    /// <summary>Length of the key; -1 when absent.</summary>
    public int KeyLength { get; }

    /// <summary>Start of the value in the buffer.</summary>
    public int ValueStart { get; }

    /// <summary>Length of the value; -1 when absent.</summary>
    public int ValueLength { get; }

    /// <summary>Start of the encoded headers in the buffer.</summary>
    public int HeadersStart { get; }

    /// <summary>Number of headers.</summary>
    public int HeaderCount { get; }

    /// <summary>Whether the record has a key.</summary>
    public bool HasKey => KeyLength >= 0;

    /// <summary>Whether the record has a value.</summary>
    public bool HasValue => ValueLength >= 0;
}
