namespace Kafka.Protocol.Records;

/// <summary>What goes into the header of a batch that is built.</summary>
public sealed record RecordBatchOptions
{
    /// <summary>Codec of the records section. Default: <see cref="CompressionType.None"/>.</summary>
    public CompressionType Compression { get; init; }

    /// <summary>Level for the codec, or null for its own default (gzip 1–9, lz4 ignored, zstd -131072–22). Source: KIP-390.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>Whose timestamps the records carry. Default: the producer's.</summary>
    public TimestampType TimestampType { get; init; }

    /// <summary>Append time in Unix milliseconds under <see cref="TimestampType.LogAppendTime"/>; ignored otherwise.</summary>
    public long LogAppendTimestamp { get; init; } = RecordBatchHeader.NoTimestamp;

    /// <summary>Id of the idempotent producer, or -1. Default: -1.</summary>
    public long ProducerId { get; init; } = RecordBatchHeader.NoProducer;

    /// <summary>Epoch of the producer, or -1. Default: -1.</summary>
    public short ProducerEpoch { get; init; } = RecordBatchHeader.NoProducer;

    /// <summary>Sequence number of the first record, or -1. Default: -1.</summary>
    public int BaseSequence { get; init; } = RecordBatchHeader.NoProducer;

    /// <summary>Whether the batch belongs to a transaction.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>Whether the batch holds a control record.</summary>
    public bool IsControl { get; init; }

    /// <summary>Leader epoch; a producer leaves it -1, the broker fills it in. Default: -1.</summary>
    public int PartitionLeaderEpoch { get; init; } = -1;

    /// <summary>Offset of the first record; a producer leaves it 0. Default: 0.</summary>
    public long BaseOffset { get; init; }

    /// <summary>When set, the base timestamp is this delete horizon, in Unix milliseconds, and its attribute bit is set (KIP-534).</summary>
    public long? DeleteHorizon { get; init; }

    /// <summary>Largest size of the batch before compression, in bytes, header included. Default: 16 MiB.</summary>
    public int MaxBytes { get; init; } = 16 * 1024 * 1024;

    internal int Attributes =>
        (int)Compression
        | (TimestampType == TimestampType.LogAppendTime ? RecordBatchHeader.LogAppendTimeFlag : 0)
        | (IsTransactional ? RecordBatchHeader.TransactionalFlag : 0)
        | (IsControl ? RecordBatchHeader.ControlFlag : 0)
        | (DeleteHorizon.HasValue ? RecordBatchHeader.DeleteHorizonFlag : 0);
}
