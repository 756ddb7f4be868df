using System.Buffers.Binary;

namespace Kafka.Protocol.Records;

/// <summary>
/// The control record that ends a transaction in a partition. Shape: key = version 2 bytes, type 2 bytes; value = version 2 bytes,
/// coordinator epoch 4 bytes; in a transactional control batch of its own, without sequence.
/// </summary>
/// <remarks>Source: KIP-98, Kafka's <c>EndTransactionMarker</c> and <c>ControlRecordType</c>.</remarks>
public static class TransactionMarker
{
    /// <summary>Size of a marker's batch in bytes.</summary>
    public const int BatchBytes = 78;

    private const int KeyBytes = 4;
    private const int ValueBytes = 6;

    /// <summary>Builds the batch of a marker.</summary>
    /// <param name="type"><see cref="ControlRecordType.Abort"/> or <see cref="ControlRecordType.Commit"/>.</param>
    /// <param name="producerId">Whose transaction ends.</param>
    /// <param name="producerEpoch">Its epoch.</param>
    /// <param name="coordinatorEpoch">Epoch of the transaction coordinator that decided.</param>
    /// <param name="timestamp">Unix milliseconds.</param>
    /// <param name="baseOffset">Offset, when it is known.</param>
    /// <param name="partitionLeaderEpoch">Leader epoch, when it is known.</param>
    public static byte[] Build(
        ControlRecordType type,
        long producerId,
        short producerEpoch,
        int coordinatorEpoch,
        long timestamp,
        long baseOffset = 0,
        int partitionLeaderEpoch = -1)
    {
        if (type is not (ControlRecordType.Abort or ControlRecordType.Commit))
            throw new ArgumentOutOfRangeException(nameof(type), type, "A transaction ends with a commit or an abort.");
        Span<byte> key = stackalloc byte[KeyBytes];
        key.Clear();
        BinaryPrimitives.WriteInt16BigEndian(key[2..], (short)type);
        Span<byte> value = stackalloc byte[ValueBytes];
        value.Clear();
        BinaryPrimitives.WriteInt32BigEndian(value[2..], coordinatorEpoch);

        using var builder = new RecordBatchBuilder(new RecordBatchOptions
        {
            ProducerId = producerId,
            ProducerEpoch = producerEpoch,
            IsTransactional = true,
            IsControl = true,
            BaseOffset = baseOffset,
            PartitionLeaderEpoch = partitionLeaderEpoch,
            MaxBytes = BatchBytes + 64,
        });
        builder.TryAppend(timestamp, new NullableBytes(key), new NullableBytes(value));
        return builder.Build().ToArray();
    }

    /// <summary>What the control record <paramref name="record"/> says.</summary>
    /// <exception cref="ProtocolException">Its key is not that of a control record.</exception>
    public static ControlRecordType ReadType(RecordView record)
    {
        if (record.KeyLength < KeyBytes || BinaryPrimitives.ReadInt16BigEndian(record.Key) < 0)
            throw new ProtocolException(ErrorCode.CorruptMessage, "The key of a control record is malformed.");
        return BinaryPrimitives.ReadInt16BigEndian(record.Key[2..]) switch
        {
            0 => ControlRecordType.Abort,
            1 => ControlRecordType.Commit,
            _ => ControlRecordType.Unknown,
        };
    }

    /// <summary>The coordinator's epoch in the marker <paramref name="record"/>.</summary>
    /// <exception cref="ProtocolException">Its value is not that of a marker.</exception>
    public static int ReadCoordinatorEpoch(RecordView record)
    {
        if (record.ValueLength < ValueBytes || BinaryPrimitives.ReadInt16BigEndian(record.Value) < 0)
            throw new ProtocolException(ErrorCode.CorruptMessage, "The value of a transaction marker is malformed.");
        return BinaryPrimitives.ReadInt32BigEndian(record.Value[2..]);
    }
}
