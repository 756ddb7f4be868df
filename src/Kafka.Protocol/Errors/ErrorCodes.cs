namespace Kafka.Protocol;

/// <summary>What is known of each <see cref="ErrorCode"/>: its protocol name, whether trying again can help, and one line of text.</summary>
public static class ErrorCodes
{
    private const int FirstCode = -1;

    // In the order of the codes, starting at FirstCode, without a gap: Describe indexes it.
    private static readonly ErrorDescription[] Table =
    [
        new(ErrorCode.UnknownServerError, "UNKNOWN_SERVER_ERROR", false, "The broker failed in a way it has no code for."),
        new(ErrorCode.None, "NONE", false, "No error."),
        new(ErrorCode.OffsetOutOfRange, "OFFSET_OUT_OF_RANGE", false, "The offset lies outside what the partition's log holds."),
        new(ErrorCode.CorruptMessage, "CORRUPT_MESSAGE", true, "The batch failed its checksum or its structure is broken."),
        new(ErrorCode.UnknownTopicOrPartition, "UNKNOWN_TOPIC_OR_PARTITION", true, "This broker does not know the topic or the partition."),
        new(ErrorCode.InvalidFetchSize, "INVALID_FETCH_SIZE", false, "The fetch size is not usable."),
        new(ErrorCode.LeaderNotAvailable, "LEADER_NOT_AVAILABLE", true, "The partition has no leader at the moment."),
        new(ErrorCode.NotLeaderOrFollower, "NOT_LEADER_OR_FOLLOWER", true, "Another broker leads (or holds) the partition: refresh metadata."),
        new(ErrorCode.RequestTimedOut, "REQUEST_TIMED_OUT", true, "The broker gave up waiting for the request to complete."),
        new(ErrorCode.BrokerNotAvailable, "BROKER_NOT_AVAILABLE", false, "The broker asked for is not there."),
        new(ErrorCode.ReplicaNotAvailable, "REPLICA_NOT_AVAILABLE", true, "The replica asked for is not there."),
        new(ErrorCode.MessageTooLarge, "MESSAGE_TOO_LARGE", false, "A batch exceeds max.message.bytes."),
        new(ErrorCode.StaleControllerEpoch, "STALE_CONTROLLER_EPOCH", false, "The request comes from a controller that was replaced."),
        new(ErrorCode.OffsetMetadataTooLarge, "OFFSET_METADATA_TOO_LARGE", false, "The text stored with a committed offset is too long."),
        new(ErrorCode.NetworkException, "NETWORK_EXCEPTION", true, "The connection broke before the answer arrived."),
        new(ErrorCode.CoordinatorLoadInProgress, "COORDINATOR_LOAD_IN_PROGRESS", true, "The coordinator is still reading its state."),
        new(ErrorCode.CoordinatorNotAvailable, "COORDINATOR_NOT_AVAILABLE", true, "There is no coordinator at the moment."),
        new(ErrorCode.NotCoordinator, "NOT_COORDINATOR", true, "Another broker coordinates this group or transactional id."),
        new(ErrorCode.InvalidTopicException, "INVALID_TOPIC_EXCEPTION", false, "The topic name is not legal, or the topic may not be used this way."),
        new(ErrorCode.RecordListTooLarge, "RECORD_LIST_TOO_LARGE", false, "The batch is larger than a log segment can be."),
        new(ErrorCode.NotEnoughReplicas, "NOT_ENOUGH_REPLICAS", true, "Too few in-sync replicas to accept the write; nothing was written."),
        new(ErrorCode.NotEnoughReplicasAfterAppend, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true, "Written, but to fewer in-sync replicas than required."),
        new(ErrorCode.InvalidRequiredAcks, "INVALID_REQUIRED_ACKS", false, "acks is not -1, 0 or 1."),
        new(ErrorCode.IllegalGeneration, "ILLEGAL_GENERATION", false, "The group has moved on to another generation."),
        new(ErrorCode.InconsistentGroupProtocol, "INCONSISTENT_GROUP_PROTOCOL", false, "The member shares no protocol (type) with the group."),
        new(ErrorCode.InvalidGroupId, "INVALID_GROUP_ID", false, "The group id is empty or not legal."),
        new(ErrorCode.UnknownMemberId, "UNKNOWN_MEMBER_ID", false, "The group does not know this member (any more)."),
        new(ErrorCode.InvalidSessionTimeout, "INVALID_SESSION_TIMEOUT", false, "The session timeout is outside the broker's bounds."),
        new(ErrorCode.RebalanceInProgress, "REBALANCE_IN_PROGRESS", false, "The group is rebalancing: join again."),
        new(ErrorCode.InvalidCommitOffsetSize, "INVALID_COMMIT_OFFSET_SIZE", false, "The offset commit is too large to be stored."),
        new(ErrorCode.TopicAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED", false, "Not allowed on this topic."),
        new(ErrorCode.GroupAuthorizationFailed, "GROUP_AUTHORIZATION_FAILED", false, "Not allowed on this group."),
        new(ErrorCode.ClusterAuthorizationFailed, "CLUSTER_AUTHORIZATION_FAILED", false, "Not allowed on the cluster."),
        new(ErrorCode.InvalidTimestamp, "INVALID_TIMESTAMP", false, "A record's timestamp is outside the allowed bounds."),
        new(ErrorCode.UnsupportedSaslMechanism, "UNSUPPORTED_SASL_MECHANISM", false, "The broker does not offer this SASL mechanism."),
        new(ErrorCode.IllegalSaslState, "ILLEGAL_SASL_STATE", false, "The request does not fit the state of the authentication exchange."),
        new(ErrorCode.UnsupportedVersion, "UNSUPPORTED_VERSION", false, "The broker does not speak this version of the API."),
        new(ErrorCode.TopicAlreadyExists, "TOPIC_ALREADY_EXISTS", false, "A topic of this name exists."),
        new(ErrorCode.InvalidPartitions, "INVALID_PARTITIONS", false, "The number of partitions is not acceptable."),
        new(ErrorCode.InvalidReplicationFactor, "INVALID_REPLICATION_FACTOR", false, "The replication factor is below one or above the number of brokers."),
        new(ErrorCode.InvalidReplicaAssignment, "INVALID_REPLICA_ASSIGNMENT", false, "The manual replica assignment is not acceptable."),
        new(ErrorCode.InvalidConfig, "INVALID_CONFIG", false, "A configuration name or value is not acceptable."),
        new(ErrorCode.NotController, "NOT_CONTROLLER", true, "Another broker is the controller."),
        new(ErrorCode.InvalidRequest, "INVALID_REQUEST", false, "The request is malformed or contradicts itself."),
        new(ErrorCode.UnsupportedForMessageFormat, "UNSUPPORTED_FOR_MESSAGE_FORMAT", false, "The log's message format has no support for this."),
        new(ErrorCode.PolicyViolation, "POLICY_VIOLATION", false, "A policy of the broker forbids it."),
        new(ErrorCode.OutOfOrderSequenceNumber, "OUT_OF_ORDER_SEQUENCE_NUMBER", false, "An idempotent producer's sequence numbers have a gap."),
        new(ErrorCode.DuplicateSequenceNumber, "DUPLICATE_SEQUENCE_NUMBER", false, "The batch was appended before, too long ago to say where."),
        new(ErrorCode.InvalidProducerEpoch, "INVALID_PRODUCER_EPOCH", false, "The producer's epoch is older than the newest one."),
        new(ErrorCode.InvalidTxnState, "INVALID_TXN_STATE", false, "The transaction is not in a state that allows this."),
        new(ErrorCode.InvalidProducerIdMapping, "INVALID_PRODUCER_ID_MAPPING", false, "The producer id does not belong to the transactional id."),
        new(ErrorCode.InvalidTransactionTimeout, "INVALID_TRANSACTION_TIMEOUT", false, "The transaction timeout is above transaction.max.timeout.ms."),
        new(ErrorCode.ConcurrentTransactions, "CONCURRENT_TRANSACTIONS", true, "Another operation on the same transaction has not finished."),
        new(ErrorCode.TransactionCoordinatorFenced, "TRANSACTION_COORDINATOR_FENCED", false, "The markers come from a coordinator that was replaced."),
        new(ErrorCode.TransactionalIdAuthorizationFailed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false, "Not allowed on this transactional id."),
        new(ErrorCode.SecurityDisabled, "SECURITY_DISABLED", false, "The broker runs without the security feature asked for."),
        new(ErrorCode.OperationNotAttempted, "OPERATION_NOT_ATTEMPTED", false, "Not tried, because something before it in the request failed."),
        new(ErrorCode.KafkaStorageError, "KAFKA_STORAGE_ERROR", true, "The disk failed the operation."),
        new(ErrorCode.LogDirNotFound, "LOG_DIR_NOT_FOUND", false, "The broker has no such log directory."),
        new(ErrorCode.SaslAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", false, "The credentials were refused."),
        new(ErrorCode.UnknownProducerId, "UNKNOWN_PRODUCER_ID", false, "The broker has no state of this producer (any more)."),
        new(ErrorCode.ReassignmentInProgress, "REASSIGNMENT_IN_PROGRESS", false, "The partition is being reassigned."),
        new(ErrorCode.DelegationTokenAuthDisabled, "DELEGATION_TOKEN_AUTH_DISABLED", false, "Delegation tokens are switched off."),
        new(ErrorCode.DelegationTokenNotFound, "DELEGATION_TOKEN_NOT_FOUND", false, "There is no such delegation token."),
        new(ErrorCode.DelegationTokenOwnerMismatch, "DELEGATION_TOKEN_OWNER_MISMATCH", false, "The principal is neither owner nor renewer of the token."),
        new(ErrorCode.DelegationTokenRequestNotAllowed, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false, "This kind of connection may not handle delegation tokens."),
        new(ErrorCode.DelegationTokenAuthorizationFailed, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", false, "Not allowed on this delegation token."),
        new(ErrorCode.DelegationTokenExpired, "DELEGATION_TOKEN_EXPIRED", false, "The delegation token has expired."),
        new(ErrorCode.InvalidPrincipalType, "INVALID_PRINCIPAL_TYPE", false, "Principals of this type are not supported."),
        new(ErrorCode.NonEmptyGroup, "NON_EMPTY_GROUP", false, "The group still has members."),
        new(ErrorCode.GroupIdNotFound, "GROUP_ID_NOT_FOUND", false, "There is no such group."),
        new(ErrorCode.FetchSessionIdNotFound, "FETCH_SESSION_ID_NOT_FOUND", true, "The broker has no such fetch session."),
        new(ErrorCode.InvalidFetchSessionEpoch, "INVALID_FETCH_SESSION_EPOCH", true, "The fetch session is at another epoch."),
        new(ErrorCode.ListenerNotFound, "LISTENER_NOT_FOUND", true, "The leader has no listener matching the one this request came in on."),
        new(ErrorCode.TopicDeletionDisabled, "TOPIC_DELETION_DISABLED", false, "Topics may not be deleted here."),
        new(ErrorCode.FencedLeaderEpoch, "FENCED_LEADER_EPOCH", true, "The request's leader epoch is older than the broker's."),
        new(ErrorCode.UnknownLeaderEpoch, "UNKNOWN_LEADER_EPOCH", true, "The request's leader epoch is newer than the broker's."),
        new(ErrorCode.UnsupportedCompressionType, "UNSUPPORTED_COMPRESSION_TYPE", false, "The codec is not available, or not in this version of the API."),
        new(ErrorCode.StaleBrokerEpoch, "STALE_BROKER_EPOCH", false, "The broker registered again since."),
        new(ErrorCode.OffsetNotAvailable, "OFFSET_NOT_AVAILABLE", true, "A new leader's high watermark has not caught up yet."),
        new(ErrorCode.MemberIdRequired, "MEMBER_ID_REQUIRED", false, "Join again with the member id of this answer."),
        new(ErrorCode.PreferredLeaderNotAvailable, "PREFERRED_LEADER_NOT_AVAILABLE", true, "The preferred leader cannot take over now."),
        new(ErrorCode.GroupMaxSizeReached, "GROUP_MAX_SIZE_REACHED", false, "The group is full."),
        new(ErrorCode.FencedInstanceId, "FENCED_INSTANCE_ID", false, "Another member took this group.instance.id over."),
        new(ErrorCode.EligibleLeadersNotAvailable, "ELIGIBLE_LEADERS_NOT_AVAILABLE", true, "No replica can become leader now."),
        new(ErrorCode.ElectionNotNeeded, "ELECTION_NOT_NEEDED", true, "The leader is already the right one."),
        new(ErrorCode.NoReassignmentInProgress, "NO_REASSIGNMENT_IN_PROGRESS", false, "The partition is not being reassigned."),
        new(ErrorCode.GroupSubscribedToTopic, "GROUP_SUBSCRIBED_TO_TOPIC", false, "The group is using the topic, so its offsets stay."),
        new(ErrorCode.InvalidRecord, "INVALID_RECORD", false, "A record breaks a rule of the topic or of the format."),
        new(ErrorCode.UnstableOffsetCommit, "UNSTABLE_OFFSET_COMMIT", true, "Offsets of an open transaction are pending: try again."),
        new(ErrorCode.ThrottlingQuotaExceeded, "THROTTLING_QUOTA_EXCEEDED", true, "The quota for this operation is used up."),
        new(ErrorCode.ProducerFenced, "PRODUCER_FENCED", false, "A newer producer uses the same transactional id."),
        new(ErrorCode.ResourceNotFound, "RESOURCE_NOT_FOUND", false, "There is no such resource."),
        new(ErrorCode.DuplicateResource, "DUPLICATE_RESOURCE", false, "The same resource is named twice."),
        new(ErrorCode.UnacceptableCredential, "UNACCEPTABLE_CREDENTIAL", false, "The credential does not meet the broker's rules."),
        new(ErrorCode.InconsistentVoterSet, "INCONSISTENT_VOTER_SET", false, "Sender or receiver is not one of the expected voters."),
        new(ErrorCode.InvalidUpdateVersion, "INVALID_UPDATE_VERSION", false, "The version to update from is not acceptable."),
        new(ErrorCode.FeatureUpdateFailed, "FEATURE_UPDATE_FAILED", false, "The feature level could not be changed."),
        new(ErrorCode.PrincipalDeserializationFailure, "PRINCIPAL_DESERIALIZATION_FAILURE", false, "The forwarded principal could not be read."),
        new(ErrorCode.SnapshotNotFound, "SNAPSHOT_NOT_FOUND", false, "There is no such metadata snapshot."),
        new(ErrorCode.PositionOutOfRange, "POSITION_OUT_OF_RANGE", false, "The position is not inside the snapshot."),
        new(ErrorCode.UnknownTopicId, "UNKNOWN_TOPIC_ID", true, "This broker does not know the topic id."),
        new(ErrorCode.DuplicateBrokerRegistration, "DUPLICATE_BROKER_REGISTRATION", false, "The broker id is registered by another process."),
        new(ErrorCode.BrokerIdNotRegistered, "BROKER_ID_NOT_REGISTERED", false, "The broker id is not registered."),
        new(ErrorCode.InconsistentTopicId, "INCONSISTENT_TOPIC_ID", true, "The topic id is not the one in the log."),
        new(ErrorCode.InconsistentClusterId, "INCONSISTENT_CLUSTER_ID", false, "The request was meant for another cluster."),
        new(ErrorCode.TransactionalIdNotFound, "TRANSACTIONAL_ID_NOT_FOUND", false, "There is no such transactional id."),
        new(ErrorCode.FetchSessionTopicIdError, "FETCH_SESSION_TOPIC_ID_ERROR", true, "The fetch session mixes topic names and topic ids."),
        new(ErrorCode.IneligibleReplica, "INELIGIBLE_REPLICA", false, "The replica may not join the in-sync set."),
        new(ErrorCode.NewLeaderElected, "NEW_LEADER_ELECTED", false, "The change itself moved leadership away."),
        new(ErrorCode.OffsetMovedToTieredStorage, "OFFSET_MOVED_TO_TIERED_STORAGE", false, "The offset is only in remote storage."),
        new(ErrorCode.FencedMemberEpoch, "FENCED_MEMBER_EPOCH", false, "The coordinator fenced the member: join again with epoch 0."),
        new(ErrorCode.UnreleasedInstanceId, "UNRELEASED_INSTANCE_ID", false, "Another member still holds the instance id."),
        new(ErrorCode.UnsupportedAssignor, "UNSUPPORTED_ASSIGNOR", false, "The group coordinator has no such assignor."),
        new(ErrorCode.StaleMemberEpoch, "STALE_MEMBER_EPOCH", false, "The member's epoch is behind: heartbeat first."),
        new(ErrorCode.MismatchedEndpointType, "MISMATCHED_ENDPOINT_TYPE", false, "The request went to the wrong type of endpoint."),
        new(ErrorCode.UnsupportedEndpointType, "UNSUPPORTED_ENDPOINT_TYPE", false, "The endpoint type is not supported."),
        new(ErrorCode.UnknownControllerId, "UNKNOWN_CONTROLLER_ID", false, "There is no such controller."),
        new(ErrorCode.UnknownSubscriptionId, "UNKNOWN_SUBSCRIPTION_ID", false, "The telemetry subscription is outdated: ask for it again."),
        new(ErrorCode.TelemetryTooLarge, "TELEMETRY_TOO_LARGE", false, "The pushed metrics exceed the broker's limit."),
        new(ErrorCode.InvalidRegistration, "INVALID_REGISTRATION", false, "The registration was refused."),
        new(ErrorCode.TransactionAbortable, "TRANSACTION_ABORTABLE", false, "The transaction cannot go on; aborting it makes the producer usable again."),
        new(ErrorCode.InvalidRecordState, "INVALID_RECORD_STATE", false, "The acknowledgement does not fit the record's state."),
        new(ErrorCode.ShareSessionNotFound, "SHARE_SESSION_NOT_FOUND", true, "The broker has no such share session."),
        new(ErrorCode.InvalidShareSessionEpoch, "INVALID_SHARE_SESSION_EPOCH", true, "The share session is at another epoch."),
        new(ErrorCode.FencedStateEpoch, "FENCED_STATE_EPOCH", false, "The share coordinator has a newer state epoch."),
        new(ErrorCode.InvalidVoterKey, "INVALID_VOTER_KEY", false, "The voter's key is not the receiver's."),
        new(ErrorCode.DuplicateVoter, "DUPLICATE_VOTER", false, "The voter is already in the set."),
        new(ErrorCode.VoterNotFound, "VOTER_NOT_FOUND", false, "The voter is not in the set."),
        new(ErrorCode.InvalidRegularExpression, "INVALID_REGULAR_EXPRESSION", false, "The subscription pattern is not a valid regular expression."),
        new(ErrorCode.RebootstrapRequired, "REBOOTSTRAP_REQUIRED", false, "The client should start over from its bootstrap servers."),
        new(ErrorCode.StreamsInvalidTopology, "STREAMS_INVALID_TOPOLOGY", false, "The topology sent by the streams member is not valid."),
        new(ErrorCode.StreamsInvalidTopologyEpoch, "STREAMS_INVALID_TOPOLOGY_EPOCH", false, "The topology epoch is not valid."),
        new(ErrorCode.StreamsTopologyFenced, "STREAMS_TOPOLOGY_FENCED", false, "The streams member's topology epoch is outdated."),
        new(ErrorCode.ShareSessionLimitReached, "SHARE_SESSION_LIMIT_REACHED", true, "The broker holds as many share sessions as it may."),
    ];

    /// <summary>All codes known to this library, in numerical order.</summary>
    public static IReadOnlyList<ErrorDescription> All => Table;

    /// <summary>The code's entry; for a number this library does not know, one called <c>UNKNOWN_nnn</c> that is not retriable.</summary>
    public static ErrorDescription Describe(ErrorCode code)
    {
        var index = (int)code - FirstCode;
        return (uint)index < (uint)Table.Length
            ? Table[index]
            : new ErrorDescription(code, $"UNKNOWN_{(short)code}", false, "An error code that this library does not know.");
    }

    /// <summary>Whether the same request may succeed later without anybody changing anything but their metadata (Kafka's <c>RetriableException</c>).</summary>
    public static bool IsRetriable(this ErrorCode code) => Describe(code).IsRetriable;

    /// <summary>The name in the protocol guide, such as <c>NOT_COORDINATOR</c>.</summary>
    public static string ProtocolName(this ErrorCode code) => Describe(code).Name;

    /// <summary>Finds a code by its protocol name (exact, ordinal).</summary>
    public static bool TryParse(string name, out ErrorCode code)
    {
        foreach (var entry in Table)
        {
            if (string.Equals(entry.Name, name, StringComparison.Ordinal))
            {
                code = entry.Code;
                return true;
            }
        }

        code = ErrorCode.UnknownServerError;
        return false;
    }
}
