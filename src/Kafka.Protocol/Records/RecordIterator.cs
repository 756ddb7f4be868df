using System.Diagnostics.CodeAnalysis;

namespace Kafka.Protocol.Records;

/// <summary>
/// Walks over the decompressed records of one batch without allocating. Every length is checked against the record that holds it
/// before it is used, and what the header claims (count, last offset) must be true, or the walk ends with a <see cref="ProtocolException"/>.
/// </summary>
/// <remarks>
/// Shape of a record, all varints zigzag: length, attributes (1 byte, unused), timestamp delta (64 bits), offset delta, key length
/// (-1 = null) and key, value length and value, header count, and per header key length, key, value length, value.
/// </remarks>
public ref struct RecordIterator
{
    /// <summary>Smallest possible record: seven fields of one byte each.</summary>
    internal const int MinRecordBytes = 7;

    private readonly ReadOnlySpan<byte> _buffer;
    private readonly long _baseOffset;
    private readonly long _baseTimestamp;
    private readonly long _appendTimestamp;
    private readonly int _lastOffsetDelta;
    private readonly bool _isLogAppendTime;
    private int _position;
    private int _remaining;
    private int _previousOffsetDelta;
    private RecordView _current;

    internal RecordIterator(RecordBatchHeader header, ReadOnlySpan<byte> buffer)
    {
        _buffer = buffer;
        _baseOffset = header.BaseOffset;
        _baseTimestamp = header.BaseTimestamp;
        _appendTimestamp = header.MaxTimestamp;
        _isLogAppendTime = header.TimestampType == TimestampType.LogAppendTime;
        _lastOffsetDelta = header.LastOffsetDelta;
        _remaining = header.RecordCount;
        _previousOffsetDelta = -1;
        if (_remaining < 0 || (long)_remaining * MinRecordBytes > buffer.Length)
            ThrowMalformed("record count");
    }

    /// <summary>The record that <see cref="MoveNext"/> came to.</summary>
    public readonly RecordView Current => _current;

    /// <summary>Lets <c>foreach</c> walk over the records.</summary>
    public readonly RecordIterator GetEnumerator() => this;

    /// <summary>Reads the next record; false after the last.</summary>
    /// <exception cref="ProtocolException">The record is malformed, or bytes are left after the last one.</exception>
    public bool MoveNext()
    {
        if (_remaining == 0)
        {
            if (_position != _buffer.Length)
                ThrowMalformed("end: bytes are left after the last record");
            return false;
        }

        _remaining--;
        int start = _position;
        int position = start;
        if (!Varint.TryReadInt32(_buffer, ref position, out int length) || length < MinRecordBytes - 1 || length > _buffer.Length - position)
            ThrowMalformed("length");
        int end = position + length;
        ReadOnlySpan<byte> record = _buffer[..end];
        position++; // attributes: no bit of them is defined
        if (!Varint.TryReadInt64(record, ref position, out long timestampDelta))
            ThrowMalformed("timestamp");
        if (!Varint.TryReadInt32(record, ref position, out int offsetDelta) || offsetDelta <= _previousOffsetDelta || offsetDelta > _lastOffsetDelta)
            ThrowMalformed("offset");
        _previousOffsetDelta = offsetDelta;
        if (!Varint.TryReadInt32(record, ref position, out int keyLength) || keyLength < -1 || keyLength > end - position)
            ThrowMalformed("key length");
        int keyPosition = position;
        position += Math.Max(keyLength, 0);
        if (!Varint.TryReadInt32(record, ref position, out int valueLength) || valueLength < -1 || valueLength > end - position)
            ThrowMalformed("value length");
        int valuePosition = position;
        position += Math.Max(valueLength, 0);
        int headersPosition = position;
        int headerCount = SkipHeaders(record, ref position);
        if (position != end)
            ThrowMalformed("length: it is not the sum of the fields");

        _position = end;
        long timestamp = _isLogAppendTime ? _appendTimestamp : unchecked(_baseTimestamp + timestampDelta);
        _current = new RecordView(
            _buffer,
            _baseOffset + offsetDelta,
            timestamp,
            keyPosition,
            keyLength,
            valuePosition,
            valueLength,
            headersPosition,
            end - headersPosition,
            headerCount,
            start);
        return true;
    }

    private static int SkipHeaders(ReadOnlySpan<byte> record, ref int position)
    {
        // A header takes two bytes at least, so the count is bounded by the bytes that are there.
        if (!Varint.TryReadInt32(record, ref position, out int count) || count < 0 || count > (record.Length - position) / 2)
            ThrowMalformed("header count");
        for (int i = 0; i < count; i++)
        {
            if (!Varint.TryReadInt32(record, ref position, out int keyLength) || keyLength < 0 || keyLength > record.Length - position)
                ThrowMalformed("header key length");
            position += keyLength;
            if (!Varint.TryReadInt32(record, ref position, out int valueLength) || valueLength < -1 || valueLength > record.Length - position)
                ThrowMalformed("header value length");
            position += Math.Max(valueLength, 0);
        }

        return count;
    }

    [DoesNotReturn]
    private static void ThrowMalformed(string field) => throw new ProtocolException(ErrorCode.CorruptMessage, $"Malformed record in a batch: {field}.");
}
