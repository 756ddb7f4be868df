using System.Buffers.Binary;

namespace Kafka.Protocol.Records;

/// <summary>
/// The fixed 61 bytes in front of a batch's records, read in place; nothing is checked but that 61 bytes are there.
/// Shape, big-endian: base offset 8, batch length 4 (of what follows it), leader epoch 4, magic 1, CRC-32C 4 (over what follows it),
/// attributes 2, last offset delta 4, base timestamp 8, max timestamp 8, producer id 8, producer epoch 2, base sequence 4, record count 4.
/// </summary>
/// <remarks>Source: KIP-98, "Record Batch" in Kafka's protocol guide.</remarks>
public readonly ref struct RecordBatchHeader
{
    /// <summary>Size of the header in bytes.</summary>
    public const int SizeBytes = 61;

    /// <summary>Bytes in front of what the batch length counts: base offset and the length itself.</summary>
    public const int PrefixBytes = 12;

    /// <summary>The only record format that is read and written.</summary>
    public const byte CurrentMagic = 2;

    /// <summary>Where the last offset delta ends: with this many bytes of a batch its size and offsets are known.</summary>
    public const int LastOffsetDeltaEnd = 27;

    /// <summary>Value of producer id, epoch and sequence of a batch without a producer.</summary>
    public const int NoProducer = -1;

    /// <summary>Timestamp of a batch that has none, in Unix milliseconds.</summary>
    public const long NoTimestamp = -1;

    internal const int LengthPosition = 8;
    internal const int LeaderEpochPosition = 12;
    internal const int MagicPosition = 16;
    internal const int CrcPosition = 17;
    internal const int AttributesPosition = 21;
    internal const int LastOffsetDeltaPosition = 23;
    internal const int BaseTimestampPosition = 27;
    internal const int MaxTimestampPosition = 35;
    internal const int ProducerIdPosition = 43;
    internal const int ProducerEpochPosition = 51;
    internal const int BaseSequencePosition = 53;
    internal const int RecordCountPosition = 57;

    internal const int CodecMask = 0x07;
    internal const int LogAppendTimeFlag = 0x08;
    internal const int TransactionalFlag = 0x10;
    internal const int ControlFlag = 0x20;
    internal const int DeleteHorizonFlag = 0x40;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <summary>A view over the first 61 bytes of <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentException">There are fewer than 61 bytes.</exception>
    public RecordBatchHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SizeBytes)
            throw new ArgumentException($"A record batch header takes {SizeBytes} bytes; there are {bytes.Length}.", nameof(bytes));
        _bytes = bytes[..SizeBytes];
    }

    /// <summary>Offset of the first record, or of the first record that was there before compaction.</summary>
    public long BaseOffset => BinaryPrimitives.ReadInt64BigEndian(_bytes);

    /// <summary>Bytes after the length field, as the batch claims.</summary>
    public int BatchLength => BinaryPrimitives.ReadInt32BigEndian(_bytes[LengthPosition..]);

    /// <summary>Size of the whole batch in bytes, as the batch claims.</summary>
    public long TotalBytes => (long)BatchLength + PrefixBytes;

    /// <summary>Epoch of the partition leader that appended the batch; -1 until it is appended.</summary>
    public int PartitionLeaderEpoch => BinaryPrimitives.ReadInt32BigEndian(_bytes[LeaderEpochPosition..]);

    /// <summary>Record format: 2.</summary>
    public byte Magic => _bytes[MagicPosition];

    /// <summary>CRC-32C of everything from the attributes on.</summary>
    public uint Crc => BinaryPrimitives.ReadUInt32BigEndian(_bytes[CrcPosition..]);

    /// <summary>The attribute bits.</summary>
    public short Attributes => BinaryPrimitives.ReadInt16BigEndian(_bytes[AttributesPosition..]);

    /// <summary>The codec, by its number: values above 4 are not defined.</summary>
    public CompressionType Compression => (CompressionType)(Attributes & CodecMask);

    /// <summary>Whose timestamps the records carry.</summary>
    public TimestampType TimestampType => (Attributes & LogAppendTimeFlag) != 0 ? TimestampType.LogAppendTime : TimestampType.CreateTime;

    /// <summary>Whether the records belong to a transaction.</summary>
    public bool IsTransactional => (Attributes & TransactionalFlag) != 0;

    /// <summary>Whether the batch holds a control record, such as the end of a transaction, which is not for applications.</summary>
    public bool IsControl => (Attributes & ControlFlag) != 0;

    /// <summary>Whether the base timestamp is the time from which compaction may drop the batch's tombstones (KIP-534).</summary>
    public bool HasDeleteHorizon => (Attributes & DeleteHorizonFlag) != 0;

    /// <summary>Offset of the last record relative to the base offset.</summary>
    public int LastOffsetDelta => BinaryPrimitives.ReadInt32BigEndian(_bytes[LastOffsetDeltaPosition..]);

    /// <summary>Offset of the last record.</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>What the records' timestamp deltas are relative to, in Unix milliseconds.</summary>
    public long BaseTimestamp => BinaryPrimitives.ReadInt64BigEndian(_bytes[BaseTimestampPosition..]);

    /// <summary>Largest timestamp of the records in Unix milliseconds; the append time under <see cref="TimestampType.LogAppendTime"/>.</summary>
    public long MaxTimestamp => BinaryPrimitives.ReadInt64BigEndian(_bytes[MaxTimestampPosition..]);

    /// <summary>Id of the idempotent or transactional producer, or -1.</summary>
    public long ProducerId => BinaryPrimitives.ReadInt64BigEndian(_bytes[ProducerIdPosition..]);

    /// <summary>Epoch of the producer, or -1.</summary>
    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(_bytes[ProducerEpochPosition..]);

    /// <summary>Sequence number of the first record, or -1.</summary>
    public int BaseSequence => BinaryPrimitives.ReadInt32BigEndian(_bytes[BaseSequencePosition..]);

    /// <summary>Sequence number of the last record, wrapped at 2³¹ − 1; -1 without a sequence.</summary>
    public int LastSequence => BaseSequence < 0 ? NoProducer : IncrementSequence(BaseSequence, LastOffsetDelta);

    /// <summary>Number of records in the batch, as it claims.</summary>
    public int RecordCount => BinaryPrimitives.ReadInt32BigEndian(_bytes[RecordCountPosition..]);

    /// <summary>Whether an idempotent or transactional producer wrote the batch.</summary>
    public bool HasProducer => ProducerId >= 0;

    /// <summary>The sequence number <paramref name="increment"/> records later: after 2³¹ − 1 comes 0.</summary>
    public static int IncrementSequence(int sequence, int increment) =>
        (int)((uint)(sequence + (long)increment) & int.MaxValue);
}
