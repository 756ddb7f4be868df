using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;

namespace Kafka.Protocol.Records;

/// <summary>
/// Builds one batch in pooled memory, allocating nothing per record. <see cref="Build"/> may be called once per batch;
/// <see cref="Reset()"/> starts the next one in the same memory. Not thread-safe.
/// </summary>
public sealed class RecordBatchBuilder : IDisposable
{
    /// <summary>Largest number of bytes that the fields of a record other than key, value and headers take.</summary>
    private const int MaxRecordOverheadBytes =
        Varint.MaxInt32Bytes + 1 + Varint.MaxInt64Bytes + (3 * Varint.MaxInt32Bytes);

    private readonly PooledBuffer _plain;
    private PooledBuffer? _compressed;
    private RecordBatchOptions _options;
    private long _producerId;
    private short _producerEpoch;
    private int _baseSequence;
    private long _baseTimestamp;
    private long _maxTimestamp;
    private int _lastOffsetDelta;
    private int _count;
    private bool _built;

    /// <summary>Creates a builder for batches with these options.</summary>
    public RecordBatchBuilder(RecordBatchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxBytes, RecordBatchHeader.SizeBytes, nameof(options));
        _plain = new PooledBuffer(options.MaxBytes);
        _options = options;
        Reset();
    }

    /// <summary>Number of records so far.</summary>
    public int Count => _count;

    /// <summary>Size of the batch so far in bytes, before compression.</summary>
    public int UncompressedBytes => _plain.Length;

    /// <summary>Largest timestamp so far in Unix milliseconds; -1 without records.</summary>
    public long MaxTimestamp => _maxTimestamp;

    /// <summary>Starts the next batch with the same options.</summary>
    public void Reset()
    {
        _plain.Clear();
        _plain.GetSpan(RecordBatchHeader.SizeBytes)[..RecordBatchHeader.SizeBytes].Clear();
        _plain.Advance(RecordBatchHeader.SizeBytes);
        _producerId = _options.ProducerId;
        _producerEpoch = _options.ProducerEpoch;
        _baseSequence = _options.BaseSequence;
        _baseTimestamp = RecordBatchHeader.NoTimestamp;
        _maxTimestamp = RecordBatchHeader.NoTimestamp;
        _lastOffsetDelta = -1;
        _count = 0;
        _built = false;
    }

    /// <summary>Starts the next batch with other options; the bound on its size stays what it was.</summary>
    public void Reset(RecordBatchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        Reset();
    }

    /// <summary>Says who produces the batch, when that is known only once it is full. Instead of the options' values, for this batch.</summary>
    public void SetProducer(long producerId, short producerEpoch, int baseSequence)
    {
        _producerId = producerId;
        _producerEpoch = producerEpoch;
        _baseSequence = baseSequence;
    }

    /// <summary>
    /// Appends a record. False, and nothing appended, when it would make the batch larger than <see cref="RecordBatchOptions.MaxBytes"/>.
    /// </summary>
    /// <param name="timestamp">Unix milliseconds.</param>
    /// <param name="key">The key, or null.</param>
    /// <param name="value">The value, or null.</param>
    /// <param name="headers">The headers.</param>
    public bool TryAppend(long timestamp, NullableBytes key, NullableBytes value, ReadOnlySpan<RecordHeader> headers = default)
    {
        if (headers.IsEmpty)
            return TryAppendEncoded(_lastOffsetDelta + 1, timestamp, key, value, [0]);

        long headersBytes = Varint.SizeOf(headers.Length);
        foreach (RecordHeader header in headers)
        {
            int keyBytes = Encoding.UTF8.GetByteCount(header.Key);
            int valueBytes = header.Value?.Length ?? -1;
            headersBytes += Varint.SizeOf(keyBytes) + (long)keyBytes + Varint.SizeOf(valueBytes) + Math.Max(valueBytes, 0);
        }

        if (headersBytes > _plain.MaxBytes)
            return false;
        byte[]? rented = null;
        Span<byte> encoded = headersBytes <= 512
            ? stackalloc byte[512]
            : (rented = ArrayPool<byte>.Shared.Rent((int)headersBytes));
        int position = EncodeHeaders(headers, encoded);
        Debug.Assert(position == headersBytes, "the headers' size was computed from the same fields");
        bool appended = TryAppendEncoded(_lastOffsetDelta + 1, timestamp, key, value, encoded[..position]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return appended;
    }

    /// <summary>
    /// Appends a record whose headers are already encoded, as <see cref="RecordView.EncodedHeaders"/> gives them, at a chosen distance
    /// from the base offset: larger than the previous record's, with gaps as compaction leaves them.
    /// </summary>
    public bool TryAppendEncoded(
        int offsetDelta,
        long timestamp,
        NullableBytes key,
        NullableBytes value,
        ReadOnlySpan<byte> encodedHeaders)
    {
        if (_built)
            throw new InvalidOperationException("The batch is built: reset the builder first.");
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(offsetDelta, _lastOffsetDelta);
        if (encodedHeaders.IsEmpty)
            encodedHeaders = [0];
        long bound = (long)key.Bytes.Length + value.Bytes.Length + encodedHeaders.Length + MaxRecordOverheadBytes;
        if (bound > _plain.MaxBytes - _plain.Length && !FitsExactly(offsetDelta, timestamp, key, value, encodedHeaders))
            return false;

        if (_count == 0)
            _baseTimestamp = _options.DeleteHorizon ?? timestamp;
        long timestampDelta = unchecked(timestamp - _baseTimestamp);
        int bodyBytes = BodyBytes(offsetDelta, timestampDelta, key, value, encodedHeaders);
        int recordBytes = bodyBytes + Varint.SizeOf(bodyBytes);
        Span<byte> output = _plain.GetSpan(recordBytes);
        int position = 0;
        Varint.Write(output, ref position, bodyBytes);
        output[position++] = 0;
        Varint.Write(output, ref position, timestampDelta);
        Varint.Write(output, ref position, offsetDelta);
        Varint.Write(output, ref position, key.EncodedLength);
        key.Bytes.CopyTo(output[position..]);
        position += key.Bytes.Length;
        Varint.Write(output, ref position, value.EncodedLength);
        value.Bytes.CopyTo(output[position..]);
        position += value.Bytes.Length;
        encodedHeaders.CopyTo(output[position..]);
        position += encodedHeaders.Length;
        Debug.Assert(position == recordBytes, "the record's size was computed from the same fields");

        _plain.Advance(recordBytes);
        _maxTimestamp = _count == 0 ? timestamp : Math.Max(_maxTimestamp, timestamp);
        _lastOffsetDelta = offsetDelta;
        _count++;
        return true;
    }

    /// <summary>
    /// Completes the batch: compresses it if asked to, writes the header and the checksum. The memory belongs to the builder and is valid
    /// until <see cref="Reset()"/> or <see cref="Dispose"/>.
    /// </summary>
    /// <param name="lastOffsetDelta">
    /// Offset of the last record relative to the base, when records after the last one were compacted away; null for the last one there is.
    /// </param>
    /// <exception cref="CompressionUnavailableException">The codec's native library is missing.</exception>
    public ReadOnlyMemory<byte> Build(int? lastOffsetDelta = null)
    {
        if (_built)
            throw new InvalidOperationException("The batch is built: reset the builder first.");
        if (_count == 0 && lastOffsetDelta is null)
            throw new InvalidOperationException("A batch needs a record, or the offsets that it stands for.");
        int lastDelta = lastOffsetDelta ?? _lastOffsetDelta;
        ArgumentOutOfRangeException.ThrowIfLessThan(lastDelta, _lastOffsetDelta, nameof(lastOffsetDelta));
        _built = true;

        PooledBuffer batch = _plain;
        if (_options.Compression != CompressionType.None)
        {
            // Incompressible data grows a little: a 64th and some frame headers cover every codec.
            batch = _compressed ??= new PooledBuffer((int)Math.Min(Array.MaxLength, _plain.MaxBytes + (_plain.MaxBytes / 6L) + 1024));
            batch.Clear();
            batch.Reserve(RecordBatchHeader.SizeBytes);
            batch.GetSpan(RecordBatchHeader.SizeBytes)[..RecordBatchHeader.SizeBytes].Clear();
            batch.Advance(RecordBatchHeader.SizeBytes);
            Compression.Compress(_options.Compression, _plain.WrittenSpan[RecordBatchHeader.SizeBytes..], batch, _options.CompressionLevel);
        }

        WriteHeader(batch.MutableSpan, lastDelta);
        return batch.WrittenMemory;
    }

    /// <summary>Says anew who produces the batch that is built: one that a broker has refused is offered again under another epoch (KIP-360).</summary>
    /// <returns>The same memory as <see cref="Build"/>'s; nobody may be reading it meanwhile.</returns>
    public ReadOnlyMemory<byte> Renumber(long producerId, short producerEpoch, int baseSequence)
    {
        if (!_built)
            throw new InvalidOperationException("The batch is not built yet: set its producer instead.");
        SetProducer(producerId, producerEpoch, baseSequence);
        PooledBuffer batch = _options.Compression == CompressionType.None ? _plain : _compressed!;
        WriteProducer(batch.MutableSpan);
        RecordBatchPatch.UpdateCrc(batch.MutableSpan);
        return batch.WrittenMemory;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        _built = true;
        _plain.Dispose();
        _compressed?.Dispose();
    }

    private static int BodyBytes(int offsetDelta, long timestampDelta, NullableBytes key, NullableBytes value, ReadOnlySpan<byte> headers) =>
        1
        + Varint.SizeOf(timestampDelta)
        + Varint.SizeOf(offsetDelta)
        + Varint.SizeOf(key.EncodedLength)
        + key.Bytes.Length
        + Varint.SizeOf(value.EncodedLength)
        + value.Bytes.Length
        + headers.Length;

    private static int EncodeHeaders(ReadOnlySpan<RecordHeader> headers, Span<byte> output)
    {
        int position = 0;
        Varint.Write(output, ref position, headers.Length);
        foreach (RecordHeader header in headers)
        {
            int keyBytes = Encoding.UTF8.GetByteCount(header.Key);
            Varint.Write(output, ref position, keyBytes);
            position += Encoding.UTF8.GetBytes(header.Key, output[position..]);
            Varint.Write(output, ref position, header.Value?.Length ?? -1);
            if (header.Value is { } value)
            {
                value.Span.CopyTo(output[position..]);
                position += value.Length;
            }
        }

        return position;
    }

    private bool FitsExactly(int offsetDelta, long timestamp, NullableBytes key, NullableBytes value, ReadOnlySpan<byte> headers)
    {
        if ((long)key.Bytes.Length + value.Bytes.Length + headers.Length > _plain.MaxBytes)
            return false;
        long baseTimestamp = _count == 0 ? _options.DeleteHorizon ?? timestamp : _baseTimestamp;
        int body = BodyBytes(offsetDelta, unchecked(timestamp - baseTimestamp), key, value, headers);
        return body + Varint.SizeOf(body) <= _plain.MaxBytes - _plain.Length;
    }

    private void WriteHeader(Span<byte> batch, int lastOffsetDelta)
    {
        bool logAppendTime = _options.TimestampType == TimestampType.LogAppendTime;
        BinaryPrimitives.WriteInt64BigEndian(batch, _options.BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.LengthPosition..], batch.Length - RecordBatchHeader.PrefixBytes);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.LeaderEpochPosition..], _options.PartitionLeaderEpoch);
        batch[RecordBatchHeader.MagicPosition] = RecordBatchHeader.CurrentMagic;
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatchHeader.AttributesPosition..], (short)_options.Attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.LastOffsetDeltaPosition..], lastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.BaseTimestampPosition..], _baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(
            batch[RecordBatchHeader.MaxTimestampPosition..],
            logAppendTime ? _options.LogAppendTimestamp : _maxTimestamp);
        WriteProducer(batch);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.RecordCountPosition..], _count);
        RecordBatchPatch.UpdateCrc(batch);
    }

    private void WriteProducer(Span<byte> batch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.ProducerIdPosition..], _producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatchHeader.ProducerEpochPosition..], _producerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.BaseSequencePosition..], _baseSequence);
    }
}
