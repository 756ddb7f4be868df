namespace Kafka.Protocol.Records;

/// <summary>One header of a record, read in place, with its positions in the record iterator's buffer.</summary>
public readonly ref struct RecordHeaderView
{
    private readonly ReadOnlySpan<byte> _buffer;

    internal RecordHeaderView(ReadOnlySpan<byte> buffer, int keyPosition, int keyLength, int valuePosition, int valueLength)
    {
        _buffer = buffer;
        KeyPosition = keyPosition;
        KeyLength = keyLength;
        ValuePosition = valuePosition;
        ValueLength = valueLength;
    }

    /// <summary>Where the key starts in the buffer.</summary>
    public int KeyPosition { get; }

    /// <summary>Length of the key in bytes.</summary>
    public int KeyLength { get; }

    /// <summary>Where the value starts in the buffer; meaningless when <see cref="ValueLength"/> is -1.</summary>
    public int ValuePosition { get; }

    /// <summary>Length of the value in bytes, -1 for null.</summary>
    public int ValueLength { get; }

    /// <summary>The key, in UTF-8. Keys may repeat within a record.</summary>
    public ReadOnlySpan<byte> Key => _buffer.Slice(KeyPosition, KeyLength);

    /// <summary>Whether the value is null.</summary>
    public bool IsValueNull => ValueLength < 0;

    /// <summary>The value; empty when it is null.</summary>
    public ReadOnlySpan<byte> Value => ValueLength < 0 ? default : _buffer.Slice(ValuePosition, ValueLength);
}
