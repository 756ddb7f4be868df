using Kafka.Protocol.Records;

namespace Broker.Lite.Logs;

/// <summary>How one partition's log behaves. Defaults are those of Kafka 3.9; the dotted name of each is its topic configuration.</summary>
internal sealed record LogConfig
{
    /// <summary>Smallest <see cref="SegmentBytes"/> and of <see cref="SegmentIndexBytes"/>: an empty batch, an index entry of each kind.</summary>
    private const int MinSegmentBytes = RecordBatchHeader.SizeBytes;
    private const int MinIndexBytes = 12;

    /// <summary><c>segment.bytes</c>: size at which a segment is closed, and so the largest append. Default: 1 GiB.</summary>
    public int SegmentBytes { get; init; } = 1 << 30;

    /// <summary><c>segment.ms</c>: age, in record time, at which a segment is closed by the next append. Default: 7 days.</summary>
    public long SegmentMs { get; init; } = 604_800_000;

    /// <summary><c>segment.index.bytes</c>: size of an index at which its segment is closed. Default: 10 MiB.</summary>
    public int SegmentIndexBytes { get; init; } = 10 << 20;

    /// <summary><c>index.interval.bytes</c>: log bytes per index entry. Default: 4096.</summary>
    public int IndexIntervalBytes { get; init; } = 4096;

    /// <summary><c>retention.ms</c>: age of the newest record at which a segment is deleted; -1 = never. Default: 7 days.</summary>
    public long RetentionMs { get; init; } = 604_800_000;

    /// <summary><c>retention.bytes</c>: size above which the oldest segments are deleted; -1 = no bound. Default: -1.</summary>
    public long RetentionBytes { get; init; } = -1;

    /// <summary><c>segment.jitter.ms</c>: up to this much is taken off <see cref="SegmentMs"/>, another amount for each segment. Default: 0.</summary>
    public long SegmentJitterMs { get; init; }

    /// <summary><c>file.delete.delay.ms</c>: how long the files of a removed segment stay, renamed. Default: 1 minute.</summary>
    public long FileDeleteDelayMs { get; init; } = 60_000;

    /// <summary><c>delete.retention.ms</c>: how long compaction keeps tombstones and markers that have become needless. Default: 1 day.</summary>
    public long DeleteRetentionMs { get; init; } = 86_400_000;

    /// <summary><c>min.compaction.lag.ms</c>: age, in record time, below which a segment is not compacted. Default: 0.</summary>
    public long MinCompactionLagMs { get; init; }

    /// <summary><c>max.compaction.lag.ms</c>: age, in record time, at which a segment is compacted whatever the dirty ratio is. Default: never.</summary>
    public long MaxCompactionLagMs { get; init; } = long.MaxValue;

    /// <summary><c>min.cleanable.dirty.ratio</c>: share of bytes not compacted yet above which compaction starts. Default: 0.5.</summary>
    public double MinCleanableDirtyRatio { get; init; } = 0.5;

    /// <summary><c>cleanup.policy</c> contains <c>delete</c>: retention applies. Default: true.</summary>
    public bool IsDeleted { get; init; } = true;

    /// <summary><c>cleanup.policy</c> contains <c>compact</c>: records without key are refused. Default: false.</summary>
    public bool IsCompacted { get; init; }

    /// <summary><c>flush.messages</c>: records after which an append forces the log to disk before it is acknowledged. Default: never.</summary>
    public long FlushMessages { get; init; } = long.MaxValue;

    /// <summary><c>flush.ms</c>: age of the oldest unflushed record at which maintenance forces the log to disk. Default: never.</summary>
    public long FlushMs { get; init; } = long.MaxValue;

    /// <summary><c>max.message.bytes</c>: largest batch, as it was sent. Default: 1,048,588.</summary>
    public int MaxMessageBytes { get; init; } = 1_048_588;

    /// <summary><c>compression.type</c>: the codec batches are stored with. Default: null, the one they came with.</summary>
    public CompressionType? Compression { get; init; }

    /// <summary><c>compression.gzip.level</c> or <c>compression.zstd.level</c> (KIP-390), for batches that are brought into that codec. Default: the codec's own.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary><c>message.timestamp.type</c>. Default: the producer's time.</summary>
    public TimestampType TimestampType { get; init; } = TimestampType.CreateTime;

    /// <summary><c>message.timestamp.before.max.ms</c>: how far behind the broker's clock a producer's timestamp may be. Default: any.</summary>
    public long TimestampBeforeMaxMs { get; init; } = long.MaxValue;

    /// <summary><c>message.timestamp.after.max.ms</c>: how far ahead of the broker's clock a producer's timestamp may be. Default: any.</summary>
    public long TimestampAfterMaxMs { get; init; } = long.MaxValue;

    /// <summary>
    /// <c>producer.id.expiration.ms</c>: how long the sequence numbers of an idle producer are remembered. Default: 1 day.
    /// </summary>
    public long ProducerIdExpirationMs { get; init; } = 86_400_000;

    /// <summary>Largest size of a batch's records after decompression, where they have to be read (look-up by time, compacted topics). Default: 128 MiB.</summary>
    public int MaxDecompressedBytes { get; init; } = 128 << 20;

    /// <summary>Throws an <see cref="ArgumentException"/> that names every value out of range.</summary>
    public void Validate()
    {
        var faults = new List<string>();
        void Require(bool valid, string fault)
        {
            if (!valid)
                faults.Add(fault);
        }

        Require(SegmentBytes >= MinSegmentBytes, $"segment.bytes must be at least {MinSegmentBytes}");
        Require(SegmentMs >= 1, "segment.ms must be at least 1");
        Require(SegmentIndexBytes >= MinIndexBytes, $"segment.index.bytes must be at least {MinIndexBytes}");
        Require(IndexIntervalBytes >= 0, "index.interval.bytes must not be negative");
        Require(RetentionMs >= -1, "retention.ms must be at least -1");
        Require(RetentionBytes >= -1, "retention.bytes must be at least -1");
        Require(SegmentJitterMs >= 0, "segment.jitter.ms must not be negative");
        Require(FileDeleteDelayMs >= 0, "file.delete.delay.ms must not be negative");
        Require(DeleteRetentionMs >= 0, "delete.retention.ms must not be negative");
        Require(MinCompactionLagMs >= 0, "min.compaction.lag.ms must not be negative");
        Require(MaxCompactionLagMs >= 1, "max.compaction.lag.ms must be at least 1");
        Require(MinCleanableDirtyRatio is >= 0 and <= 1, "min.cleanable.dirty.ratio must be from 0 to 1");
        Require(FlushMessages >= 1, "flush.messages must be at least 1");
        Require(FlushMs >= 0, "flush.ms must not be negative");
        Require(MaxMessageBytes >= 0, "max.message.bytes must not be negative");
        Require(TimestampBeforeMaxMs >= 0, "message.timestamp.before.max.ms must not be negative");
        Require(TimestampAfterMaxMs >= 0, "message.timestamp.after.max.ms must not be negative");
        Require(ProducerIdExpirationMs >= 1, "producer.id.expiration.ms must be at least 1");
        Require(MaxDecompressedBytes >= 1, "the bound on decompressed records must be positive");
        if (faults.Count > 0)
            throw new ArgumentException(string.Join("; ", faults) + ".");
    }
}
