using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Streams.Core;

/// <summary>What an application promises about each input record. Source: Kafka's <c>processing.guarantee</c>.</summary>
public enum ProcessingGuarantee
{
    /// <summary>Nothing is lost; after a failure what was not committed is processed again. The default.</summary>
    AtLeastOnce,

    /// <summary>Every record takes effect once: outputs, state and offsets are committed in one transaction.</summary>
    ExactlyOnce,
}

/// <summary>The settings of an application. Immutable; all faults are reported together when it is started.</summary>
/// <remarks>Each property names its Kafka Streams key; defaults are Kafka Streams' own where nothing else is said.</remarks>
public sealed record StreamsConfig
{
    private const int MaxClientTags = 5;
    private const int MaxTagNameLength = 20;
    private const int MaxTagValueLength = 30;

    // Not a name that a client.tag can have, which ends before it.
    internal const string RackTag = "client.rack";

    private const long LeastInputBufferBytes = 1L << 20;

    private readonly TimeSpan? _commitInterval;
    private readonly long? _inputBufferMaxBytes;
    private readonly IsolationLevel? _inputIsolationLevel;

    /// <summary>Name of the application: its consumer group, the prefix of its internal topics and client ids, its folder under <see cref="StateDirectory"/>. <c>application.id</c></summary>
    public required string ApplicationId { get; init; }

    /// <summary>Brokers to start from, <c>host:port,host:port</c>; needs the package Streams.Kafka. <c>bootstrap.servers</c></summary>
    public string? BootstrapServers { get; init; }

    /// <summary>Where the application runs, instead of <see cref="BootstrapServers"/>: an embedded broker, or a cluster with settings of its own. It is not disposed with the application.</summary>
    public ICluster? Cluster { get; init; }

    /// <summary>Processing guarantee. <c>processing.guarantee</c></summary>
    public ProcessingGuarantee ProcessingGuarantee { get; init; } = ProcessingGuarantee.AtLeastOnce;

    /// <summary>Threads that run tasks (default 1, at most 256). <c>num.stream.threads</c></summary>
    public int NumStreamThreads { get; init; } = 1;

    /// <summary>Folder for local state; one process at a time uses an application's folder in it (default: <c>kafka-streams</c> in the system's temporary folder, which a reboot may empty). <c>state.dir</c></summary>
    public string StateDirectory { get; init; } = Path.Combine(Path.GetTempPath(), "kafka-streams");

    /// <summary>
    /// Time between commits (default 30 s; 100 ms with <see cref="ProcessingGuarantee.ExactlyOnce"/>, whose outputs are visible only after a commit). It is also how long a record
    /// cache holds updates back. <c>commit.interval.ms</c>
    /// </summary>
    public TimeSpan CommitInterval
    {
        get => _commitInterval ?? (ProcessingGuarantee == ProcessingGuarantee.ExactlyOnce ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(30));
        init => _commitInterval = value;
    }

    /// <summary>
    /// How long a transaction may stay open before the cluster gives it up (default 10 s; at least <see cref="CommitInterval"/>, at most 15 min). After a crash, readers of committed
    /// records wait this long at most. With <see cref="ProcessingGuarantee.ExactlyOnce"/> only. <c>producer.transaction.timeout.ms</c>
    /// </summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a thread waits for records when it has nothing to do (default 100 ms). <c>poll.ms</c></summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Records a partition may have waiting before it is paused (default 1000; a batch in flight may exceed it). <c>buffered.records.per.partition</c></summary>
    public int BufferedRecordsPerPartition { get; init; } = 1000;

    /// <summary>
    /// Part of <see cref="StateMemoryBytes"/> for what is fetched and not processed, of all threads together: in clients, in the queues of tasks, and on the way into stores that are
    /// restored. At least 1 MiB; the default is a quarter of the whole less <see cref="StateStoreCacheMaxBytes"/>, and at least an eighth: 54 MiB. KIP-770's <c>input.buffer.max.bytes</c>
    /// </summary>
    /// <remarks>A client may exceed its share by one fetch, and a record that is larger than the share is read all the same.</remarks>
    public long InputBufferMaxBytes
    {
        get => _inputBufferMaxBytes ?? Math.Max(LeastInputBufferBytes, Math.Min(Math.Max((StateMemoryBytes / 4) - StateStoreCacheMaxBytes, StateMemoryBytes / 8), (StateMemoryBytes / 4 * 3) - StateStoreCacheMaxBytes));
        init => _inputBufferMaxBytes = value;
    }

    /// <summary>How long a task waits for partitions without records: negative never, 0 (default) while the broker has more, positive that much longer. <c>max.task.idle.ms</c> (KIP-695)</summary>
    public TimeSpan MaxTaskIdle { get; init; } = TimeSpan.Zero;

    /// <summary>How records get their time unless their source says otherwise. <c>default.timestamp.extractor</c></summary>
    public TimestampPolicy TimestampPolicy { get; init; } = TimestampPolicy.FailOnInvalid;

    /// <summary>Where to start reading without a committed offset, unless the source says otherwise (default earliest). <c>auto.offset.reset</c></summary>
    public AutoOffsetReset OffsetReset { get; init; } = AutoOffsetReset.Earliest;

    /// <summary>
    /// Which records of input topics are read: with <see cref="IsolationLevel.ReadCommitted"/> none of transactions that are open or were aborted, as applications write them that process
    /// exactly once (default <see cref="IsolationLevel.ReadUncommitted"/>; with <see cref="ProcessingGuarantee.ExactlyOnce"/> always committed ones). <c>consumer.isolation.level</c>
    /// </summary>
    public IsolationLevel InputIsolationLevel
    {
        get => _inputIsolationLevel ?? (ProcessingGuarantee == ProcessingGuarantee.ExactlyOnce ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted);
        init => _inputIsolationLevel = value;
    }

    /// <summary>
    /// Whether to refuse a topology in which a store or internal topic has a generated name, because inserting an operator would rename it and orphan its content
    /// (default false). <c>ensure.explicit.internal.resource.naming</c> (KIP-1111)
    /// </summary>
    public bool EnsureExplicitInternalResourceNaming { get; init; }

    /// <summary>The memory of this process that is the library's to bound: RocksDB's block cache and memtables, record caches, uncommitted writes, and input buffers (default 256 MiB, at least 16).</summary>
    public long StateMemoryBytes { get; init; } = StateMemory.DefaultBytes;

    /// <summary>Part of <see cref="StateMemoryBytes"/> for record caches, which forward only the last update per key and commit; 0 turns them off (default 10 MiB). <c>statestore.cache.max.bytes</c></summary>
    public long StateStoreCacheMaxBytes { get; init; } = 10L << 20;

    /// <summary>Writes that stores may hold back before a commit comes early (default 64 MiB). <c>statestore.uncommitted.max.bytes</c> (KIP-892)</summary>
    public long StateStoreUncommittedMaxBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Options of RocksDB for all persistent stores, by the names and values of RocksDB's options files: <c>compression</c> = <c>kLZ4Compression</c>, <c>block_based_table_factory</c> =
    /// <c>{block_size=16384}</c> (default none: universal compaction, no compression, memory by <see cref="StateMemoryBytes"/>). The <c>rocksdb.</c> prefix.
    /// </summary>
    /// <remarks>They go before the library's own, also where those keep to the memory budget. One that RocksDB does not know ends the application when it opens its first store.</remarks>
    public IReadOnlyDictionary<string, string> RocksDbOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>Options of RocksDB for one store, which is given by its name; they go before <see cref="RocksDbOptions"/> (default none; <c>null</c> answers none). In place of Kafka's <c>rocksdb.config.setter</c>.</summary>
    public Func<string, IReadOnlyDictionary<string, string>?>? RocksDbOptionsOfStore { get; init; }

    /// <summary>How often the topics of the cluster are looked at for new ones that a pattern matches, and for more partitions (default 5 min). <c>metadata.max.age.ms</c></summary>
    public TimeSpan MetadataMaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Replicas of internal topics; -1 (default) for the broker's default. <c>replication.factor</c></summary>
    public short ReplicationFactor { get; init; } = -1;

    /// <summary>How much longer than the store itself the changelog of a windowed or versioned store keeps records, for clocks that differ (default 1 day). It goes into topics as they are made. <c>windowstore.changelog.additional.retention.ms</c></summary>
    public TimeSpan WindowStoreChangelogAdditionalRetention { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long the group waits for a silent instance before its tasks move (default 45 s). <c>session.timeout.ms</c></summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Time between signs of life (default 3 s; at most a third of the session time-out). <c>heartbeat.interval.ms</c></summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the group waits for an instance to commit and join again (default 60 s). <c>rebalance.timeout.ms</c></summary>
    public TimeSpan RebalanceTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a task is tried again when the cluster does not answer (default 5 min). <c>task.timeout.ms</c> (KIP-572)</summary>
    public TimeSpan TaskTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between deletions of repartition records that are consumed (default 30 s). <c>repartition.purge.interval.ms</c></summary>
    public TimeSpan RepartitionPurgeInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Name of the instance in brokers' logs (default: the application id and a random part). <c>client.id</c></summary>
    public string? ClientId { get; init; }

    /// <summary>Name of a static member: a restart under the same name within the session time-out moves no tasks. <c>group.instance.id</c> (KIP-345)</summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>Copies of each task's state that other instances keep up to date, to take over without restoring (default 0). <c>num.standby.replicas</c></summary>
    public int NumStandbyReplicas { get; init; }

    /// <summary>Changelog records that an instance may be behind and still be given a task at once (default 10,000). <c>acceptable.recovery.lag</c> (KIP-441)</summary>
    public long AcceptableRecoveryLag { get; init; } = 10_000;

    /// <summary>Tasks of the whole group that may warm up at a time on instances that are to have them (default 2, at least 1). <c>max.warmup.replicas</c> (KIP-441)</summary>
    public int MaxWarmupReplicas { get; init; } = 2;

    /// <summary>Time after which the group looks whether warm-ups have caught up (default 10 min). <c>probing.rebalance.interval.ms</c> (KIP-441)</summary>
    public TimeSpan ProbingRebalanceInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Tags of this instance, such as its zone; at most 5. The <c>client.tag.</c> prefix (KIP-708).</summary>
    public IReadOnlyDictionary<string, string> ClientTags { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of tags in whose values a task and its standbys are to differ where they can; each must be among <see cref="ClientTags"/>. <c>rack.aware.assignment.tags</c></summary>
    public IReadOnlyList<string> RackAwareAssignmentTags { get; init; } = [];

    /// <summary>
    /// What the group does about traffic between racks when it divides active tasks (default nothing). It needs <see cref="ClientRack"/> on every instance and racks of all brokers, and does
    /// nothing where one is missing. <c>rack.aware.assignment.strategy</c> (KIP-925)
    /// </summary>
    public RackAwareAssignmentStrategy RackAwareAssignmentStrategy { get; init; } = RackAwareAssignmentStrategy.None;

    /// <summary>Cost of each partition that a task reads from another rack (default 10, at least 0). <c>rack.aware.assignment.traffic_cost</c> (KIP-925)</summary>
    public int RackAwareAssignmentTrafficCost { get; init; } = 10;

    /// <summary>
    /// Cost of a task with state that moves (default 1, at least 0): the larger it is beside <see cref="RackAwareAssignmentTrafficCost"/>, the rather tasks stay where they are.
    /// <c>rack.aware.assignment.non_overlap_cost</c> (KIP-925)
    /// </summary>
    public int RackAwareAssignmentNonOverlapCost { get; init; } = 1;

    /// <summary>Divides the tasks among the instances in place of the library; set it on all of them (default: the library does). <c>task.assignor.class</c> (KIP-924)</summary>
    public ITaskAssignor? TaskAssignor { get; init; }

    /// <summary>The rack this instance is in: brokers may be read from the nearest replica, and standbys are kept apart by it when <see cref="RackAwareAssignmentTags"/> is empty. <c>client.rack</c></summary>
    public string? ClientRack { get; init; }

    /// <summary>Where other instances can reach this one, <c>host:port</c>: they find it in the metadata of queries. What answers there is yours. <c>application.server</c></summary>
    public string? ApplicationServer { get; init; }

    /// <summary>How long the local state of a task that has moved away is kept, in case it comes back (default 10 min). <c>state.cleanup.delay.ms</c></summary>
    public TimeSpan StateCleanupDelay { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What queries see unless they say otherwise (default: uncommitted writes too). <c>default.interactive.query.isolation.level</c></summary>
    public IsolationLevel DefaultInteractiveQueryIsolationLevel { get; init; } = IsolationLevel.ReadUncommitted;

    /// <summary>Told how restoring goes, on the restoring thread. Kafka's <c>setGlobalStateRestoreListener</c>.</summary>
    public StateRestoreListener? StateRestoreListener { get; init; }

    /// <summary>Told how standbys go, on the restoring thread. Kafka's <c>setStandbyUpdateListener</c> (KIP-988).</summary>
    public StandbyUpdateListener? StandbyUpdateListener { get; init; }

    /// <summary>Decides about records that cannot be deserialised (default: fail). <c>deserialization.exception.handler</c></summary>
    public DeserializationExceptionHandler? DeserializationExceptionHandler { get; init; }

    /// <summary>Decides about records on which user code threw (default: fail). <c>processing.exception.handler</c> (KIP-1033)</summary>
    public ProcessingExceptionHandler? ProcessingExceptionHandler { get; init; }

    /// <summary>Decides about records that cannot be serialised (default: fail). <c>production.exception.handler</c></summary>
    public ProductionExceptionHandler? ProductionExceptionHandler { get; init; }

    /// <summary>
    /// Where the ready-made failure handlers, the default ones among them, write the source record of a failure (default: nowhere). The topic has to exist; global stores
    /// write nothing. <c>errors.dead.letter.queue.topic.name</c> (KIP-1034)
    /// </summary>
    public string? DeadLetterTopic { get; init; }

    /// <summary>
    /// Decides what becomes of the application when a thread fails with an error that no other handler has dealt with (default: <see cref="StreamThreadExceptionResponse.ShutdownClient"/>).
    /// Called on the failing thread. It is also asked when the thread of global stores fails, which nothing replaces, and when the instance cannot be a member of its group, because a source
    /// topic is missing for example: "replace" then means to join again, with growing pauses. Kafka's <c>setUncaughtExceptionHandler</c> (KIP-671)
    /// </summary>
    public Func<Exception, StreamThreadExceptionResponse>? UncaughtExceptionHandler { get; init; }

    /// <summary>Settings passed on to every consumer, by their Kafka names. The <c>consumer.</c> prefix.</summary>
    public IReadOnlyDictionary<string, string> ConsumerProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings of the consumer of input topics only; they go before <see cref="ConsumerProperties"/>. The <c>main.consumer.</c> prefix.</summary>
    public IReadOnlyDictionary<string, string> MainConsumerProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings of the consumers of changelogs only; they go before <see cref="ConsumerProperties"/>. The <c>restore.consumer.</c> prefix.</summary>
    public IReadOnlyDictionary<string, string> RestoreConsumerProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings of the consumer of global stores only; they go before <see cref="ConsumerProperties"/>. The <c>global.consumer.</c> prefix.</summary>
    public IReadOnlyDictionary<string, string> GlobalConsumerProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Settings of every connection to <see cref="BootstrapServers"/>, such as <c>security.protocol</c> and <c>sasl.*</c>, by their Kafka names. Without prefix, or with
    /// <c>admin.</c>: administration goes over the same connections. Not used with <see cref="Cluster"/>, which has its own.
    /// </summary>
    public IReadOnlyDictionary<string, string> ClientProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings passed on to every producer, by their Kafka names. The <c>producer.</c> prefix.</summary>
    public IReadOnlyDictionary<string, string> ProducerProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings put on every internal topic, by their Kafka names. The <c>topic.</c> prefix.</summary>
    public IReadOnlyDictionary<string, string> TopicProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether consumers hide what is in open and aborted transactions.</summary>
    internal bool ReadCommitted => InputIsolationLevel == IsolationLevel.ReadCommitted;

    /// <summary>
    /// Least wall-clock time between two looks for results whose window has closed (emit on close; unmatched records of left and outer joins).
    /// 1 s, as in Kafka Streams; 0 looks at every record. Kafka's internal <c>__emit.interval.ms.*</c> settings.
    /// </summary>
    internal TimeSpan EmitInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much is measured (default Info). <c>metrics.recording.level</c></summary>
    public MetricsRecordingLevel MetricsRecordingLevel { get; init; } = MetricsRecordingLevel.Info;

    /// <summary>Makes the meter <c>Streams</c> (default: the application makes its own). The generic host has one that keeps hosts in a process apart.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>Time between two lines of the log in which a thread says how much it has done (default 2 min; 0 for never). <c>log.summary.interval.ms</c> (KIP-1091)</summary>
    public TimeSpan LogSummaryInterval { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Where logs go (default: nowhere).</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock; tests inject their own.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Who the process is, instead of what its state folder or chance says; a simulation knows.</summary>
    internal Guid? ProcessId { get; init; }

    /// <summary>Where threads come from and how they wait; a simulation has its own.</summary>
    internal RuntimeThreads Threads { get; init; } = RuntimeThreads.OfSystem;

    /// <summary>What <see cref="From"/> could not read.</summary>
    internal IReadOnlyList<string> ReadFaults { get; init; } = [];

    /// <summary>
    /// Reads settings by their Kafka names (<c>num.stream.threads</c>) or those of the properties (<c>NumStreamThreads</c>), in any case, as a properties file or an environment
    /// has them. Nothing is thrown here: names that are unknown and values that cannot be read are reported by <see cref="Validate"/>, together with all other faults. Of a
    /// setting that is there twice the last one holds; <c>null</c> values are left out.
    /// </summary>
    /// <remarks>
    /// Durations are milliseconds (<c>30000</c>) or times (<c>00:00:30</c>). Settings of clients and topics have a prefix: <c>consumer.</c>, <c>main.consumer.</c>,
    /// <c>restore.consumer.</c>, <c>global.consumer.</c>, <c>producer.</c>, <c>admin.</c>, <c>topic.</c>, <c>client.tag.</c>, or the name of the property and a dot; <c>security.</c>,
    /// <c>sasl.</c> and <c>ssl.</c> belong to all clients. What is code (handlers of one's own, <see cref="Cluster"/>, listeners) is added with <c>with</c>.
    /// </remarks>
    public static StreamsConfig From(IEnumerable<KeyValuePair<string, string?>> settings) => new StreamsConfig { ApplicationId = "" }.With(settings);

    /// <summary>These settings, with what others say in place of theirs; names and values as in <see cref="From"/>.</summary>
    public StreamsConfig With(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return StreamsConfigReader.Read(this, settings);
    }

    /// <summary>Checks every setting.</summary>
    /// <exception cref="ConfigException">Names all faults: the setting, its value and what is allowed.</exception>
    public void Validate()
    {
        var faults = new List<string>(ReadFaults);
        Given(OffsetReset, "auto.offset.reset");
        Given(LoggerFactory, "LoggerFactory");
        Given(TimeProvider, "TimeProvider");
        Given(ClientProperties, "ClientProperties");
        Given(ProducerProperties, "producer.");
        Given(TopicProperties, "topic.");
        Given(RocksDbOptions, "rocksdb.");
        if (!IsName(ApplicationId))
            faults.Add($"application.id is '{ApplicationId}': 1 to 200 characters of a-z, A-Z, 0-9, '.', '_' and '-' are allowed, because it begins topic and folder names");
        if (Cluster is null && string.IsNullOrWhiteSpace(BootstrapServers))
            faults.Add("neither BootstrapServers (bootstrap.servers) nor Cluster is set: say where to run, for example BootstrapServers = \"localhost:9092\" or Cluster = EmbeddedCluster.At(\"./data\")");
        if (Cluster is not null && BootstrapServers is not null)
            faults.Add($"both Cluster and BootstrapServers ('{BootstrapServers}') are set: set one of them");
        if (!Enum.IsDefined(ProcessingGuarantee)) faults.Add($"processing.guarantee is {ProcessingGuarantee}: AtLeastOnce and ExactlyOnce are allowed");
        if (ProcessingGuarantee == ProcessingGuarantee.ExactlyOnce && (TransactionTimeout < CommitInterval || TransactionTimeout > TimeSpan.FromMinutes(15)))
            faults.Add($"transaction.timeout.ms is {TransactionTimeout.TotalMilliseconds}: commit.interval.ms ({CommitInterval.TotalMilliseconds}) to 900000 ms are allowed, because a transaction stays open from commit to commit");
        if (DeadLetterTopic is not null && !IsTopic(DeadLetterTopic))
            faults.Add($"errors.dead.letter.queue.topic.name is '{DeadLetterTopic}': 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-' are allowed");
        if (NumStreamThreads is < 1 or > 256) faults.Add($"num.stream.threads is {NumStreamThreads}: 1 to 256 are allowed");
        if (string.IsNullOrWhiteSpace(StateDirectory)) faults.Add("state.dir is empty: name a folder");
        else if (StateDirectory.AsSpan().ContainsAny(Path.GetInvalidPathChars())) faults.Add($"state.dir is '{StateDirectory.Replace('\0', '?')}': it has characters that no path can have");
        if (GroupInstanceId is not null && !IsTopic(GroupInstanceId))
            faults.Add($"group.instance.id is '{GroupInstanceId}': 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-' are allowed");
        if (!Enum.IsDefined(InputIsolationLevel)) faults.Add($"consumer.isolation.level is {InputIsolationLevel}: ReadUncommitted and ReadCommitted are allowed");
        else if (ProcessingGuarantee == ProcessingGuarantee.ExactlyOnce && InputIsolationLevel != IsolationLevel.ReadCommitted)
            faults.Add("consumer.isolation.level is ReadUncommitted: with ExactlyOnce only ReadCommitted is allowed, or records that an upstream application took back would be processed");
        if (!Enum.IsDefined(TimestampPolicy)) faults.Add($"default.timestamp.extractor is {TimestampPolicy}: {string.Join(", ", Enum.GetNames<TimestampPolicy>())} are allowed");
        if (!Enum.IsDefined(MetricsRecordingLevel)) faults.Add($"metrics.recording.level is {MetricsRecordingLevel}: Info and Debug are allowed");
        if (!Enum.IsDefined(DefaultInteractiveQueryIsolationLevel))
            faults.Add($"default.interactive.query.isolation.level is {DefaultInteractiveQueryIsolationLevel}: ReadUncommitted and ReadCommitted are allowed");
        Positive(CommitInterval, "commit.interval.ms");
        Positive(PollInterval, "poll.ms");
        Positive(SessionTimeout, "session.timeout.ms");
        Positive(HeartbeatInterval, "heartbeat.interval.ms");
        Positive(RebalanceTimeout, "rebalance.timeout.ms");
        Positive(TaskTimeout, "task.timeout.ms");
        Positive(MetadataMaxAge, "metadata.max.age.ms");
        Positive(RepartitionPurgeInterval, "repartition.purge.interval.ms");
        if (HeartbeatInterval > SessionTimeout / 3)
            faults.Add($"heartbeat.interval.ms is {HeartbeatInterval.TotalMilliseconds}: at most a third of session.timeout.ms ({SessionTimeout.TotalMilliseconds}) is allowed, so that two lost heartbeats do no harm");
        if (BufferedRecordsPerPartition < 1) faults.Add($"buffered.records.per.partition is {BufferedRecordsPerPartition}: at least 1 is allowed");
        if (InputBufferMaxBytes < LeastInputBufferBytes) faults.Add($"input.buffer.max.bytes is {InputBufferMaxBytes}: at least 1 MiB is allowed");
        if (StateMemoryBytes < 16L << 20) faults.Add($"StateMemoryBytes is {StateMemoryBytes}: at least 16 MiB is allowed");
        if (StateStoreCacheMaxBytes < 0 || StateStoreCacheMaxBytes > StateMemoryBytes)
            faults.Add($"statestore.cache.max.bytes is {StateStoreCacheMaxBytes}: 0 to StateMemoryBytes ({StateMemoryBytes}) is allowed");
        else if (InputBufferMaxBytes > (StateMemoryBytes / 4 * 3) - StateStoreCacheMaxBytes)
            faults.Add($"statestore.cache.max.bytes ({StateStoreCacheMaxBytes}) and input.buffer.max.bytes ({InputBufferMaxBytes}) leave less than a quarter of StateMemoryBytes ({StateMemoryBytes}) for stores");
        if (StateStoreUncommittedMaxBytes < 1 << 20) faults.Add($"statestore.uncommitted.max.bytes is {StateStoreUncommittedMaxBytes}: at least 1 MiB is allowed");
        if (ReplicationFactor is 0 or < -1) faults.Add($"replication.factor is {ReplicationFactor}: -1 (the broker's default) or at least 1 is allowed");
        if (NumStandbyReplicas is < 0 or > 100) faults.Add($"num.standby.replicas is {NumStandbyReplicas}: 0 to 100 are allowed");
        if (AcceptableRecoveryLag < 0) faults.Add($"acceptable.recovery.lag is {AcceptableRecoveryLag}: at least 0 is allowed");
        if (MaxWarmupReplicas < 1) faults.Add($"max.warmup.replicas is {MaxWarmupReplicas}: at least 1 is allowed, or no task with state could ever move");
        Positive(ProbingRebalanceInterval, "probing.rebalance.interval.ms");
        if (!Enum.IsDefined(RackAwareAssignmentStrategy)) faults.Add($"rack.aware.assignment.strategy is {RackAwareAssignmentStrategy}: None, MinTraffic and BalanceSubtopology are allowed");
        if (RackAwareAssignmentTrafficCost < 0) faults.Add($"rack.aware.assignment.traffic_cost is {RackAwareAssignmentTrafficCost}: at least 0 is allowed");
        if (RackAwareAssignmentNonOverlapCost < 0) faults.Add($"rack.aware.assignment.non_overlap_cost is {RackAwareAssignmentNonOverlapCost}: at least 0 is allowed");
        if (RackAwareAssignmentStrategy != RackAwareAssignmentStrategy.None && ClientRack is null)
            faults.Add($"rack.aware.assignment.strategy is {RackAwareAssignmentStrategy}, and client.rack is not set: say which rack this instance is in");
        if (WindowStoreChangelogAdditionalRetention < TimeSpan.Zero)
            faults.Add($"windowstore.changelog.additional.retention.ms is {WindowStoreChangelogAdditionalRetention.TotalMilliseconds}: at least 0 is allowed");
        if (LogSummaryInterval < TimeSpan.Zero) faults.Add($"log.summary.interval.ms is {LogSummaryInterval.TotalMilliseconds}: 0 (never) or more is allowed");
        Positive(StateCleanupDelay, "state.cleanup.delay.ms");
        var tags = Given(ClientTags, "client.tag.") ?? new Dictionary<string, string>();
        if (tags.Count > MaxClientTags) faults.Add($"client.tag.* are {tags.Count}: at most {MaxClientTags} are allowed");
        foreach (var (name, value) in tags)
        {
            if (name.Length is 0 or > MaxTagNameLength || value is null or { Length: 0 or > MaxTagValueLength })
                faults.Add($"client.tag.{name} is '{value}': names have 1 to {MaxTagNameLength} characters, values 1 to {MaxTagValueLength}");
        }

        foreach (var tag in (Given(RackAwareAssignmentTags, "rack.aware.assignment.tags") ?? []).Where(tag => tag is null || !tags.ContainsKey(tag)))
            faults.Add($"rack.aware.assignment.tags names '{tag}', which is not among client.tag.*: every instance must have it");
        if (ApplicationServer is not null && !HostInfo.TryParse(ApplicationServer, out _))
            faults.Add($"application.server is '{ApplicationServer}': it must be host:port, for example '10.0.0.7:8080'");
        IReadOnlyDictionary<string, string>?[] consumers =
        [
            Given(ConsumerProperties, "consumer."), Given(MainConsumerProperties, "main.consumer."), Given(RestoreConsumerProperties, "restore.consumer."), Given(GlobalConsumerProperties, "global.consumer."),
        ];
        foreach (var key in consumers.SelectMany(settings => settings?.Keys ?? []).Where(IsOurs))
            faults.Add($"consumer.{key} is decided by the application (offsets are committed with the state): remove it");
        if (consumers.Any(settings => settings?.GetValueOrDefault("isolation.level") is { } level && level != (ReadCommitted ? "read_committed" : "read_uncommitted")))
            faults.Add($"consumer.isolation.level is not what InputIsolationLevel says ({InputIsolationLevel}): set InputIsolationLevel, which all consumers follow, and remove it from the clients' settings");
        if (faults.Count > 0)
            throw new ConfigException($"{faults.Count} setting(s) cannot be used:{string.Concat(faults.Select(fault => "\n  - " + fault))}");

        T? Given<T>(T value, string name)
            where T : class?
        {
            if (value is null) faults.Add($"{name} is null: leave it out for the default");
            else if (value is IReadOnlyDictionary<string, string> settings) faults.AddRange(settings.Where(setting => setting.Value is null && name != "client.tag.").Select(setting => $"{name}{setting.Key} is null: leave it out for the default"));
            return value;
        }

        void Positive(TimeSpan value, string name)
        {
            if (value < TimeSpan.FromMilliseconds(1) || value.TotalMilliseconds > int.MaxValue)
                faults.Add($"{name} is {value.TotalMilliseconds}: 1 to {int.MaxValue} ms are allowed");
        }
    }

    /// <summary>What a thread's client may have fetched. Most, because a client that has to wait for room fetches in fits and starts.</summary>
    internal int FetchedMaxBytes => 5 * InputBufferUnit;

    /// <summary>What the client may have fetched that restores a thread's stores.</summary>
    internal int RestoreFetchedMaxBytes => 2 * InputBufferUnit;

    /// <summary>What the queues of a thread's tasks may hold.</summary>
    internal int QueuedMaxBytes => InputBufferUnit;

    /// <summary>What the client of global stores may have fetched.</summary>
    internal int GlobalFetchedMaxBytes => InputBufferUnit;

    // Eight of each thread, one for global stores.
    private int InputBufferUnit => (int)Math.Clamp(InputBufferMaxBytes / ((8L * NumStreamThreads) + 1), 1, int.MaxValue / 8);

    /// <summary>Settings of a consumer: its own before those of all, and the rack, which lets it read from the nearest replica.</summary>
    internal IReadOnlyDictionary<string, string> ConsumerSettings(IReadOnlyDictionary<string, string> own)
    {
        if (own.Count == 0 && ClientRack is null) return ConsumerProperties;
        var merged = new Dictionary<string, string>(ConsumerProperties);
        if (ClientRack is not null) merged.TryAdd(RackTag, ClientRack);
        foreach (var (key, value) in own) merged[key] = value;
        return merged;
    }

    /// <summary>What is said about RocksDB for a store.</summary>
    internal IReadOnlyDictionary<string, string> RocksDbOptionsOf(string store)
    {
        if (RocksDbOptionsOfStore?.Invoke(store) is not { Count: > 0 } own) return RocksDbOptions;
        var merged = new Dictionary<string, string>(RocksDbOptions);
        foreach (var (name, value) in own) merged[name] = value;
        return merged;
    }

    /// <summary>Tags that keep replicas apart: those named, or the rack where none are.</summary>
    internal IReadOnlyList<string> RackTags() => RackAwareAssignmentTags.Count > 0 ? RackAwareAssignmentTags : [RackTag];

    /// <summary>Tags that this instance tells the group.</summary>
    internal IReadOnlyDictionary<string, string> TagsToTell() =>
        ClientRack is null ? ClientTags : new Dictionary<string, string>(ClientTags) { [RackTag] = ClientRack };

    private static bool IsOurs(string key) => key is "enable.auto.commit" or "group.id" or "auto.offset.reset" or "enable.auto.offset.store";

    private static bool IsTopic(string name) =>
        name is { Length: > 0 and <= 249 } and not ("." or "..") && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= 200 } and not ("." or "..") && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');
}
