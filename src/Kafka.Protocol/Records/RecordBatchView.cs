using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Kafka.Protocol.Records;

/// <summary>One whole batch, header and records, read in place. It cannot outlive the buffer it looks at.</summary>
public readonly ref struct RecordBatchView
{
    private RecordBatchView(ReadOnlySpan<byte> bytes)
    {
        Bytes = bytes;
        Header = new RecordBatchHeader(bytes);
    }

    /// <summary>The whole batch.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The batch's header.</summary>
    public RecordBatchHeader Header { get; }

    /// <summary>The records as they were sent: compressed if the batch is.</summary>
    public ReadOnlySpan<byte> EncodedRecords => Bytes[RecordBatchHeader.SizeBytes..];

    /// <summary>Whether the checksum matches the bytes.</summary>
    public bool IsCrcValid => Crc32C.Compute(Bytes[RecordBatchHeader.AttributesPosition..]) == Header.Crc;

    /// <summary>
    /// Looks at the first batch of <paramref name="data"/>. On <see cref="RecordBatchStatus.Valid"/> the length is within
    /// <paramref name="data"/>, the magic is 2 and the header's counts make sense; the checksum is looked at only by <see cref="IsCrcValid"/>.
    /// </summary>
    public static RecordBatchStatus TryRead(ReadOnlySpan<byte> data, out RecordBatchView batch)
    {
        batch = default;
        if (data.Length < RecordBatchHeader.PrefixBytes)
            return RecordBatchStatus.Truncated;
        int length = BinaryPrimitives.ReadInt32BigEndian(data[RecordBatchHeader.LengthPosition..]);
        if (length < RecordBatchHeader.SizeBytes - RecordBatchHeader.PrefixBytes)
        {
            // Formats 0 and 1 have shorter headers; say what they are rather than that they are broken.
            return length >= 14 && data.Length > RecordBatchHeader.MagicPosition && data[RecordBatchHeader.MagicPosition] < RecordBatchHeader.CurrentMagic
                ? RecordBatchStatus.UnsupportedMagic
                : RecordBatchStatus.InvalidLength;
        }

        if (data.Length > RecordBatchHeader.MagicPosition && data[RecordBatchHeader.MagicPosition] != RecordBatchHeader.CurrentMagic)
            return RecordBatchStatus.UnsupportedMagic;
        if (length > data.Length - RecordBatchHeader.PrefixBytes)
            return RecordBatchStatus.Truncated;
        var view = new RecordBatchView(data[..(length + RecordBatchHeader.PrefixBytes)]);
        RecordBatchStatus status = CheckHeader(view.Header);
        if (status == RecordBatchStatus.Valid)
            batch = view;
        return status;
    }

    /// <summary>The first batch of <paramref name="data"/>, checksum included.</summary>
    /// <exception cref="ProtocolException">The batch is cut off, inconsistent or does not match its checksum.</exception>
    public static RecordBatchView Read(ReadOnlySpan<byte> data)
    {
        RecordBatchStatus status = TryRead(data, out RecordBatchView batch);
        if (status == RecordBatchStatus.Valid && !batch.IsCrcValid)
            status = RecordBatchStatus.CrcMismatch;
        if (status != RecordBatchStatus.Valid)
            ThrowInvalid(status);
        return batch;
    }

    /// <summary>
    /// Checks that a header's magic is 2, its codec defined and its counts possible. Used for headers read without their batch as well.
    /// </summary>
    /// <remarks>
    /// A compacted batch has fewer records than offsets and may have none, so the count may be smaller than the last offset delta says.
    /// Whether a fresh batch has exactly as many is for the log to check.
    /// </remarks>
    public static RecordBatchStatus CheckHeader(RecordBatchHeader header)
    {
        if (header.Magic != RecordBatchHeader.CurrentMagic)
            return RecordBatchStatus.UnsupportedMagic;
        if (header.BatchLength < RecordBatchHeader.SizeBytes - RecordBatchHeader.PrefixBytes)
            return RecordBatchStatus.InvalidLength;
        bool possible = header.LastOffsetDelta >= 0
            && header.RecordCount >= 0
            && header.RecordCount <= header.LastOffsetDelta + 1L
            && header.BaseOffset >= 0
            && header.BaseOffset <= long.MaxValue - int.MaxValue - 1L
            && header.Compression <= CompressionType.Zstd;
        return possible ? RecordBatchStatus.Valid : RecordBatchStatus.InvalidHeader;
    }

    /// <summary>
    /// Decompresses the records into pooled memory that the caller disposes; null when the batch is not compressed, and
    /// <see cref="EncodedRecords"/> can be read as they are.
    /// </summary>
    /// <param name="maxBytes">Upper bound of the decompressed size in bytes.</param>
    /// <exception cref="ProtocolException">The data is corrupt or larger than <paramref name="maxBytes"/>.</exception>
    /// <exception cref="CompressionUnavailableException">The codec's native library is missing.</exception>
    public PooledBuffer? Decompress(int maxBytes) =>
        Header.Compression == CompressionType.None ? null : Records.Compression.Decompress(Header.Compression, EncodedRecords, maxBytes);

    /// <summary>Iterates over the records of a batch that is not compressed.</summary>
    /// <exception cref="InvalidOperationException">The batch is compressed.</exception>
    public RecordIterator GetRecords()
    {
        if (Header.Compression != CompressionType.None)
            throw new InvalidOperationException("The batch is compressed: decompress it and iterate over the result.");
        return new RecordIterator(Header, EncodedRecords);
    }

    /// <summary>Iterates over the records in <paramref name="decompressed"/>, what <see cref="Decompress"/> gave for this batch.</summary>
    public RecordIterator GetRecords(ReadOnlySpan<byte> decompressed) => new(Header, decompressed);

    [DoesNotReturn]
    private static void ThrowInvalid(RecordBatchStatus status) => throw new ProtocolException(ErrorCode.CorruptMessage, status switch
    {
        RecordBatchStatus.Truncated => "The record batch is cut off.",
        RecordBatchStatus.InvalidLength => "The record batch has an impossible length.",
        RecordBatchStatus.UnsupportedMagic => "The record batch has a format other than 2.",
        RecordBatchStatus.CrcMismatch => "The record batch does not match its checksum.",
        _ => "The header of the record batch contradicts itself.",
    });
}
