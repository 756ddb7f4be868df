namespace Kafka.Protocol.Records;

/// <summary>
/// One record, read in place. Key, value and headers are given as spans and also as positions within the buffer that the iterator
/// reads, so that a consumer who owns that buffer can keep slices of it.
/// </summary>
public readonly ref struct RecordView
{
    private readonly ReadOnlySpan<byte> _buffer;
    private readonly int _headerCount;

    internal RecordView(
        ReadOnlySpan<byte> buffer,
        long offset,
        long timestamp,
        int keyPosition,
        int keyLength,
        int valuePosition,
        int valueLength,
        int headersPosition,
        int headersLength,
        int headerCount,
        int encodedPosition)
    {
        _buffer = buffer;
        _headerCount = headerCount;
        Offset = offset;
        Timestamp = timestamp;
        KeyPosition = keyPosition;
        KeyLength = keyLength;
        ValuePosition = valuePosition;
        ValueLength = valueLength;
        HeadersPosition = headersPosition;
        HeadersLength = headersLength;
        EncodedPosition = encodedPosition;
    }

    /// <summary>Offset in the partition.</summary>
    public long Offset { get; }

    /// <summary>Unix milliseconds.</summary>
    public long Timestamp { get; }

    /// <summary>Where the key starts in the iterator's buffer; meaningless when <see cref="KeyLength"/> is -1.</summary>
    public int KeyPosition { get; }

    /// <summary>Length of the key in bytes, -1 for null.</summary>
    public int KeyLength { get; }

    /// <summary>Where the value starts in the iterator's buffer; meaningless when <see cref="ValueLength"/> is -1.</summary>
    public int ValuePosition { get; }

    /// <summary>Length of the value in bytes, -1 for null.</summary>
    public int ValueLength { get; }

    /// <summary>Where the encoded headers (count, then entries) start in the iterator's buffer.</summary>
    public int HeadersPosition { get; }

    /// <summary>Length of the encoded headers in bytes: 1 when there are none.</summary>
    public int HeadersLength { get; }

    /// <summary>Where the encoded record starts in the iterator's buffer.</summary>
    public int EncodedPosition { get; }

    /// <summary>The record as it is encoded, its length included.</summary>
    public ReadOnlySpan<byte> Encoded => _buffer[EncodedPosition..(HeadersPosition + HeadersLength)];

    /// <summary>Whether the key is null.</summary>
    public bool IsKeyNull => KeyLength < 0;

    /// <summary>Whether the value is null: a tombstone on a compacted topic.</summary>
    public bool IsValueNull => ValueLength < 0;

    /// <summary>The key; empty when it is null.</summary>
    public ReadOnlySpan<byte> Key => KeyLength < 0 ? default : _buffer.Slice(KeyPosition, KeyLength);

    /// <summary>The value; empty when it is null.</summary>
    public ReadOnlySpan<byte> Value => ValueLength < 0 ? default : _buffer.Slice(ValuePosition, ValueLength);

    /// <summary>The key, which may be null, as the builder takes it.</summary>
    public NullableBytes NullableKey => KeyLength < 0 ? NullableBytes.Null : new NullableBytes(Key);

    /// <summary>The value, which may be null, as the builder takes it.</summary>
    public NullableBytes NullableValue => ValueLength < 0 ? NullableBytes.Null : new NullableBytes(Value);

    /// <summary>The headers as they are encoded: their count and the entries.</summary>
    public ReadOnlySpan<byte> EncodedHeaders => _buffer.Slice(HeadersPosition, HeadersLength);

    /// <summary>Number of headers.</summary>
    public int HeaderCount => _headerCount;

    /// <summary>Iterates over the headers, in the order they were added.</summary>
    public RecordHeaderIterator GetHeaders() => new(_buffer, HeadersPosition, HeadersPosition + HeadersLength);
}
