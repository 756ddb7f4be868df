namespace Kafka.Protocol.Messages;

/// <summary>Asks where leader epochs end.</summary>
public sealed class OffsetForLeaderEpochRequest : IRequest<OffsetForLeaderEpochResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetForLeaderEpoch;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>-1 for clients, -2 for debugging; a follower's node id otherwise (v3+, ignorable).</summary>
    public int ReplicaId { get; set; } = -2;

    /// <summary>The topics.</summary>
    public List<OffsetForLeaderTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetForLeaderEpochRequest));
        var flexible = version >= 4;
        if (version >= 3)
            ReplicaId = reader.ReadInt32();
        Topics = reader.ReadArray<OffsetForLeaderTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetForLeaderEpochRequest));
        var flexible = version >= 4;
        if (version >= 3)
            writer.WriteInt32(ReplicaId);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="OffsetForLeaderEpochRequest.Topics"/>.</summary>
    public sealed class OffsetForLeaderTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetForLeaderPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            Topic = reader.ReadString(flexible);
            Partitions = reader.ReadArray<OffsetForLeaderPartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(Topic, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetForLeaderTopic.Partitions"/>.</summary>
    public sealed class OffsetForLeaderPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int Partition { get; set; }

        /// <summary>The leader epoch the sender believes in, to be fenced if it is outdated; -1 not to check (v2+, ignorable).</summary>
        public int CurrentLeaderEpoch { get; set; } = -1;

        /// <summary>The epoch whose end is asked for.</summary>
        public int LeaderEpoch { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            Partition = reader.ReadInt32();
            if (version >= 2)
                CurrentLeaderEpoch = reader.ReadInt32();
            LeaderEpoch = reader.ReadInt32();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteInt32(Partition);
            if (version >= 2)
                writer.WriteInt32(CurrentLeaderEpoch);
            writer.WriteInt32(LeaderEpoch);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The end offset of each epoch.</summary>
/// <remarks>Errors worth handling: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION.</remarks>
public sealed class OffsetForLeaderEpochResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetForLeaderEpoch;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v2+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<OffsetForLeaderTopicResult> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetForLeaderEpochResponse));
        var flexible = version >= 4;
        if (version >= 2)
            ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<OffsetForLeaderTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetForLeaderEpochResponse));
        var flexible = version >= 4;
        if (version >= 2)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="OffsetForLeaderEpochResponse.Topics"/>.</summary>
    public sealed class OffsetForLeaderTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<EpochEndOffset> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            Topic = reader.ReadString(flexible);
            Partitions = reader.ReadArray<EpochEndOffset>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(Topic, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="OffsetForLeaderTopicResult.Partitions"/>.</summary>
    public sealed class EpochEndOffset : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Partition number.</summary>
        public int Partition { get; set; }

        /// <summary>Epoch of the leader; -1 if unknown (v1+, ignorable).</summary>
        public int LeaderEpoch { get; set; } = -1;

        /// <summary>Offset after the last record.</summary>
        public long EndOffset { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            ErrorCode = reader.ReadErrorCode();
            Partition = reader.ReadInt32();
            if (version >= 1)
                LeaderEpoch = reader.ReadInt32();
            EndOffset = reader.ReadInt64();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteInt32(Partition);
            if (version >= 1)
                writer.WriteInt32(LeaderEpoch);
            writer.WriteInt64(EndOffset);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
