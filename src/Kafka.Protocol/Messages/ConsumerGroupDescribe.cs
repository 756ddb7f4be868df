namespace Kafka.Protocol.Messages;

/// <summary>Asks for state and members of groups of the new consumer protocol (KIP-848).</summary>
public sealed class ConsumerGroupDescribeRequest : IRequest<ConsumerGroupDescribeResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ConsumerGroupDescribe;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The groups' ids.</summary>
    public List<string> GroupIds { get; set; } = [];

    /// <summary>Whether to say what the sender may do.</summary>
    public bool IncludeAuthorizedOperations { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ConsumerGroupDescribeRequest));
        GroupIds = reader.ReadStringArray(compact: true);
        IncludeAuthorizedOperations = reader.ReadBoolean();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ConsumerGroupDescribeRequest));
        writer.WriteStringArray(GroupIds, compact: true);
        writer.WriteBoolean(IncludeAuthorizedOperations);
        writer.WriteNoTaggedFields();
    }
}

/// <summary>The groups.</summary>
/// <remarks>Errors worth handling: GROUP_ID_NOT_FOUND, NOT_COORDINATOR.</remarks>
public sealed class ConsumerGroupDescribeResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ConsumerGroupDescribe;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The groups.</summary>
    public List<DescribedGroup> Groups { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ConsumerGroupDescribeResponse));
        ThrottleTimeMs = reader.ReadInt32();
        Groups = reader.ReadArray<DescribedGroup>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ConsumerGroupDescribeResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Groups, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ConsumerGroupDescribeResponse.Groups"/>.</summary>
    public sealed class DescribedGroup : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; }

        /// <summary>The group's id.</summary>
        public string GroupId { get; set; } = string.Empty;

        /// <summary>State by name, such as <c>Stable</c>.</summary>
        public string GroupState { get; set; } = string.Empty;

        /// <summary>Epoch of the group.</summary>
        public int GroupEpoch { get; set; }

        /// <summary>Epoch of the target assignment.</summary>
        public int AssignmentEpoch { get; set; }

        /// <summary>The assignor in use.</summary>
        public string AssignorName { get; set; } = string.Empty;

        /// <summary>The members.</summary>
        public List<Member> Members { get; set; } = [];

        /// <summary>Bit field of what the sender may do to the group; -2147483648 when not asked.</summary>
        public int AuthorizedOperations { get; set; } = int.MinValue;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            GroupId = reader.ReadString(compact: true);
            GroupState = reader.ReadString(compact: true);
            GroupEpoch = reader.ReadInt32();
            AssignmentEpoch = reader.ReadInt32();
            AssignorName = reader.ReadString(compact: true);
            Members = reader.ReadArray<Member>(version, compact: true);
            AuthorizedOperations = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteString(GroupId, compact: true);
            writer.WriteString(GroupState, compact: true);
            writer.WriteInt32(GroupEpoch);
            writer.WriteInt32(AssignmentEpoch);
            writer.WriteString(AssignorName, compact: true);
            writer.WriteArray(Members, version, compact: true);
            writer.WriteInt32(AuthorizedOperations);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribedGroup.Members"/>.</summary>
    public sealed class Member : IMessage
    {
        /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
        public string MemberId { get; set; } = string.Empty;

        /// <summary>The member's <c>group.instance.id</c> (nullable).</summary>
        public string? InstanceId { get; set; }

        /// <summary>The client's rack (nullable).</summary>
        public string? RackId { get; set; }

        /// <summary>The member's epoch in a KIP-848 group; in a heartbeat 0 joins, -1 leaves and -2 leaves for a restart.</summary>
        public int MemberEpoch { get; set; }

        /// <summary>The member's <c>client.id</c>.</summary>
        public string ClientId { get; set; } = string.Empty;

        /// <summary>Where the member connected from.</summary>
        public string ClientHost { get; set; } = string.Empty;

        /// <summary>Names of the topics subscribed to; null in a heartbeat for "unchanged".</summary>
        public List<string> SubscribedTopicNames { get; set; } = [];

        /// <summary>Pattern (RE2) of the topics subscribed to; null for none or "unchanged", empty for none (nullable).</summary>
        public string? SubscribedTopicRegex { get; set; }

        /// <summary>The member's assignment.</summary>
        public Assignment Assignment { get; set; } = new();

        /// <summary>The assignment the member is moving to.</summary>
        public Assignment TargetAssignment { get; set; } = new();

        /// <summary>0 classic, 1 consumer; -1 if unknown (v1+, ignorable).</summary>
        public sbyte MemberType { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            MemberId = reader.ReadString(compact: true);
            InstanceId = reader.ReadNullableString(compact: true);
            RackId = reader.ReadNullableString(compact: true);
            MemberEpoch = reader.ReadInt32();
            ClientId = reader.ReadString(compact: true);
            ClientHost = reader.ReadString(compact: true);
            SubscribedTopicNames = reader.ReadStringArray(compact: true);
            SubscribedTopicRegex = reader.ReadNullableString(compact: true);
            Assignment = reader.ReadStruct<Assignment>(version);
            TargetAssignment = reader.ReadStruct<Assignment>(version);
            if (version >= 1)
                MemberType = reader.ReadInt8();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(MemberId, compact: true);
            writer.WriteNullableString(InstanceId, compact: true);
            writer.WriteNullableString(RackId, compact: true);
            writer.WriteInt32(MemberEpoch);
            writer.WriteString(ClientId, compact: true);
            writer.WriteString(ClientHost, compact: true);
            writer.WriteStringArray(SubscribedTopicNames, compact: true);
            writer.WriteNullableString(SubscribedTopicRegex, compact: true);
            writer.WriteStruct(Assignment, version);
            writer.WriteStruct(TargetAssignment, version);
            if (version >= 1)
                writer.WriteInt8(MemberType);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="Assignment.TopicPartitions"/>.</summary>
    public sealed class TopicPartitions : IMessage
    {
        /// <summary>The topic's id; all zero for none.</summary>
        public Guid TopicId { get; set; }

        /// <summary>The topic's name.</summary>
        public string TopicName { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TopicId = reader.ReadUuid();
            TopicName = reader.ReadString(compact: true);
            Partitions = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteUuid(TopicId);
            writer.WriteString(TopicName, compact: true);
            writer.WriteInt32Array(Partitions, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>The content of <see cref="Member.Assignment"/> and <see cref="Member.TargetAssignment"/>.</summary>
    public sealed class Assignment : IMessage
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
}
