namespace Kafka.Protocol.Messages;

/// <summary>Finds offsets by timestamp, and the ends of a log.</summary>
public sealed class ListOffsetsRequest : IRequest<ListOffsetsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListOffsets;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 6;

    /// <summary>-1 for clients; a follower's node id otherwise.</summary>
    public int ReplicaId { get; set; }

    /// <summary>0: everything up to the high watermark; 1: only what is committed, up to the last stable offset (v2+).</summary>
    public sbyte IsolationLevel { get; set; }

    /// <summary>The topics.</summary>
    public List<ListOffsetsTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListOffsetsRequest));
        var flexible = version >= 6;
        ReplicaId = reader.ReadInt32();
        if (version >= 2)
            IsolationLevel = reader.ReadInt8();
        Topics = reader.ReadArray<ListOffsetsTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListOffsetsRequest));
        var flexible = version >= 6;
        writer.WriteInt32(ReplicaId);
        if (version >= 2)
            writer.WriteInt8(IsolationLevel);
        else if (IsolationLevel != 0)
            throw ProtocolException.NotInVersion(nameof(IsolationLevel), version);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ListOffsetsRequest.Topics"/>.</summary>
    public sealed class ListOffsetsTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<ListOffsetsPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<ListOffsetsPartition>(version, flexible);
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

    /// <summary>One element of <see cref="ListOffsetsTopic.Partitions"/>.</summary>
    public sealed class ListOffsetsPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>The leader epoch the sender believes in, to be fenced if it is outdated; -1 not to check (v4+, ignorable).</summary>
        public int CurrentLeaderEpoch { get; set; } = -1;

        /// <summary>
        /// Unix milliseconds; in a request also -1 latest, -2 earliest, -3 largest timestamp, -4 earliest local, -5 latest in remote
        /// storage.
        /// </summary>
        public long Timestamp { get; set; }

        /// <summary>How many offsets to return (v0 only).</summary>
        public int MaxNumOffsets { get; set; } = 1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            PartitionIndex = reader.ReadInt32();
            if (version >= 4)
                CurrentLeaderEpoch = reader.ReadInt32();
            Timestamp = reader.ReadInt64();
            if (version == 0)
                MaxNumOffsets = reader.ReadInt32();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteInt32(PartitionIndex);
            if (version >= 4)
                writer.WriteInt32(CurrentLeaderEpoch);
            writer.WriteInt64(Timestamp);
            if (version == 0)
                writer.WriteInt32(MaxNumOffsets);
            else if (MaxNumOffsets != 1)
                throw ProtocolException.NotInVersion(nameof(MaxNumOffsets), version);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The offsets found.</summary>
/// <remarks>Errors worth handling: UNKNOWN_TOPIC_OR_PARTITION, FENCED_LEADER_EPOCH, UNSUPPORTED_FOR_MESSAGE_FORMAT.</remarks>
public sealed class ListOffsetsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListOffsets;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 6;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v2+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<ListOffsetsTopicResponse> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListOffsetsResponse));
        var flexible = version >= 6;
        if (version >= 2)
            ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<ListOffsetsTopicResponse>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListOffsetsResponse));
        var flexible = version >= 6;
        if (version >= 2)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ListOffsetsResponse.Topics"/>.</summary>
    public sealed class ListOffsetsTopicResponse : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<ListOffsetsPartitionResponse> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<ListOffsetsPartitionResponse>(version, flexible);
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

    /// <summary>One element of <see cref="ListOffsetsTopicResponse.Partitions"/>.</summary>
    public sealed class ListOffsetsPartitionResponse : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The offsets, newest first (v0 only).</summary>
        public List<long> OldStyleOffsets { get; set; } = [];

        /// <summary>Unix milliseconds of the record found; -1 for none (v1+).</summary>
        public long Timestamp { get; set; } = -1;

        /// <summary>The offset; -1 for none (v1+).</summary>
        public long Offset { get; set; } = -1;

        /// <summary>Epoch of the leader; -1 if unknown (v4+).</summary>
        public int LeaderEpoch { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            if (version == 0)
                OldStyleOffsets = reader.ReadInt64Array(flexible);
            if (version >= 1)
            {
                Timestamp = reader.ReadInt64();
                Offset = reader.ReadInt64();
            }

            if (version >= 4)
                LeaderEpoch = reader.ReadInt32();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            if (version == 0)
                writer.WriteInt64Array(OldStyleOffsets, flexible);
            else if (OldStyleOffsets is not { Count: 0 })
                throw ProtocolException.NotInVersion(nameof(OldStyleOffsets), version);
            if (version >= 1)
                writer.WriteInt64(Timestamp);
            else if (Timestamp != -1)
                throw ProtocolException.NotInVersion(nameof(Timestamp), version);
            if (version >= 1)
                writer.WriteInt64(Offset);
            else if (Offset != -1)
                throw ProtocolException.NotInVersion(nameof(Offset), version);
            if (version >= 4)
                writer.WriteInt32(LeaderEpoch);
            else if (LeaderEpoch != -1)
                throw ProtocolException.NotInVersion(nameof(LeaderEpoch), version);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
