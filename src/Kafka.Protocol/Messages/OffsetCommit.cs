namespace Kafka.Protocol.Messages;

/// <summary>Stores a group's positions. Generation -1 with an empty member id commits without being a member.</summary>
public sealed class OffsetCommitRequest : IRequest<OffsetCommitResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetCommit;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 8;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>Generation of a classic group or epoch of a KIP-848 member; -1 for a commit without membership (v1+, ignorable).</summary>
    public int GenerationIdOrMemberEpoch { get; set; } = -1;

    /// <summary>The member's id as the coordinator knows it; empty before it has one (v1+, ignorable).</summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (v7+, nullable).</summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>How long to keep the offsets, in milliseconds; -1 for the broker's setting (v2-4, ignorable).</summary>
    public long RetentionTimeMs { get; set; } = -1;

    /// <summary>The topics.</summary>
    public List<OffsetCommitRequestTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetCommitRequest));
        var flexible = version >= 8;
        GroupId = reader.ReadString(flexible);
        if (version >= 1)
        {
            GenerationIdOrMemberEpoch = reader.ReadInt32();
            MemberId = reader.ReadString(flexible);
        }

        if (version >= 7)
            GroupInstanceId = reader.ReadNullableString(flexible);
        if (version is >= 2 and <= 4)
            RetentionTimeMs = reader.ReadInt64();
        Topics = reader.ReadArray<OffsetCommitRequestTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetCommitRequest));
        var flexible = version >= 8;
        writer.WriteString(GroupId, flexible);
        if (version >= 1)
        {
            writer.WriteInt32(GenerationIdOrMemberEpoch);
            writer.WriteString(MemberId, flexible);
        }

        if (version >= 7)
            writer.WriteNullableString(GroupInstanceId, flexible);
        else if (GroupInstanceId is not null)
            throw ProtocolException.NotInVersion(nameof(GroupInstanceId), version);
        if (version is >= 2 and <= 4)
            writer.WriteInt64(RetentionTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="OffsetCommitRequest.Topics"/>.</summary>
    public sealed class OffsetCommitRequestTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetCommitRequestPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 8;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<OffsetCommitRequestPartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 8;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetCommitRequestTopic.Partitions"/>.</summary>
    public sealed class OffsetCommitRequestPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Next offset to consume; -1 if nothing was committed.</summary>
        public long CommittedOffset { get; set; }

        /// <summary>Leader epoch of the last record consumed; -1 if unknown (v6+, ignorable).</summary>
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>Unix milliseconds of the commit; -1 for the broker's clock (v1 only).</summary>
        public long CommitTimestamp { get; set; } = -1;

        /// <summary>The client's own text, kept with the offset (nullable).</summary>
        public string? CommittedMetadata { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 8;
            PartitionIndex = reader.ReadInt32();
            CommittedOffset = reader.ReadInt64();
            if (version >= 6)
                CommittedLeaderEpoch = reader.ReadInt32();
            if (version == 1)
                CommitTimestamp = reader.ReadInt64();
            CommittedMetadata = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 8;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(CommittedOffset);
            if (version >= 6)
                writer.WriteInt32(CommittedLeaderEpoch);
            if (version == 1)
                writer.WriteInt64(CommitTimestamp);
            else if (CommitTimestamp != -1)
                throw ProtocolException.NotInVersion(nameof(CommitTimestamp), version);
            writer.WriteNullableString(CommittedMetadata, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each commit.</summary>
/// <remarks>
/// Errors worth handling: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, OFFSET_METADATA_TOO_LARGE, FENCED_INSTANCE_ID,
/// STALE_MEMBER_EPOCH.
/// </remarks>
public sealed class OffsetCommitResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetCommit;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 8;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v3+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<OffsetCommitResponseTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetCommitResponse));
        var flexible = version >= 8;
        if (version >= 3)
            ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<OffsetCommitResponseTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetCommitResponse));
        var flexible = version >= 8;
        if (version >= 3)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="OffsetCommitResponse.Topics"/>.</summary>
    public sealed class OffsetCommitResponseTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetCommitResponsePartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 8;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<OffsetCommitResponsePartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 8;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetCommitResponseTopic.Partitions"/>.</summary>
    public sealed class OffsetCommitResponsePartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 8;
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 8;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
