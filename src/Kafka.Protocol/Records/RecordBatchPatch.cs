using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Kafka.Protocol.Records;

/// <summary>
/// What a broker changes in a batch that it appends, in place. Base offset and leader epoch lie outside the checksum; the timestamp type
/// does not. The spans hold one whole, checked batch.
/// </summary>
public static class RecordBatchPatch
{
    /// <summary>Sets the offset of the first record.</summary>
    public static void SetBaseOffset(Span<byte> batch, long baseOffset) => BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);

    /// <summary>Sets the epoch of the appending leader.</summary>
    public static void SetPartitionLeaderEpoch(Span<byte> batch, int leaderEpoch) =>
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.LeaderEpochPosition..], leaderEpoch);

    /// <summary>Makes <paramref name="appendTimestamp"/> (Unix milliseconds) the timestamp of all records, and renews the checksum.</summary>
    public static void SetLogAppendTime(Span<byte> batch, long appendTimestamp)
    {
        Span<byte> attributes = batch[RecordBatchHeader.AttributesPosition..];
        short value = (short)(BinaryPrimitives.ReadInt16BigEndian(attributes) | RecordBatchHeader.LogAppendTimeFlag);
        BinaryPrimitives.WriteInt16BigEndian(attributes, value);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.MaxTimestampPosition..], appendTimestamp);
        UpdateCrc(batch);
    }

    /// <summary>
    /// The batch with its records in another codec and everything else as it was, in pooled memory that the caller disposes. The batch passed
    /// is not changed.
    /// </summary>
    /// <param name="batch">One whole, checked batch.</param>
    /// <param name="type">The codec to use.</param>
    /// <param name="level">Its level, or null for its default; codecs without levels ignore it.</param>
    /// <param name="maxBytes">Upper bound of the decompressed records in bytes.</param>
    /// <exception cref="ProtocolException">The records cannot be decompressed, or are larger than <paramref name="maxBytes"/>.</exception>
    /// <exception cref="CompressionUnavailableException">The native library of one of the codecs is missing.</exception>
    public static (PooledBuffer Owner, Memory<byte> Batch) Recompress(ReadOnlySpan<byte> batch, CompressionType type, int? level, int maxBytes)
    {
        RecordBatchView view = RecordBatchView.Read(batch);
        using PooledBuffer? decompressed = view.Decompress(maxBytes);
        ReadOnlySpan<byte> records = decompressed is null ? view.EncodedRecords : decompressed.WrittenSpan;
        // No codec makes incompressible data larger than a little; the bound only has to leave it room.
        var output = new PooledBuffer((int)Math.Min(Array.MaxLength, 2L * records.Length + 64 * 1024), RecordBatchHeader.SizeBytes + records.Length / 2);
        bool done = false;
        try
        {
            output.Write(batch[..RecordBatchHeader.SizeBytes]);
            Compression.Compress(type, records, output, level);
            Memory<byte> result = MemoryMarshal.AsMemory(output.WrittenMemory);
            Span<byte> bytes = result.Span;
            BinaryPrimitives.WriteInt32BigEndian(bytes[RecordBatchHeader.LengthPosition..], bytes.Length - RecordBatchHeader.PrefixBytes);
            Span<byte> attributes = bytes[RecordBatchHeader.AttributesPosition..];
            BinaryPrimitives.WriteInt16BigEndian(attributes, (short)((view.Header.Attributes & ~RecordBatchHeader.CodecMask) | (int)type));
            UpdateCrc(bytes);
            done = true;
            return (output, result);
        }
        finally
        {
            if (!done)
                output.Dispose();
        }
    }

    /// <summary>Computes the checksum again.</summary>
    internal static void UpdateCrc(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(
            batch[RecordBatchHeader.CrcPosition..],
            Crc32C.Compute(batch[RecordBatchHeader.AttributesPosition..]));
}
