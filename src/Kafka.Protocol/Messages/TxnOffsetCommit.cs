namespace Kafka.Protocol.Messages;

/// <summary>Stores a group's positions as part of a transaction; they become visible when it commits.</summary>
public sealed class TxnOffsetCommitRequest : IRequest<TxnOffsetCommitResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.TxnOffsetCommit;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>The producer's <c>transactional.id</c>.</summary>
    public string TransactionalId { get; set; } = string.Empty;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>Id of the producer; -1 for none.</summary>
    public long ProducerId { get; set; }

    /// <summary>Epoch of the producer; -1 for none.</summary>
    public short ProducerEpoch { get; set; }

    /// <summary>Generation of the group; -1 for none (v3+).</summary>
    public int GenerationId { get; set; } = -1;

    /// <summary>The member's id as the coordinator knows it; empty before it has one (v3+).</summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (v3+, nullable).</summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>The topics.</summary>
    public List<TxnOffsetCommitRequestTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(TxnOffsetCommitRequest));
        var flexible = version >= 3;
        TransactionalId = reader.ReadString(flexible);
        GroupId = reader.ReadString(flexible);
        ProducerId = reader.ReadInt64();
        ProducerEpoch = reader.ReadInt16();
        if (version >= 3)
        {
            GenerationId = reader.ReadInt32();
            MemberId = reader.ReadString(flexible);
            GroupInstanceId = reader.ReadNullableString(flexible);
        }

        Topics = reader.ReadArray<TxnOffsetCommitRequestTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(TxnOffsetCommitRequest));
        var flexible = version >= 3;
        writer.WriteString(TransactionalId, flexible);
        writer.WriteString(GroupId, flexible);
        writer.WriteInt64(ProducerId);
        writer.WriteInt16(ProducerEpoch);
        if (version >= 3)
            writer.WriteInt32(GenerationId);
        else if (GenerationId != -1)
            throw ProtocolException.NotInVersion(nameof(GenerationId), version);
        if (version >= 3)
            writer.WriteString(MemberId, flexible);
        else if (MemberId is not { Length: 0 })
            throw ProtocolException.NotInVersion(nameof(MemberId), version);
        if (version >= 3)
            writer.WriteNullableString(GroupInstanceId, flexible);
        else if (GroupInstanceId is not null)
            throw ProtocolException.NotInVersion(nameof(GroupInstanceId), version);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="TxnOffsetCommitRequest.Topics"/>.</summary>
    public sealed class TxnOffsetCommitRequestTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<TxnOffsetCommitRequestPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<TxnOffsetCommitRequestPartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="TxnOffsetCommitRequestTopic.Partitions"/>.</summary>
    public sealed class TxnOffsetCommitRequestPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Next offset to consume; -1 if nothing was committed.</summary>
        public long CommittedOffset { get; set; }

        /// <summary>Leader epoch of the last record consumed; -1 if unknown (v2+, ignorable).</summary>
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>The client's own text, kept with the offset (nullable).</summary>
        public string? CommittedMetadata { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            PartitionIndex = reader.ReadInt32();
            CommittedOffset = reader.ReadInt64();
            if (version >= 2)
                CommittedLeaderEpoch = reader.ReadInt32();
            CommittedMetadata = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(CommittedOffset);
            if (version >= 2)
                writer.WriteInt32(CommittedLeaderEpoch);
            writer.WriteNullableString(CommittedMetadata, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each commit.</summary>
/// <remarks>
/// Errors worth handling: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, INVALID_PRODUCER_EPOCH, UNSTABLE_OFFSET_COMMIT.
/// </remarks>
public sealed class TxnOffsetCommitResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.TxnOffsetCommit;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<TxnOffsetCommitResponseTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(TxnOffsetCommitResponse));
        var flexible = version >= 3;
        ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<TxnOffsetCommitResponseTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(TxnOffsetCommitResponse));
        var flexible = version >= 3;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="TxnOffsetCommitResponse.Topics"/>.</summary>
    public sealed class TxnOffsetCommitResponseTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<TxnOffsetCommitResponsePartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<TxnOffsetCommitResponsePartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="TxnOffsetCommitResponseTopic.Partitions"/>.</summary>
    public sealed class TxnOffsetCommitResponsePartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
