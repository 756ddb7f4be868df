namespace Kafka.Protocol.Messages;

/// <summary>Joins, stays in and leaves a group of the new consumer protocol (KIP-848); the broker assigns.</summary>
public sealed class ConsumerGroupHeartbeatRequest : IRequest<ConsumerGroupHeartbeatResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ConsumerGroupHeartbeat;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>
    /// The member's id: from version 1 chosen by the client (KIP-1082), in version 0 empty until the coordinator gave one.
    /// </summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The member's epoch in a KIP-848 group; in a heartbeat 0 joins, -1 leaves and -2 leaves for a restart.</summary>
    public int MemberEpoch { get; set; }

    /// <summary>The member's <c>group.instance.id</c> (nullable).</summary>
    public string? InstanceId { get; set; }

    /// <summary>The client's rack (nullable).</summary>
    public string? RackId { get; set; }

    /// <summary>How long a rebalance may wait for this member, in milliseconds; -1 for the session timeout or for "unchanged".</summary>
    public int RebalanceTimeoutMs { get; set; } = -1;

    /// <summary>Names of the topics subscribed to; null in a heartbeat for "unchanged" (nullable).</summary>
    public List<string>? SubscribedTopicNames { get; set; }

    /// <summary>Pattern (RE2) of the topics subscribed to; null for none or "unchanged", empty for none (v1+, nullable).</summary>
    public string? SubscribedTopicRegex { get; set; }

    /// <summary>The broker's assignor to use; null for "unchanged" or the default (nullable).</summary>
    public string? ServerAssignor { get; set; }

    /// <summary>Partitions by topic; null where that means all or unchanged (nullable).</summary>
    public List<TopicPartitionSet>? TopicPartitions { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ConsumerGroupHeartbeatRequest));
        GroupId = reader.ReadString(compact: true);
        MemberId = reader.ReadString(compact: true);
        MemberEpoch = reader.ReadInt32();
        InstanceId = reader.ReadNullableString(compact: true);
        RackId = reader.ReadNullableString(compact: true);
        RebalanceTimeoutMs = reader.ReadInt32();
        SubscribedTopicNames = reader.ReadNullableStringArray(compact: true);
        if (version >= 1)
            SubscribedTopicRegex = reader.ReadNullableString(compact: true);
        ServerAssignor = reader.ReadNullableString(compact: true);
        TopicPartitions = reader.ReadNullableArray<TopicPartitionSet>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ConsumerGroupHeartbeatRequest));
        writer.WriteString(GroupId, compact: true);
        writer.WriteString(MemberId, compact: true);
        writer.WriteInt32(MemberEpoch);
        writer.WriteNullableString(InstanceId, compact: true);
        writer.WriteNullableString(RackId, compact: true);
        writer.WriteInt32(RebalanceTimeoutMs);
        writer.WriteNullableStringArray(SubscribedTopicNames, compact: true);
        if (version >= 1)
            writer.WriteNullableString(SubscribedTopicRegex, compact: true);
        else if (SubscribedTopicRegex is not null)
            throw ProtocolException.NotInVersion(nameof(SubscribedTopicRegex), version);
        writer.WriteNullableString(ServerAssignor, compact: true);
        writer.WriteNullableArray(TopicPartitions, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ConsumerGroupHeartbeatRequest.TopicPartitions"/>.</summary>
    public sealed class TopicPartitionSet : IMessage
    {
        /// <summary>The topic's id; all zero for none.</summary>
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TopicId = reader.ReadUuid();
            Partitions = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteUuid(TopicId);
            writer.WriteInt32Array(Partitions, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The member's epoch and, when it changed, its assignment.</summary>
/// <remarks>
/// Errors worth handling: UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, UNRELEASED_INSTANCE_ID, UNSUPPORTED_ASSIGNOR, GROUP_MAX_SIZE_REACHED,
/// INVALID_REGULAR_EXPRESSION.
/// </remarks>
public sealed class ConsumerGroupHeartbeatResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ConsumerGroupHeartbeat;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>The member's id as the coordinator knows it; empty before it has one (nullable).</summary>
    public string? MemberId { get; set; }

    /// <summary>The member's epoch in a KIP-848 group; in a heartbeat 0 joins, -1 leaves and -2 leaves for a restart.</summary>
    public int MemberEpoch { get; set; }

    /// <summary>How often to send heartbeats, in milliseconds.</summary>
    public int HeartbeatIntervalMs { get; set; }

    /// <summary>The member's assignment (nullable).</summary>
    public MemberAssignment? Assignment { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ConsumerGroupHeartbeatResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(compact: true);
        MemberId = reader.ReadNullableString(compact: true);
        MemberEpoch = reader.ReadInt32();
        HeartbeatIntervalMs = reader.ReadInt32();
        Assignment = reader.ReadNullableStruct<MemberAssignment>(version);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ConsumerGroupHeartbeatResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, compact: true);
        writer.WriteNullableString(MemberId, compact: true);
        writer.WriteInt32(MemberEpoch);
        writer.WriteInt32(HeartbeatIntervalMs);
        writer.WriteNullableStruct(Assignment, version);
        writer.WriteNoTaggedFields();
    }

    /// <summary>The content of <see cref="ConsumerGroupHeartbeatResponse.Assignment"/>.</summary>
    public sealed class MemberAssignment : IMessage
    {
        /// <summary>Partitions by topic; null where that means all or unchanged.</summary>
        public List<TopicPartitions> TopicPartitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TopicPartitions = reader.ReadArray<TopicPartitions>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteArray(TopicPartitions, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="MemberAssignment.TopicPartitions"/>.</summary>
    public sealed class TopicPartitions : IMessage
    {
        /// <summary>The topic's id; all zero for none.</summary>
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TopicId = reader.ReadUuid();
            Partitions = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteUuid(TopicId);
            writer.WriteInt32Array(Partitions, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
