namespace Broker.Lite.Metadata;

/// <summary>
/// Topic configuration keys with the names and defaults of Kafka 3.8's <c>TopicConfig</c>. Keys that have nothing to act on here, such as
/// those about replicas, tiered storage and old message formats, are accepted and reported so that clients that set them or look them up
/// go on.
/// </summary>
internal static class TopicConfigKeys
{
    public const string CleanupPolicy = "cleanup.policy";
    public const string CompressionGzipLevel = "compression.gzip.level";
    public const string CompressionLz4Level = "compression.lz4.level";
    public const string CompressionType = "compression.type";
    public const string CompressionZstdLevel = "compression.zstd.level";
    public const string DeleteRetentionMs = "delete.retention.ms";
    public const string FileDeleteDelayMs = "file.delete.delay.ms";
    public const string FollowerThrottledReplicas = "follower.replication.throttled.replicas";
    public const string FlushMessages = "flush.messages";
    public const string FlushMs = "flush.ms";
    public const string IndexIntervalBytes = "index.interval.bytes";
    public const string LeaderThrottledReplicas = "leader.replication.throttled.replicas";
    public const string LocalRetentionBytes = "local.retention.bytes";
    public const string LocalRetentionMs = "local.retention.ms";
    public const string MaxCompactionLagMs = "max.compaction.lag.ms";
    public const string MaxMessageBytes = "max.message.bytes";
    public const string MessageDownconversionEnable = "message.downconversion.enable";
    public const string MessageFormatVersion = "message.format.version";
    public const string MessageTimestampAfterMaxMs = "message.timestamp.after.max.ms";
    public const string MessageTimestampBeforeMaxMs = "message.timestamp.before.max.ms";
    public const string MessageTimestampDifferenceMaxMs = "message.timestamp.difference.max.ms";
    public const string MessageTimestampType = "message.timestamp.type";
    public const string MinCleanableDirtyRatio = "min.cleanable.dirty.ratio";
    public const string MinCompactionLagMs = "min.compaction.lag.ms";
    public const string MinInsyncReplicas = "min.insync.replicas";
    public const string Preallocate = "preallocate";
    public const string RemoteStorageEnable = "remote.storage.enable";
    public const string RetentionBytes = "retention.bytes";
    public const string RetentionMs = "retention.ms";
    public const string SegmentBytes = "segment.bytes";
    public const string SegmentIndexBytes = "segment.index.bytes";
    public const string SegmentJitterMs = "segment.jitter.ms";
    public const string SegmentMs = "segment.ms";
    public const string UncleanLeaderElection = "unclean.leader.election.enable";

    /// <summary>Keys by name, in alphabetical order.</summary>
    public static IReadOnlyDictionary<string, ConfigKey> All { get; } = new[]
    {
        Key(CleanupPolicy, ConfigType.List, "delete", "What happens to old segments: delete, compact, or both.", brokerKey: "log.cleanup.policy") with { Allowed = ["delete", "compact"] },
        Key(CompressionGzipLevel, ConfigType.Int, "-1", "The level of batches that are brought into gzip, 1 to 9; -1 for the codec's own.", -1, 9, CompressionGzipLevel) with { Hole = 0 },
        Key(CompressionLz4Level, ConfigType.Int, "9", "The level of batches that are brought into lz4; without effect, for there is one.", 1, 17, CompressionLz4Level),
        Key(CompressionType, ConfigType.String, "producer", "The codec batches are stored with; producer keeps the one they were sent with.", brokerKey: "compression.type") with { Allowed = ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"] },
        Key(CompressionZstdLevel, ConfigType.Int, "3", "The level of batches that are brought into zstd.", -131_072, 22, CompressionZstdLevel),
        Key(DeleteRetentionMs, ConfigType.Long, "86400000", "How long compaction keeps tombstones, in milliseconds.", 0, brokerKey: "log.cleaner.delete.retention.ms"),
        Key(FileDeleteDelayMs, ConfigType.Long, "60000", "How long a removed segment's file stays, in milliseconds.", 0, brokerKey: "log.segment.delete.delay.ms"),
        Key(FlushMessages, ConfigType.Long, "9223372036854775807", "Force written messages to disk after this many.", 1, brokerKey: "log.flush.interval.messages"),
        Key(FlushMs, ConfigType.Long, "9223372036854775807", "Force written messages to disk after this many milliseconds.", 0, brokerKey: "log.flush.interval.ms"),
        Key(FollowerThrottledReplicas, ConfigType.List, "", "Replicas whose copying is slowed down; nothing is copied."),
        Key(IndexIntervalBytes, ConfigType.Int, "4096", "Bytes of log between two index entries.", 0, brokerKey: "log.index.interval.bytes"),
        Key(LeaderThrottledReplicas, ConfigType.List, "", "Replicas whose copying is slowed down; nothing is copied."),
        Key(LocalRetentionBytes, ConfigType.Long, "-2", "Bytes kept per partition next to tiered storage, which there is none of: without effect.", -2, brokerKey: "log.local.retention.bytes"),
        Key(LocalRetentionMs, ConfigType.Long, "-2", "How long messages are kept next to tiered storage, which there is none of: without effect.", -2, brokerKey: "log.local.retention.ms"),
        Key(MaxCompactionLagMs, ConfigType.Long, "9223372036854775807", "The longest a message may stay uncompacted, in milliseconds.", 1, brokerKey: "log.cleaner.max.compaction.lag.ms"),
        Key(MaxMessageBytes, ConfigType.Int, "1048588", "The largest record batch accepted, in bytes.", 0, brokerKey: "message.max.bytes"),
        Key(MessageDownconversionEnable, ConfigType.Boolean, "true", "Whether older formats are served to old clients; there is only one format.", brokerKey: "log.message.downconversion.enable"),
        Key(MessageFormatVersion, ConfigType.String, "3.0-IV1", "The oldest Kafka whose format is written; ignored, as since Kafka 3.0: there is only one format.", brokerKey: "log.message.format.version") with { Pattern = @"^[0-9]+\.[0-9]+(\.[0-9]+){0,2}(-IV[0-9]+)?$" },
        Key(MessageTimestampAfterMaxMs, ConfigType.Long, "9223372036854775807", "How far a create time may lie in the future, in milliseconds.", 0, brokerKey: "log.message.timestamp.after.max.ms"),
        Key(MessageTimestampBeforeMaxMs, ConfigType.Long, "9223372036854775807", "How far a create time may lie in the past, in milliseconds.", 0, brokerKey: "log.message.timestamp.before.max.ms"),
        Key(MessageTimestampDifferenceMaxMs, ConfigType.Long, "9223372036854775807", "How far a create time may lie from the broker's clock, in milliseconds, where the two settings for each direction do not say.", 0, brokerKey: "log.message.timestamp.difference.max.ms"),
        Key(MessageTimestampType, ConfigType.String, "CreateTime", "Whether timestamps are the producer's or the broker's.", brokerKey: "log.message.timestamp.type") with { Allowed = ["CreateTime", "LogAppendTime"] },
        Key(MinCleanableDirtyRatio, ConfigType.Double, "0.5", "The share of uncompacted log that starts a compaction.", 0, 1, brokerKey: "log.cleaner.min.cleanable.ratio"),
        Key(MinCompactionLagMs, ConfigType.Long, "0", "The shortest time a message stays uncompacted, in milliseconds.", 0, brokerKey: "log.cleaner.min.compaction.lag.ms"),
        Key(MinInsyncReplicas, ConfigType.Int, "1", "Replicas that must have a message for acks=all; there is one.", 1, brokerKey: "min.insync.replicas"),
        Key(Preallocate, ConfigType.Boolean, "false", "Whether segment files are created at full size.", brokerKey: "log.preallocate"),
        Key(RemoteStorageEnable, ConfigType.Boolean, "false", "Whether old segments go to tiered storage, which there is none of.") with { Allowed = ["false"] },
        Key(RetentionBytes, ConfigType.Long, "-1", "Bytes kept per partition; -1 for no limit.", -1, brokerKey: "log.retention.bytes"),
        Key(RetentionMs, ConfigType.Long, "604800000", "How long messages are kept, in milliseconds; -1 for ever.", -1, brokerKey: "log.retention.ms"),
        Key(SegmentBytes, ConfigType.Int, "1073741824", "The size at which a segment is closed, in bytes.", 61, brokerKey: "log.segment.bytes"),
        Key(SegmentIndexBytes, ConfigType.Int, "10485760", "The largest size of an index file, in bytes.", 12, brokerKey: "log.index.size.max.bytes"),
        Key(SegmentJitterMs, ConfigType.Long, "0", "Random time taken off segment.ms, in milliseconds.", 0, brokerKey: "log.roll.jitter.ms"),
        Key(SegmentMs, ConfigType.Long, "604800000", "The age at which a segment is closed, in milliseconds.", 1, brokerKey: "log.roll.ms"),
        Key(UncleanLeaderElection, ConfigType.Boolean, "false", "Whether a replica that is behind may lead; there is one replica.", brokerKey: "unclean.leader.election.enable"),
    }.ToDictionary(key => key.Name, StringComparer.Ordinal);

    private static ConfigKey Key(
        string name, ConfigType type, string defaultValue, string doc, long min = long.MinValue, long max = long.MaxValue, string? brokerKey = null) =>
        new() { Name = name, Type = type, Default = defaultValue, Doc = doc, Min = min, Max = max, BrokerKey = brokerKey };
}
