namespace Kafka.Protocol;

/// <summary>
/// The first two bytes of a request: which operation it is. All keys of Kafka 4.1 have a name here; those with messages in this
/// library are in <see cref="Messages.ApiMessages"/>.
/// </summary>
public enum ApiKey : short
{
    /// <summary>Append record batches to partitions.</summary>
    Produce = 0,

    /// <summary>Read record batches from partitions, waiting for some if there are none.</summary>
    Fetch = 1,

    /// <summary>Look offsets up by timestamp, or the ends of a log.</summary>
    ListOffsets = 2,

    /// <summary>Brokers, topics, partitions and their leaders.</summary>
    Metadata = 3,

    /// <summary>Controller to broker: who leads what (not in this library).</summary>
    LeaderAndIsr = 4,

    /// <summary>Controller to broker: give a replica up (not in this library).</summary>
    StopReplica = 5,

    /// <summary>Controller to broker: the cluster's state (not in this library).</summary>
    UpdateMetadata = 6,

    /// <summary>Broker to controller: about to stop (not in this library).</summary>
    ControlledShutdown = 7,

    /// <summary>Store a group's positions.</summary>
    OffsetCommit = 8,

    /// <summary>Read a group's positions.</summary>
    OffsetFetch = 9,

    /// <summary>Which broker coordinates a group or a transactional id.</summary>
    FindCoordinator = 10,

    /// <summary>Become a member of a classic group, or stay one through a rebalance.</summary>
    JoinGroup = 11,

    /// <summary>Stay alive in a classic group, and hear about rebalances.</summary>
    Heartbeat = 12,

    /// <summary>Leave a classic group.</summary>
    LeaveGroup = 13,

    /// <summary>Hand in (leader) and receive (all) the assignment of a generation.</summary>
    SyncGroup = 14,

    /// <summary>State and members of classic groups.</summary>
    DescribeGroups = 15,

    /// <summary>The groups a broker coordinates.</summary>
    ListGroups = 16,

    /// <summary>Choose a SASL mechanism.</summary>
    SaslHandshake = 17,

    /// <summary>Which APIs and versions the broker serves.</summary>
    ApiVersions = 18,

    /// <summary>Create topics.</summary>
    CreateTopics = 19,

    /// <summary>Delete topics.</summary>
    DeleteTopics = 20,

    /// <summary>Drop records before an offset.</summary>
    DeleteRecords = 21,

    /// <summary>Get a producer id and epoch, and fence earlier holders of a transactional id.</summary>
    InitProducerId = 22,

    /// <summary>Where a leader epoch ends, to find out about truncation.</summary>
    OffsetForLeaderEpoch = 23,

    /// <summary>Take partitions into a transaction.</summary>
    AddPartitionsToTxn = 24,

    /// <summary>Take a group's offsets into a transaction.</summary>
    AddOffsetsToTxn = 25,

    /// <summary>Commit or abort a transaction.</summary>
    EndTxn = 26,

    /// <summary>Coordinator to leader: write commit or abort markers.</summary>
    WriteTxnMarkers = 27,

    /// <summary>Store a group's positions as part of a transaction.</summary>
    TxnOffsetCommit = 28,

    /// <summary>List access rules.</summary>
    DescribeAcls = 29,

    /// <summary>Add access rules.</summary>
    CreateAcls = 30,

    /// <summary>Remove access rules.</summary>
    DeleteAcls = 31,

    /// <summary>Read configurations.</summary>
    DescribeConfigs = 32,

    /// <summary>Replace the whole configuration of a resource.</summary>
    AlterConfigs = 33,

    /// <summary>Move replicas between a broker's disks.</summary>
    AlterReplicaLogDirs = 34,

    /// <summary>Sizes of logs by directory.</summary>
    DescribeLogDirs = 35,

    /// <summary>One step of a SASL exchange.</summary>
    SaslAuthenticate = 36,

    /// <summary>Give topics more partitions.</summary>
    CreatePartitions = 37,

    /// <summary>Create a delegation token (not in this library).</summary>
    CreateDelegationToken = 38,

    /// <summary>Renew a delegation token (not in this library).</summary>
    RenewDelegationToken = 39,

    /// <summary>Expire a delegation token (not in this library).</summary>
    ExpireDelegationToken = 40,

    /// <summary>List delegation tokens (not in this library).</summary>
    DescribeDelegationToken = 41,

    /// <summary>Delete groups and their offsets.</summary>
    DeleteGroups = 42,

    /// <summary>Elect leaders of partitions.</summary>
    ElectLeaders = 43,

    /// <summary>Set, delete, append to or subtract from single configuration values.</summary>
    IncrementalAlterConfigs = 44,

    /// <summary>Start or cancel moving partitions between brokers.</summary>
    AlterPartitionReassignments = 45,

    /// <summary>Moves of partitions that are under way.</summary>
    ListPartitionReassignments = 46,

    /// <summary>Forget a group's positions in some topics.</summary>
    OffsetDelete = 47,

    /// <summary>Read quotas.</summary>
    DescribeClientQuotas = 48,

    /// <summary>Change quotas.</summary>
    AlterClientQuotas = 49,

    /// <summary>Which users have SCRAM credentials.</summary>
    DescribeUserScramCredentials = 50,

    /// <summary>Add or remove SCRAM credentials.</summary>
    AlterUserScramCredentials = 51,

    /// <summary>KRaft election (not in this library).</summary>
    Vote = 52,

    /// <summary>KRaft election (not in this library).</summary>
    BeginQuorumEpoch = 53,

    /// <summary>KRaft election (not in this library).</summary>
    EndQuorumEpoch = 54,

    /// <summary>State of the KRaft quorum (not in this library).</summary>
    DescribeQuorum = 55,

    /// <summary>Leader to controller: change of the in-sync set (not in this library).</summary>
    AlterPartition = 56,

    /// <summary>Change finalized feature levels.</summary>
    UpdateFeatures = 57,

    /// <summary>A request forwarded between brokers (not in this library).</summary>
    Envelope = 58,

    /// <summary>KRaft snapshot transfer (not in this library).</summary>
    FetchSnapshot = 59,

    /// <summary>Cluster id, controller and brokers.</summary>
    DescribeCluster = 60,

    /// <summary>Producers active on partitions.</summary>
    DescribeProducers = 61,

    /// <summary>Broker to controller (not in this library).</summary>
    BrokerRegistration = 62,

    /// <summary>Broker to controller (not in this library).</summary>
    BrokerHeartbeat = 63,

    /// <summary>Remove a broker's registration (not in this library).</summary>
    UnregisterBroker = 64,

    /// <summary>State of transactions by transactional id.</summary>
    DescribeTransactions = 65,

    /// <summary>Transactional ids a broker coordinates.</summary>
    ListTransactions = 66,

    /// <summary>Broker to controller (not in this library).</summary>
    AllocateProducerIds = 67,

    /// <summary>Join, stay in and leave a group of the new consumer protocol (KIP-848).</summary>
    ConsumerGroupHeartbeat = 68,

    /// <summary>State and members of groups of the new consumer protocol (KIP-848).</summary>
    ConsumerGroupDescribe = 69,

    /// <summary>Controller to controller (not in this library).</summary>
    ControllerRegistration = 70,

    /// <summary>Which metrics the broker wants from a client (KIP-714).</summary>
    GetTelemetrySubscriptions = 71,

    /// <summary>Metrics from a client (KIP-714).</summary>
    PushTelemetry = 72,

    /// <summary>Broker to controller (not in this library).</summary>
    AssignReplicasToDirs = 73,

    /// <summary>Names of client metrics subscriptions (not in this library).</summary>
    ListClientMetricsResources = 74,

    /// <summary>Partitions of topics, page by page (KIP-966).</summary>
    DescribeTopicPartitions = 75,

    /// <summary>Share groups (not in this library).</summary>
    ShareGroupHeartbeat = 76,

    /// <summary>Share groups (not in this library).</summary>
    ShareGroupDescribe = 77,

    /// <summary>Share groups (not in this library).</summary>
    ShareFetch = 78,

    /// <summary>Share groups (not in this library).</summary>
    ShareAcknowledge = 79,

    /// <summary>KRaft voters (not in this library).</summary>
    AddRaftVoter = 80,

    /// <summary>KRaft voters (not in this library).</summary>
    RemoveRaftVoter = 81,

    /// <summary>KRaft voters (not in this library).</summary>
    UpdateRaftVoter = 82,

    /// <summary>Share group state (not in this library).</summary>
    InitializeShareGroupState = 83,

    /// <summary>Share group state (not in this library).</summary>
    ReadShareGroupState = 84,

    /// <summary>Share group state (not in this library).</summary>
    WriteShareGroupState = 85,

    /// <summary>Share group state (not in this library).</summary>
    DeleteShareGroupState = 86,

    /// <summary>Share group state (not in this library).</summary>
    ReadShareGroupStateSummary = 87,

    /// <summary>Streams groups (KIP-1071; not in this library yet).</summary>
    StreamsGroupHeartbeat = 88,

    /// <summary>Streams groups (KIP-1071; not in this library yet).</summary>
    StreamsGroupDescribe = 89,
}
