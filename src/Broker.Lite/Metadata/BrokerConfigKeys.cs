namespace Broker.Lite.Metadata;

/// <summary>
/// The broker configuration keys that this broker acts on, with Kafka's names, plus those that give topics their defaults.
/// </summary>
internal static class BrokerConfigKeys
{
    public const string AutoCreateTopics = "auto.create.topics.enable";
    public const string BrokerId = "broker.id";
    public const string ConnectionsMaxIdleMs = "connections.max.idle.ms";
    public const string FetchMaxBytes = "fetch.max.bytes";
    public const string ConsumerGroupHeartbeatIntervalMs = "group.consumer.heartbeat.interval.ms";
    public const string ConsumerGroupMaxHeartbeatIntervalMs = "group.consumer.max.heartbeat.interval.ms";
    public const string ConsumerGroupMaxSessionTimeoutMs = "group.consumer.max.session.timeout.ms";
    public const string ConsumerGroupMinHeartbeatIntervalMs = "group.consumer.min.heartbeat.interval.ms";
    public const string ConsumerGroupMinSessionTimeoutMs = "group.consumer.min.session.timeout.ms";
    public const string ConsumerGroupMaxSize = "group.consumer.max.size";
    public const string ConsumerGroupSessionTimeoutMs = "group.consumer.session.timeout.ms";
    public const string GroupInitialRebalanceDelayMs = "group.initial.rebalance.delay.ms";
    public const string GroupMaxSessionTimeoutMs = "group.max.session.timeout.ms";
    public const string GroupMaxSize = "group.max.size";
    public const string GroupMinSessionTimeoutMs = "group.min.session.timeout.ms";
    public const string LogCleanerBackoffMs = "log.cleaner.backoff.ms";
    public const string LogCleanerDedupeBufferSize = "log.cleaner.dedupe.buffer.size";
    public const string LogCleanerEnable = "log.cleaner.enable";
    public const string LogCleanerIoBufferSize = "log.cleaner.io.buffer.size";
    public const string LogCleanerIoMaxBytesPerSecond = "log.cleaner.io.max.bytes.per.second";
    public const string LogRetentionCheckIntervalMs = "log.retention.check.interval.ms";
    public const string LogDirs = "log.dirs";
    public const string MaxConnections = "max.connections";
    public const string MaxFetchSessions = "max.incremental.fetch.session.cache.slots";
    public const string NumPartitions = "num.partitions";
    public const string DefaultReplicationFactor = "default.replication.factor";
    public const string DeleteTopicEnable = "delete.topic.enable";
    public const string OffsetMetadataMaxBytes = "offset.metadata.max.bytes";
    public const string OffsetsRetentionCheckIntervalMs = "offsets.retention.check.interval.ms";
    public const string OffsetsRetentionMinutes = "offsets.retention.minutes";
    public const string OffsetsTopicPartitions = "offsets.topic.num.partitions";
    public const string QueuedMaxRequestBytes = "queued.max.request.bytes";
    public const string SocketRequestMaxBytes = "socket.request.max.bytes";
    public const string TransactionIdExpirationCheckIntervalMs = "transaction.remove.expired.transaction.cleanup.interval.ms";
    public const string TransactionIdExpirationMs = "transactional.id.expiration.ms";
    public const string TransactionMaxTimeoutMs = "transaction.max.timeout.ms";
    public const string TransactionTopicPartitions = "transaction.state.log.num.partitions";

    /// <summary>Keys by name.</summary>
    public static IReadOnlyDictionary<string, ConfigKey> All { get; } = Own().Concat(Security.SecurityConfigKeys.All).Concat(TopicDefaults()).ToDictionary(key => key.Name, StringComparer.Ordinal);

    private static IEnumerable<ConfigKey> Own() =>
    [
        Key(AutoCreateTopics, ConfigType.Boolean, "true", "Create a topic when a client that allows it asks for its metadata."),
        Key(BrokerId, ConfigType.Int, "1", "The node id clients see.", 0, int.MaxValue) with { ReadOnly = true },
        Key(ConnectionsMaxIdleMs, ConfigType.Long, "600000", "Close connections on which nothing happened for this long, in milliseconds.", 1) with { ReadOnly = true },
        Key(DefaultReplicationFactor, ConfigType.Int, "1", "Replicas of new topics; there is one broker.", 1, 1) with { ReadOnly = true },
        Key(DeleteTopicEnable, ConfigType.Boolean, "true", "Whether topics can be deleted."),
        Key(FetchMaxBytes, ConfigType.Int, "57671680", "The most bytes one fetch returns, whatever the client allows.", 1024) with { ReadOnly = true },
        Key(ConsumerGroupHeartbeatIntervalMs, ConfigType.Int, "5000", "How often members of the consumer protocol heartbeat, in milliseconds.", 1) with { ReadOnly = true },
        // Kafka allows 5 to 15 and 45 to 60 seconds; as with the classic protocol, other values only cost the group that asks for them.
        Key(ConsumerGroupMaxHeartbeatIntervalMs, ConfigType.Int, "60000", "The longest heartbeat interval a group may set, in milliseconds.", 1) with { ReadOnly = true },
        Key(ConsumerGroupMaxSessionTimeoutMs, ConfigType.Int, "1800000", "The longest session time-out a group may set, in milliseconds.", 1) with { ReadOnly = true },
        Key(ConsumerGroupMinHeartbeatIntervalMs, ConfigType.Int, "100", "The shortest heartbeat interval a group may set, in milliseconds.", 1) with { ReadOnly = true },
        Key(ConsumerGroupMinSessionTimeoutMs, ConfigType.Int, "1000", "The shortest session time-out a group may set, in milliseconds.", 1) with { ReadOnly = true },
        Key(ConsumerGroupMaxSize, ConfigType.Int, "10000", "The most members a group with the consumer protocol may have; bounded, unlike Kafka's default, because memory is.", 1) with { ReadOnly = true },
        Key(ConsumerGroupSessionTimeoutMs, ConfigType.Int, "45000", "After how long without heartbeat a member of the consumer protocol is out, in milliseconds.", 1) with { ReadOnly = true },
        // Kafka's built-in value is 3000, its shipped development configuration says 0: a single node is what that configuration is for.
        Key(GroupInitialRebalanceDelayMs, ConfigType.Int, "0", "How long an empty group waits for more members before its first generation, in milliseconds.", 0) with { ReadOnly = true },
        Key(GroupMaxSessionTimeoutMs, ConfigType.Int, "1800000", "The longest session time-out a member may ask for, in milliseconds.", 1) with { ReadOnly = true },
        Key(GroupMaxSize, ConfigType.Int, "10000", "The most members a group may have; bounded, unlike Kafka's default, because memory is.", 1) with { ReadOnly = true },
        // Kafka's built-in value is 6000; tests and edge devices ask for less, and a small value only costs the member that asks for it.
        Key(GroupMinSessionTimeoutMs, ConfigType.Int, "1000", "The shortest session time-out a member may ask for, in milliseconds.", 1) with { ReadOnly = true },
        Key(LogCleanerBackoffMs, ConfigType.Long, "15000", "How often logs are looked at for compaction, in milliseconds.", 1, int.MaxValue) with { ReadOnly = true },
        Key(LogCleanerDedupeBufferSize, ConfigType.Long, "134217728", "Memory for the keys of a log while it is compacted, in bytes, 24 a key; taken as needed.", 1_048_576),
        Key(LogCleanerEnable, ConfigType.Boolean, "true", "Whether logs are compacted.") with { ReadOnly = true },
        Key(LogCleanerIoBufferSize, ConfigType.Int, "524288", "What compaction reads and writes at a time, in bytes.", 4096, 1 << 30),
        Key(LogCleanerIoMaxBytesPerSecond, ConfigType.Double, "1.7976931348623157E308", "Bytes per second that compaction reads and writes at most.", 1),
        Key(LogRetentionCheckIntervalMs, ConfigType.Long, "300000", "How often logs are looked at for retention, in milliseconds; the first time after 30 seconds at most.", 1, int.MaxValue) with { ReadOnly = true },
        Key(LogDirs, ConfigType.String, "", "The data folder; empty when logs are kept in memory.") with { ReadOnly = true },
        Key(MaxConnections, ConfigType.Int, "4096", "The most connections open at a time; bounded, unlike Kafka's default, because memory is.", 1) with { ReadOnly = true },
        Key(MaxFetchSessions, ConfigType.Int, "1000", "The most fetch sessions open at a time; clients beyond it repeat their partitions in each request.", 0) with { ReadOnly = true },
        Key(NumPartitions, ConfigType.Int, "1", "Partitions of topics whose creator does not say.", 1, 10_000),
        Key(OffsetMetadataMaxBytes, ConfigType.Int, "4096", "The longest text a client may attach to a committed offset, in bytes.", 0) with { ReadOnly = true },
        Key(OffsetsRetentionCheckIntervalMs, ConfigType.Long, "600000", "How often old offsets are looked for, in milliseconds.", 1) with { ReadOnly = true },
        Key(OffsetsRetentionMinutes, ConfigType.Int, "10080", "How long the offsets of an empty group are kept, in minutes.", 1) with { ReadOnly = true },
        // Kafka's 50 spread groups over brokers; with one broker more partitions only mean more files.
        Key(OffsetsTopicPartitions, ConfigType.Int, "1", "Partitions of __consumer_offsets when it is created.", 1, 1000) with { ReadOnly = true },
        Key(QueuedMaxRequestBytes, ConfigType.Long, "536870912", "Bytes of unfinished requests held at a time; readers wait beyond it.", 1_048_576) with { ReadOnly = true },
        Key(SocketRequestMaxBytes, ConfigType.Int, "104857600", "The largest request accepted, in bytes.", 1024) with { ReadOnly = true },
        Key(TransactionIdExpirationCheckIntervalMs, ConfigType.Int, "3600000", "How often unused transactional ids are looked for, in milliseconds.", 1) with { ReadOnly = true },
        Key(TransactionIdExpirationMs, ConfigType.Int, "604800000", "How long a transactional id is remembered that nobody uses, in milliseconds.", 1) with { ReadOnly = true },
        Key(TransactionMaxTimeoutMs, ConfigType.Int, "900000", "The longest time a producer may ask to keep a transaction open, in milliseconds.", 1) with { ReadOnly = true },
        // As with __consumer_offsets: more partitions than one would only be more files.
        Key(TransactionTopicPartitions, ConfigType.Int, "1", "Partitions of __transaction_state when it is created.", 1, 1000) with { ReadOnly = true },
    ];

    // min.insync.replicas and compression.type have the same name on both levels.
    private static IEnumerable<ConfigKey> TopicDefaults() =>
        TopicConfigKeys.All.Values.Where(topicKey => topicKey.BrokerKey is not null).Select(topicKey => topicKey with { Name = topicKey.BrokerKey!, BrokerKey = null });

    private static ConfigKey Key(string name, ConfigType type, string defaultValue, string doc, long min = long.MinValue, long max = long.MaxValue) =>
        new() { Name = name, Type = type, Default = defaultValue, Doc = doc, Min = min, Max = max };
}
