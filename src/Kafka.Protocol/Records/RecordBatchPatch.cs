using System.Buffers.Binary;

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

    /// <summary>Computes the checksum again.</summary>
    internal static void UpdateCrc(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(
            batch[RecordBatchHeader.CrcPosition..],
            Crc32C.Compute(batch[RecordBatchHeader.AttributesPosition..]));
}
