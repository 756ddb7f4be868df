namespace Kafka.Protocol.Messages;

/// <summary>Asks for brokers and topics. Null topics mean all; in version 0, where null does not exist, an empty list does.</summary>
public sealed class MetadataRequest : IRequest<MetadataResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Metadata;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 12);

    /// <inheritdoc/>
    public static short FlexibleFrom => 9;

    /// <summary>The topics (nullable v1+).</summary>
    public List<MetadataRequestTopic>? Topics { get; set; } = [];

    /// <summary>Whether topics that do not exist may be created (v4+).</summary>
    public bool AllowAutoTopicCreation { get; set; } = true;

    /// <summary>Whether to say what the sender may do to the cluster (v8-10).</summary>
    public bool IncludeClusterAuthorizedOperations { get; set; }

    /// <summary>Whether to say what the sender may do to each topic (v8+).</summary>
    public bool IncludeTopicAuthorizedOperations { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(MetadataRequest));
        var flexible = version >= 9;
        Topics = version >= 1
            ? reader.ReadNullableArray<MetadataRequestTopic>(version, flexible)
            : reader.ReadArray<MetadataRequestTopic>(version, flexible);
        if (version >= 4)
            AllowAutoTopicCreation = reader.ReadBoolean();
        if (version is >= 8 and <= 10)
            IncludeClusterAuthorizedOperations = reader.ReadBoolean();
        if (version >= 8)
            IncludeTopicAuthorizedOperations = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(MetadataRequest));
        var flexible = version >= 9;
        if (version >= 1)
            writer.WriteNullableArray(Topics, version, flexible);
        else
            writer.WriteArray(Topics, version, flexible);
        if (version >= 4)
            writer.WriteBoolean(AllowAutoTopicCreation);
        else if (!AllowAutoTopicCreation)
            throw ProtocolException.NotInVersion(nameof(AllowAutoTopicCreation), version);
        if (version is >= 8 and <= 10)
            writer.WriteBoolean(IncludeClusterAuthorizedOperations);
        else if (IncludeClusterAuthorizedOperations)
            throw ProtocolException.NotInVersion(nameof(IncludeClusterAuthorizedOperations), version);
        if (version >= 8)
            writer.WriteBoolean(IncludeTopicAuthorizedOperations);
        else if (IncludeTopicAuthorizedOperations)
            throw ProtocolException.NotInVersion(nameof(IncludeTopicAuthorizedOperations), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="MetadataRequest.Topics"/>.</summary>
    public sealed class MetadataRequestTopic : IMessage
    {
        /// <summary>The topic's id; all zero for none (v10+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>The topic's name (nullable v10+).</summary>
        public string? Name { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            if (version >= 10)
                TopicId = reader.ReadUuid();
            Name = version >= 10 ? reader.ReadNullableString(flexible) : reader.ReadString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            if (version >= 10)
                writer.WriteUuid(TopicId);
            if (version >= 10)
                writer.WriteNullableString(Name, flexible);
            else
                writer.WriteString(Name, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Brokers, topics and the leaders of their partitions.</summary>
/// <remarks>Errors worth handling: UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_ID.</remarks>
public sealed class MetadataResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Metadata;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 12);

    /// <inheritdoc/>
    public static short FlexibleFrom => 9;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v3+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The brokers alive.</summary>
    public List<MetadataResponseBroker> Brokers { get; set; } = [];

    /// <summary>The cluster's id (v2+, nullable, ignorable).</summary>
    public string? ClusterId { get; set; }

    /// <summary>Node id of the controller; -1 if there is none (v1+, ignorable).</summary>
    public int ControllerId { get; set; } = -1;

    /// <summary>The topics.</summary>
    public List<MetadataResponseTopic> Topics { get; set; } = [];

    /// <summary>Bit field of what the sender may do to the cluster; -2147483648 when not asked (v8-10).</summary>
    public int ClusterAuthorizedOperations { get; set; } = int.MinValue;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(MetadataResponse));
        var flexible = version >= 9;
        if (version >= 3)
            ThrottleTimeMs = reader.ReadInt32();
        Brokers = reader.ReadArray<MetadataResponseBroker>(version, flexible);
        if (version >= 2)
            ClusterId = reader.ReadNullableString(flexible);
        if (version >= 1)
            ControllerId = reader.ReadInt32();
        Topics = reader.ReadArray<MetadataResponseTopic>(version, flexible);
        if (version is >= 8 and <= 10)
            ClusterAuthorizedOperations = reader.ReadInt32();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(MetadataResponse));
        var flexible = version >= 9;
        if (version >= 3)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Brokers, version, flexible);
        if (version >= 2)
            writer.WriteNullableString(ClusterId, flexible);
        if (version >= 1)
            writer.WriteInt32(ControllerId);
        writer.WriteArray(Topics, version, flexible);
        if (version is >= 8 and <= 10)
            writer.WriteInt32(ClusterAuthorizedOperations);
        else if (ClusterAuthorizedOperations != int.MinValue)
            throw ProtocolException.NotInVersion(nameof(ClusterAuthorizedOperations), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="MetadataResponse.Brokers"/>.</summary>
    public sealed class MetadataResponseBroker : IMessage
    {
        /// <summary>Node id of the broker.</summary>
        public int NodeId { get; set; }

        /// <summary>Host name or address.</summary>
        public string Host { get; set; } = string.Empty;

        /// <summary>Port number.</summary>
        public int Port { get; set; }

        /// <summary>The broker's rack (v1+, nullable, ignorable).</summary>
        public string? Rack { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            NodeId = reader.ReadInt32();
            Host = reader.ReadString(flexible);
            Port = reader.ReadInt32();
            if (version >= 1)
                Rack = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteInt32(NodeId);
            writer.WriteString(Host, flexible);
            writer.WriteInt32(Port);
            if (version >= 1)
                writer.WriteNullableString(Rack, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="MetadataResponse.Topics"/>.</summary>
    public sealed class MetadataResponseTopic : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The topic's name (nullable v12+).</summary>
        public string? Name { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none (v10+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>Whether the topic belongs to the broker itself (v1+, ignorable).</summary>
        public bool IsInternal { get; set; }

        /// <summary>The partitions.</summary>
        public List<MetadataResponsePartition> Partitions { get; set; } = [];

        /// <summary>Bit field of what the sender may do to the topic; -2147483648 when not asked (v8+).</summary>
        public int TopicAuthorizedOperations { get; set; } = int.MinValue;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            ErrorCode = reader.ReadErrorCode();
            Name = version >= 12 ? reader.ReadNullableString(flexible) : reader.ReadString(flexible);
            if (version >= 10)
                TopicId = reader.ReadUuid();
            if (version >= 1)
                IsInternal = reader.ReadBoolean();
            Partitions = reader.ReadArray<MetadataResponsePartition>(version, flexible);
            if (version >= 8)
                TopicAuthorizedOperations = reader.ReadInt32();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteErrorCode(ErrorCode);
            if (version >= 12)
                writer.WriteNullableString(Name, flexible);
            else
                writer.WriteString(Name, flexible);
            if (version >= 10)
                writer.WriteUuid(TopicId);
            if (version >= 1)
                writer.WriteBoolean(IsInternal);
            writer.WriteArray(Partitions, version, flexible);
            if (version >= 8)
                writer.WriteInt32(TopicAuthorizedOperations);
            else if (TopicAuthorizedOperations != int.MinValue)
                throw ProtocolException.NotInVersion(nameof(TopicAuthorizedOperations), version);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="MetadataResponseTopic.Partitions"/>.</summary>
    public sealed class MetadataResponsePartition : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Node id of the leader; -1 if there is none or it is unknown.</summary>
        public int LeaderId { get; set; }

        /// <summary>Epoch of the leader; -1 if unknown (v7+, ignorable).</summary>
        public int LeaderEpoch { get; set; } = -1;

        /// <summary>Node ids of all replicas.</summary>
        public List<int> ReplicaNodes { get; set; } = [];

        /// <summary>Node ids of the replicas in sync.</summary>
        public List<int> IsrNodes { get; set; } = [];

        /// <summary>Node ids of the replicas that are not reachable (v5+, ignorable).</summary>
        public List<int> OfflineReplicas { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            ErrorCode = reader.ReadErrorCode();
            PartitionIndex = reader.ReadInt32();
            LeaderId = reader.ReadInt32();
            if (version >= 7)
                LeaderEpoch = reader.ReadInt32();
            ReplicaNodes = reader.ReadInt32Array(flexible);
            IsrNodes = reader.ReadInt32Array(flexible);
            if (version >= 5)
                OfflineReplicas = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt32(LeaderId);
            if (version >= 7)
                writer.WriteInt32(LeaderEpoch);
            writer.WriteInt32Array(ReplicaNodes, flexible);
            writer.WriteInt32Array(IsrNodes, flexible);
            if (version >= 5)
                writer.WriteInt32Array(OfflineReplicas, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
