namespace Kafka.Protocol;

/// <summary>
/// What a broker answers when it does not simply do what was asked. The numbers are the wire's and never change meaning.
/// Name, retriability and a line of text for each: <see cref="ErrorCodes"/>.
/// </summary>
/// <remarks>Source: the protocol guide's error table, up to Kafka 4.1. A newer broker may send others: they keep their number.</remarks>
public enum ErrorCode : short
{
    /// <summary>The broker failed in a way it has no code for.</summary>
    UnknownServerError = -1,

    /// <summary>No error.</summary>
    None = 0,

    /// <summary>The offset lies outside what the partition's log holds.</summary>
    OffsetOutOfRange = 1,

    /// <summary>The batch failed its checksum or its structure is broken.</summary>
    CorruptMessage = 2,

    /// <summary>This broker does not know the topic or the partition.</summary>
    UnknownTopicOrPartition = 3,

    /// <summary>The fetch size is not usable.</summary>
    InvalidFetchSize = 4,

    /// <summary>The partition has no leader at the moment.</summary>
    LeaderNotAvailable = 5,

    /// <summary>Another broker leads (or holds) the partition: refresh metadata.</summary>
    NotLeaderOrFollower = 6,

    /// <summary>The broker gave up waiting for the request to complete.</summary>
    RequestTimedOut = 7,

    /// <summary>The broker asked for is not there.</summary>
    BrokerNotAvailable = 8,

    /// <summary>The replica asked for is not there.</summary>
    ReplicaNotAvailable = 9,

    /// <summary>A batch exceeds max.message.bytes.</summary>
    MessageTooLarge = 10,

    /// <summary>The request comes from a controller that was replaced.</summary>
    StaleControllerEpoch = 11,

    /// <summary>The text stored with a committed offset is too long.</summary>
    OffsetMetadataTooLarge = 12,

    /// <summary>The connection broke before the answer arrived.</summary>
    NetworkException = 13,

    /// <summary>The coordinator is still reading its state.</summary>
    CoordinatorLoadInProgress = 14,

    /// <summary>There is no coordinator at the moment.</summary>
    CoordinatorNotAvailable = 15,

    /// <summary>Another broker coordinates this group or transactional id.</summary>
    NotCoordinator = 16,

    /// <summary>The topic name is not legal, or the topic may not be used this way.</summary>
    InvalidTopicException = 17,

    /// <summary>The batch is larger than a log segment can be.</summary>
    RecordListTooLarge = 18,

    /// <summary>Too few in-sync replicas to accept the write; nothing was written.</summary>
    NotEnoughReplicas = 19,

    /// <summary>Written, but to fewer in-sync replicas than required.</summary>
    NotEnoughReplicasAfterAppend = 20,

    /// <summary>acks is not -1, 0 or 1.</summary>
    InvalidRequiredAcks = 21,

    /// <summary>The group has moved on to another generation.</summary>
    IllegalGeneration = 22,

    /// <summary>The member shares no protocol (type) with the group.</summary>
    InconsistentGroupProtocol = 23,

    /// <summary>The group id is empty or not legal.</summary>
    InvalidGroupId = 24,

    /// <summary>The group does not know this member (any more).</summary>
    UnknownMemberId = 25,

    /// <summary>The session timeout is outside the broker's bounds.</summary>
    InvalidSessionTimeout = 26,

    /// <summary>The group is rebalancing: join again.</summary>
    RebalanceInProgress = 27,

    /// <summary>The offset commit is too large to be stored.</summary>
    InvalidCommitOffsetSize = 28,

    /// <summary>Not allowed on this topic.</summary>
    TopicAuthorizationFailed = 29,

    /// <summary>Not allowed on this group.</summary>
    GroupAuthorizationFailed = 30,

    /// <summary>Not allowed on the cluster.</summary>
    ClusterAuthorizationFailed = 31,

    /// <summary>A record's timestamp is outside the allowed bounds.</summary>
    InvalidTimestamp = 32,

    /// <summary>The broker does not offer this SASL mechanism.</summary>
    UnsupportedSaslMechanism = 33,

    /// <summary>The request does not fit the state of the authentication exchange.</summary>
    IllegalSaslState = 34,

    /// <summary>The broker does not speak this version of the API.</summary>
    UnsupportedVersion = 35,

    /// <summary>A topic of this name exists.</summary>
    TopicAlreadyExists = 36,

    /// <summary>The number of partitions is not acceptable.</summary>
    InvalidPartitions = 37,

    /// <summary>The replication factor is below one or above the number of brokers.</summary>
    InvalidReplicationFactor = 38,

    /// <summary>The manual replica assignment is not acceptable.</summary>
    InvalidReplicaAssignment = 39,

    /// <summary>A configuration name or value is not acceptable.</summary>
    InvalidConfig = 40,

    /// <summary>Another broker is the controller.</summary>
    NotController = 41,

    /// <summary>The request is malformed or contradicts itself.</summary>
    InvalidRequest = 42,

    /// <summary>The log's message format has no support for this.</summary>
    UnsupportedForMessageFormat = 43,

    /// <summary>A policy of the broker forbids it.</summary>
    PolicyViolation = 44,

    /// <summary>An idempotent producer's sequence numbers have a gap.</summary>
    OutOfOrderSequenceNumber = 45,

    /// <summary>The batch was appended before, too long ago to say where.</summary>
    DuplicateSequenceNumber = 46,

    /// <summary>The producer's epoch is older than the newest one.</summary>
    InvalidProducerEpoch = 47,

    /// <summary>The transaction is not in a state that allows this.</summary>
    InvalidTxnState = 48,

    /// <summary>The producer id does not belong to the transactional id.</summary>
    InvalidProducerIdMapping = 49,

    /// <summary>The transaction timeout is above transaction.max.timeout.ms.</summary>
    InvalidTransactionTimeout = 50,

    /// <summary>Another operation on the same transaction has not finished.</summary>
    ConcurrentTransactions = 51,

    /// <summary>The markers come from a coordinator that was replaced.</summary>
    TransactionCoordinatorFenced = 52,

    /// <summary>Not allowed on this transactional id.</summary>
    TransactionalIdAuthorizationFailed = 53,

    /// <summary>The broker runs without the security feature asked for.</summary>
    SecurityDisabled = 54,

    /// <summary>Not tried, because something before it in the request failed.</summary>
    OperationNotAttempted = 55,

    /// <summary>The disk failed the operation.</summary>
    KafkaStorageError = 56,

    /// <summary>The broker has no such log directory.</summary>
    LogDirNotFound = 57,

    /// <summary>The credentials were refused.</summary>
    SaslAuthenticationFailed = 58,

    /// <summary>The broker has no state of this producer (any more).</summary>
    UnknownProducerId = 59,

    /// <summary>The partition is being reassigned.</summary>
    ReassignmentInProgress = 60,

    /// <summary>Delegation tokens are switched off.</summary>
    DelegationTokenAuthDisabled = 61,

    /// <summary>There is no such delegation token.</summary>
    DelegationTokenNotFound = 62,

    /// <summary>The principal is neither owner nor renewer of the token.</summary>
    DelegationTokenOwnerMismatch = 63,

    /// <summary>This kind of connection may not handle delegation tokens.</summary>
    DelegationTokenRequestNotAllowed = 64,

    /// <summary>Not allowed on this delegation token.</summary>
    DelegationTokenAuthorizationFailed = 65,

    /// <summary>The delegation token has expired.</summary>
    DelegationTokenExpired = 66,

    /// <summary>Principals of this type are not supported.</summary>
    InvalidPrincipalType = 67,

    /// <summary>The group still has members.</summary>
    NonEmptyGroup = 68,

    /// <summary>There is no such group.</summary>
    GroupIdNotFound = 69,

    /// <summary>The broker has no such fetch session.</summary>
    FetchSessionIdNotFound = 70,

    /// <summary>The fetch session is at another epoch.</summary>
    InvalidFetchSessionEpoch = 71,

    /// <summary>The leader has no listener matching the one this request came in on.</summary>
    ListenerNotFound = 72,

    /// <summary>Topics may not be deleted here.</summary>
    TopicDeletionDisabled = 73,

    /// <summary>The request's leader epoch is older than the broker's.</summary>
    FencedLeaderEpoch = 74,

    /// <summary>The request's leader epoch is newer than the broker's.</summary>
    UnknownLeaderEpoch = 75,

    /// <summary>The codec is not available, or not in this version of the API.</summary>
    UnsupportedCompressionType = 76,

    /// <summary>The broker registered again since.</summary>
    StaleBrokerEpoch = 77,

    /// <summary>A new leader's high watermark has not caught up yet.</summary>
    OffsetNotAvailable = 78,

    /// <summary>Join again with the member id of this answer.</summary>
    MemberIdRequired = 79,

    /// <summary>The preferred leader cannot take over now.</summary>
    PreferredLeaderNotAvailable = 80,

    /// <summary>The group is full.</summary>
    GroupMaxSizeReached = 81,

    /// <summary>Another member took this group.instance.id over.</summary>
    FencedInstanceId = 82,

    /// <summary>No replica can become leader now.</summary>
    EligibleLeadersNotAvailable = 83,

    /// <summary>The leader is already the right one.</summary>
    ElectionNotNeeded = 84,

    /// <summary>The partition is not being reassigned.</summary>
    NoReassignmentInProgress = 85,

    /// <summary>The group is using the topic, so its offsets stay.</summary>
    GroupSubscribedToTopic = 86,

    /// <summary>A record breaks a rule of the topic or of the format.</summary>
    InvalidRecord = 87,

    /// <summary>Offsets of an open transaction are pending: try again.</summary>
    UnstableOffsetCommit = 88,

    /// <summary>The quota for this operation is used up.</summary>
    ThrottlingQuotaExceeded = 89,

    /// <summary>A newer producer uses the same transactional id.</summary>
    ProducerFenced = 90,

    /// <summary>There is no such resource.</summary>
    ResourceNotFound = 91,

    /// <summary>The same resource is named twice.</summary>
    DuplicateResource = 92,

    /// <summary>The credential does not meet the broker's rules.</summary>
    UnacceptableCredential = 93,

    /// <summary>Sender or receiver is not one of the expected voters.</summary>
    InconsistentVoterSet = 94,

    /// <summary>The version to update from is not acceptable.</summary>
    InvalidUpdateVersion = 95,

    /// <summary>The feature level could not be changed.</summary>
    FeatureUpdateFailed = 96,

    /// <summary>The forwarded principal could not be read.</summary>
    PrincipalDeserializationFailure = 97,

    /// <summary>There is no such metadata snapshot.</summary>
    SnapshotNotFound = 98,

    /// <summary>The position is not inside the snapshot.</summary>
    PositionOutOfRange = 99,

    /// <summary>This broker does not know the topic id.</summary>
    UnknownTopicId = 100,

    /// <summary>The broker id is registered by another process.</summary>
    DuplicateBrokerRegistration = 101,

    /// <summary>The broker id is not registered.</summary>
    BrokerIdNotRegistered = 102,

    /// <summary>The topic id is not the one in the log.</summary>
    InconsistentTopicId = 103,

    /// <summary>The request was meant for another cluster.</summary>
    InconsistentClusterId = 104,

    /// <summary>There is no such transactional id.</summary>
    TransactionalIdNotFound = 105,

    /// <summary>The fetch session mixes topic names and topic ids.</summary>
    FetchSessionTopicIdError = 106,

    /// <summary>The replica may not join the in-sync set.</summary>
    IneligibleReplica = 107,

    /// <summary>The change itself moved leadership away.</summary>
    NewLeaderElected = 108,

    /// <summary>The offset is only in remote storage.</summary>
    OffsetMovedToTieredStorage = 109,

    /// <summary>The coordinator fenced the member: join again with epoch 0.</summary>
    FencedMemberEpoch = 110,

    /// <summary>Another member still holds the instance id.</summary>
    UnreleasedInstanceId = 111,

    /// <summary>The group coordinator has no such assignor.</summary>
    UnsupportedAssignor = 112,

    /// <summary>The member's epoch is behind: heartbeat first.</summary>
    StaleMemberEpoch = 113,

    /// <summary>The request went to the wrong type of endpoint.</summary>
    MismatchedEndpointType = 114,

    /// <summary>The endpoint type is not supported.</summary>
    UnsupportedEndpointType = 115,

    /// <summary>There is no such controller.</summary>
    UnknownControllerId = 116,

    /// <summary>The telemetry subscription is outdated: ask for it again.</summary>
    UnknownSubscriptionId = 117,

    /// <summary>The pushed metrics exceed the broker's limit.</summary>
    TelemetryTooLarge = 118,

    /// <summary>The registration was refused.</summary>
    InvalidRegistration = 119,

    /// <summary>The transaction cannot go on; aborting it makes the producer usable again.</summary>
    TransactionAbortable = 120,

    /// <summary>The acknowledgement does not fit the record's state.</summary>
    InvalidRecordState = 121,

    /// <summary>The broker has no such share session.</summary>
    ShareSessionNotFound = 122,

    /// <summary>The share session is at another epoch.</summary>
    InvalidShareSessionEpoch = 123,

    /// <summary>The share coordinator has a newer state epoch.</summary>
    FencedStateEpoch = 124,

    /// <summary>The voter's key is not the receiver's.</summary>
    InvalidVoterKey = 125,

    /// <summary>The voter is already in the set.</summary>
    DuplicateVoter = 126,

    /// <summary>The voter is not in the set.</summary>
    VoterNotFound = 127,

    /// <summary>The subscription pattern is not a valid regular expression.</summary>
    InvalidRegularExpression = 128,

    /// <summary>The client should start over from its bootstrap servers.</summary>
    RebootstrapRequired = 129,

    /// <summary>The topology sent by the streams member is not valid.</summary>
    StreamsInvalidTopology = 130,

    /// <summary>The topology epoch is not valid.</summary>
    StreamsInvalidTopologyEpoch = 131,

    /// <summary>The streams member's topology epoch is outdated.</summary>
    StreamsTopologyFenced = 132,

    /// <summary>The broker holds as many share sessions as it may.</summary>
    ShareSessionLimitReached = 133,
}
