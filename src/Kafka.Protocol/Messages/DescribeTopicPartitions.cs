namespace Kafka.Protocol.Messages;

/// <summary>Asks for partitions, page by page (KIP-966).</summary>
public sealed class DescribeTopicPartitionsRequest : IRequest<DescribeTopicPartitionsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeTopicPartitions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The topics.</summary>
    public List<TopicRequest> Topics { get; set; } = [];

    /// <summary>How many partitions a response may have.</summary>
    public int ResponsePartitionLimit { get; set; } = 2000;

    /// <summary>Where to go on; null for the beginning (nullable).</summary>
    public PageCursor? Cursor { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeTopicPartitionsRequest));
        Topics = reader.ReadArray<TopicRequest>(version, compact: true);
        ResponsePartitionLimit = reader.ReadInt32();
        Cursor = reader.ReadNullableStruct<PageCursor>(version);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeTopicPartitionsRequest));
        writer.WriteArray(Topics, version, compact: true);
        writer.WriteInt32(ResponsePartitionLimit);
        writer.WriteNullableStruct(Cursor, version);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeTopicPartitionsRequest.Topics"/>.</summary>
    public sealed class TopicRequest : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>The content of <see cref="DescribeTopicPartitionsRequest.Cursor"/>.</summary>
    public sealed class PageCursor : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string TopicName { get; set; } = string.Empty;

        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TopicName = reader.ReadString(compact: true);
            PartitionIndex = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(TopicName, compact: true);
            writer.WriteInt32(PartitionIndex);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>One page of partitions.</summary>
/// <remarks>Errors worth handling: UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST.</remarks>
public sealed class DescribeTopicPartitionsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeTopicPartitions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<DescribeTopicPartitionsResponseTopic> Topics { get; set; } = [];

    /// <summary>Where the next page starts; null at the end (nullable).</summary>
    public Cursor? NextCursor { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeTopicPartitionsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<DescribeTopicPartitionsResponseTopic>(version, compact: true);
        NextCursor = reader.ReadNullableStruct<Cursor>(version);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeTopicPartitionsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, compact: true);
        writer.WriteNullableStruct(NextCursor, version);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeTopicPartitionsResponse.Topics"/>.</summary>
    public sealed class DescribeTopicPartitionsResponseTopic : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The topic's name (nullable).</summary>
        public string? Name { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none.</summary>
        public Guid TopicId { get; set; }

        /// <summary>Whether the topic belongs to the broker itself.</summary>
        public bool IsInternal { get; set; }

        /// <summary>The partitions.</summary>
        public List<DescribeTopicPartitionsResponsePartition> Partitions { get; set; } = [];

        /// <summary>Bit field of what the sender may do to the topic; -2147483648 when not asked.</summary>
        public int TopicAuthorizedOperations { get; set; } = int.MinValue;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            ErrorCode = reader.ReadErrorCode();
            Name = reader.ReadNullableString(compact: true);
            TopicId = reader.ReadUuid();
            IsInternal = reader.ReadBoolean();
            Partitions = reader.ReadArray<DescribeTopicPartitionsResponsePartition>(version, compact: true);
            TopicAuthorizedOperations = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(Name, compact: true);
            writer.WriteUuid(TopicId);
            writer.WriteBoolean(IsInternal);
            writer.WriteArray(Partitions, version, compact: true);
            writer.WriteInt32(TopicAuthorizedOperations);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribeTopicPartitionsResponseTopic.Partitions"/>.</summary>
    public sealed class DescribeTopicPartitionsResponsePartition : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Node id of the leader; -1 if there is none or it is unknown.</summary>
        public int LeaderId { get; set; }

        /// <summary>Epoch of the leader; -1 if unknown.</summary>
        public int LeaderEpoch { get; set; } = -1;

        /// <summary>Node ids of all replicas.</summary>
        public List<int> ReplicaNodes { get; set; } = [];

        /// <summary>Node ids of the replicas in sync.</summary>
        public List<int> IsrNodes { get; set; } = [];

        /// <summary>Node ids that may become leader though not in sync (nullable).</summary>
        public List<int>? EligibleLeaderReplicas { get; set; }

        /// <summary>Node ids that were eligible last (nullable).</summary>
        public List<int>? LastKnownElr { get; set; }

        /// <summary>Node ids of the replicas that are not reachable.</summary>
        public List<int> OfflineReplicas { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            ErrorCode = reader.ReadErrorCode();
            PartitionIndex = reader.ReadInt32();
            LeaderId = reader.ReadInt32();
            LeaderEpoch = reader.ReadInt32();
            ReplicaNodes = reader.ReadInt32Array(compact: true);
            IsrNodes = reader.ReadInt32Array(compact: true);
            EligibleLeaderReplicas = reader.ReadNullableInt32Array(compact: true);
            LastKnownElr = reader.ReadNullableInt32Array(compact: true);
            OfflineReplicas = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteErrorCode(ErrorCode);
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt32(LeaderId);
            writer.WriteInt32(LeaderEpoch);
            writer.WriteInt32Array(ReplicaNodes, compact: true);
            writer.WriteInt32Array(IsrNodes, compact: true);
            writer.WriteNullableInt32Array(EligibleLeaderReplicas, compact: true);
            writer.WriteNullableInt32Array(LastKnownElr, compact: true);
            writer.WriteInt32Array(OfflineReplicas, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>The content of <see cref="DescribeTopicPartitionsResponse.NextCursor"/>.</summary>
    public sealed class Cursor : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string TopicName { get; set; } = string.Empty;

        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TopicName = reader.ReadString(compact: true);
            PartitionIndex = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(TopicName, compact: true);
            writer.WriteInt32(PartitionIndex);
            writer.WriteNoTaggedFields();
        }
    }
}
