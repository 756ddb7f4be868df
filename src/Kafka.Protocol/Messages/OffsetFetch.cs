namespace Kafka.Protocol.Messages;

/// <summary>Reads a group's positions; null topics (from version 2) mean all. From version 8 for several groups at once.</summary>
public sealed class OffsetFetchRequest : IRequest<OffsetFetchResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetFetch;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 6;

    /// <summary>The group's id (v0-7).</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>The topics (v0-7, nullable v2+).</summary>
    public List<OffsetFetchRequestTopic>? Topics { get; set; } = [];

    /// <summary>The groups (v8+).</summary>
    public List<OffsetFetchRequestGroup> Groups { get; set; } = [];

    /// <summary>Whether to answer UNSTABLE_OFFSET_COMMIT while a transaction's offsets are pending (v7+).</summary>
    public bool RequireStable { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetFetchRequest));
        var flexible = version >= 6;
        if (version <= 7)
        {
            GroupId = reader.ReadString(flexible);
            Topics = version >= 2
                ? reader.ReadNullableArray<OffsetFetchRequestTopic>(version, flexible)
                : reader.ReadArray<OffsetFetchRequestTopic>(version, flexible);
        }

        if (version >= 8)
            Groups = reader.ReadArray<OffsetFetchRequestGroup>(version, flexible);
        if (version >= 7)
            RequireStable = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetFetchRequest));
        var flexible = version >= 6;
        if (version <= 7)
            writer.WriteString(GroupId, flexible);
        else if (GroupId is not { Length: 0 })
            throw ProtocolException.NotInVersion(nameof(GroupId), version);
        if (version <= 7)
        {
            if (version >= 2)
                writer.WriteNullableArray(Topics, version, flexible);
            else
                writer.WriteArray(Topics, version, flexible);
        }
        else if (Topics is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Topics), version);
        if (version >= 8)
            writer.WriteArray(Groups, version, flexible);
        else if (Groups is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Groups), version);
        if (version >= 7)
            writer.WriteBoolean(RequireStable);
        else if (RequireStable)
            throw ProtocolException.NotInVersion(nameof(RequireStable), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="OffsetFetchRequest.Topics"/> (v0-7).</summary>
    public sealed class OffsetFetchRequestTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Partition numbers.</summary>
        public List<int> PartitionIndexes { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            Name = reader.ReadString(flexible);
            PartitionIndexes = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteString(Name, flexible);
            writer.WriteInt32Array(PartitionIndexes, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetFetchRequest.Groups"/> (v8+).</summary>
    public sealed class OffsetFetchRequestGroup : IMessage
    {
        /// <summary>The group's id.</summary>
        public string GroupId { get; set; } = string.Empty;

        /// <summary>The member's id as the coordinator knows it; empty before it has one (v9+, nullable, ignorable).</summary>
        public string? MemberId { get; set; }

        /// <summary>
        /// The member's epoch in a KIP-848 group; in a heartbeat 0 joins, -1 leaves and -2 leaves for a restart (v9+, ignorable).
        /// </summary>
        public int MemberEpoch { get; set; } = -1;

        /// <summary>The topics (nullable).</summary>
        public List<OffsetFetchRequestTopics>? Topics { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            GroupId = reader.ReadString(compact: true);
            if (version >= 9)
            {
                MemberId = reader.ReadNullableString(compact: true);
                MemberEpoch = reader.ReadInt32();
            }

            Topics = reader.ReadNullableArray<OffsetFetchRequestTopics>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(GroupId, compact: true);
            if (version >= 9)
            {
                writer.WriteNullableString(MemberId, compact: true);
                writer.WriteInt32(MemberEpoch);
            }

            writer.WriteNullableArray(Topics, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetFetchRequestGroup.Topics"/> (v8+).</summary>
    public sealed class OffsetFetchRequestTopics : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Partition numbers.</summary>
        public List<int> PartitionIndexes { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            PartitionIndexes = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteInt32Array(PartitionIndexes, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The positions; offset -1 where there is none.</summary>
/// <remarks>Errors worth handling: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, UNSTABLE_OFFSET_COMMIT, STALE_MEMBER_EPOCH.</remarks>
public sealed class OffsetFetchResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetFetch;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 6;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v3+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics (v0-7).</summary>
    public List<OffsetFetchResponseTopic> Topics { get; set; } = [];

    /// <summary>What went wrong, if anything (v2-7, ignorable).</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The groups (v8+).</summary>
    public List<OffsetFetchResponseGroup> Groups { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetFetchResponse));
        var flexible = version >= 6;
        if (version >= 3)
            ThrottleTimeMs = reader.ReadInt32();
        if (version <= 7)
            Topics = reader.ReadArray<OffsetFetchResponseTopic>(version, flexible);
        if (version is >= 2 and <= 7)
            ErrorCode = reader.ReadErrorCode();
        if (version >= 8)
            Groups = reader.ReadArray<OffsetFetchResponseGroup>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetFetchResponse));
        var flexible = version >= 6;
        if (version >= 3)
            writer.WriteInt32(ThrottleTimeMs);
        if (version <= 7)
            writer.WriteArray(Topics, version, flexible);
        else if (Topics is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Topics), version);
        if (version is >= 2 and <= 7)
            writer.WriteErrorCode(ErrorCode);
        if (version >= 8)
            writer.WriteArray(Groups, version, flexible);
        else if (Groups is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Groups), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="OffsetFetchResponse.Topics"/> (v0-7).</summary>
    public sealed class OffsetFetchResponseTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetFetchResponsePartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<OffsetFetchResponsePartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetFetchResponseTopic.Partitions"/> (v0-7).</summary>
    public sealed class OffsetFetchResponsePartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Next offset to consume; -1 if nothing was committed.</summary>
        public long CommittedOffset { get; set; }

        /// <summary>Leader epoch of the last record consumed; -1 if unknown (v5+, ignorable).</summary>
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>The client's own text, kept with the offset (nullable).</summary>
        public string? Metadata { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            PartitionIndex = reader.ReadInt32();
            CommittedOffset = reader.ReadInt64();
            if (version >= 5)
                CommittedLeaderEpoch = reader.ReadInt32();
            Metadata = reader.ReadNullableString(flexible);
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(CommittedOffset);
            if (version >= 5)
                writer.WriteInt32(CommittedLeaderEpoch);
            writer.WriteNullableString(Metadata, flexible);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetFetchResponse.Groups"/> (v8+).</summary>
    public sealed class OffsetFetchResponseGroup : IMessage
    {
        /// <summary>The group's id.</summary>
        public string GroupId { get; set; } = string.Empty;

        /// <summary>The topics.</summary>
        public List<OffsetFetchResponseTopics> Topics { get; set; } = [];

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            GroupId = reader.ReadString(compact: true);
            Topics = reader.ReadArray<OffsetFetchResponseTopics>(version, compact: true);
            ErrorCode = reader.ReadErrorCode();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(GroupId, compact: true);
            writer.WriteArray(Topics, version, compact: true);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetFetchResponseGroup.Topics"/> (v8+).</summary>
    public sealed class OffsetFetchResponseTopics : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetFetchResponsePartitions> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Partitions = reader.ReadArray<OffsetFetchResponsePartitions>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteArray(Partitions, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetFetchResponseTopics.Partitions"/> (v8+).</summary>
    public sealed class OffsetFetchResponsePartitions : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Next offset to consume; -1 if nothing was committed.</summary>
        public long CommittedOffset { get; set; }

        /// <summary>Leader epoch of the last record consumed; -1 if unknown.</summary>
        public int CommittedLeaderEpoch { get; set; } = -1;

        /// <summary>The client's own text, kept with the offset (nullable).</summary>
        public string? Metadata { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
            CommittedOffset = reader.ReadInt64();
            CommittedLeaderEpoch = reader.ReadInt32();
            Metadata = reader.ReadNullableString(compact: true);
            ErrorCode = reader.ReadErrorCode();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(CommittedOffset);
            writer.WriteInt32(CommittedLeaderEpoch);
            writer.WriteNullableString(Metadata, compact: true);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNoTaggedFields();
        }
    }
}
