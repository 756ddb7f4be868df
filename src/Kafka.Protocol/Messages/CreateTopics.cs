namespace Kafka.Protocol.Messages;

/// <summary>Creates topics.</summary>
public sealed class CreateTopicsRequest : IRequest<CreateTopicsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.CreateTopics;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 7);

    /// <inheritdoc/>
    public static short FlexibleFrom => 5;

    /// <summary>The topics.</summary>
    public List<CreatableTopic> Topics { get; set; } = [];

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>Whether to check only and change nothing (v1+).</summary>
    public bool ValidateOnly { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(CreateTopicsRequest));
        var flexible = version >= 5;
        Topics = reader.ReadArray<CreatableTopic>(version, flexible);
        TimeoutMs = reader.ReadInt32();
        if (version >= 1)
            ValidateOnly = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(CreateTopicsRequest));
        var flexible = version >= 5;
        writer.WriteArray(Topics, version, flexible);
        writer.WriteInt32(TimeoutMs);
        if (version >= 1)
            writer.WriteBoolean(ValidateOnly);
        else if (ValidateOnly)
            throw ProtocolException.NotInVersion(nameof(ValidateOnly), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="CreateTopicsRequest.Topics"/>.</summary>
    public sealed class CreatableTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>How many partitions; -1 for the broker's default (request) or unknown (response).</summary>
        public int NumPartitions { get; set; }

        /// <summary>How many replicas; -1 for the broker's default (request) or unknown (response).</summary>
        public short ReplicationFactor { get; set; }

        /// <summary>What is assigned.</summary>
        public List<CreatableReplicaAssignment> Assignments { get; set; } = [];

        /// <summary>The configuration values.</summary>
        public List<CreatableTopicConfig> Configs { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 5;
            Name = reader.ReadString(flexible);
            NumPartitions = reader.ReadInt32();
            ReplicationFactor = reader.ReadInt16();
            Assignments = reader.ReadArray<CreatableReplicaAssignment>(version, flexible);
            Configs = reader.ReadArray<CreatableTopicConfig>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 5;
            writer.WriteString(Name, flexible);
            writer.WriteInt32(NumPartitions);
            writer.WriteInt16(ReplicationFactor);
            writer.WriteArray(Assignments, version, flexible);
            writer.WriteArray(Configs, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="CreatableTopic.Assignments"/>.</summary>
    public sealed class CreatableReplicaAssignment : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Node ids.</summary>
        public List<int> BrokerIds { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 5;
            PartitionIndex = reader.ReadInt32();
            BrokerIds = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 5;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt32Array(BrokerIds, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="CreatableTopic.Configs"/>.</summary>
    public sealed class CreatableTopicConfig : IMessage
    {
        /// <summary>The configuration's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The value (nullable).</summary>
        public string? Value { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 5;
            Name = reader.ReadString(flexible);
            Value = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 5;
            writer.WriteString(Name, flexible);
            writer.WriteNullableString(Value, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each topic, from version 5 with its configuration.</summary>
/// <remarks>
/// Errors worth handling: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
/// INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST, NOT_CONTROLLER.
/// </remarks>
public sealed class CreateTopicsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.CreateTopics;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 7);

    /// <inheritdoc/>
    public static short FlexibleFrom => 5;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v2+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<CreatableTopicResult> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(CreateTopicsResponse));
        var flexible = version >= 5;
        if (version >= 2)
            ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<CreatableTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(CreateTopicsResponse));
        var flexible = version >= 5;
        if (version >= 2)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="CreateTopicsResponse.Topics"/>.</summary>
    public sealed class CreatableTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none (v7+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (v1+, nullable, ignorable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <summary>Why the configuration is not shown (v5+, tag 0, ignorable).</summary>
        public ErrorCode TopicConfigErrorCode { get; set; }

        /// <summary>How many partitions; -1 for the broker's default (request) or unknown (response) (v5+, ignorable).</summary>
        public int NumPartitions { get; set; } = -1;

        /// <summary>How many replicas; -1 for the broker's default (request) or unknown (response) (v5+, ignorable).</summary>
        public short ReplicationFactor { get; set; } = -1;

        /// <summary>The configuration values (v5+, nullable, ignorable).</summary>
        public List<CreatableTopicConfigs>? Configs { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 5;
            Name = reader.ReadString(flexible);
            if (version >= 7)
                TopicId = reader.ReadUuid();
            ErrorCode = reader.ReadErrorCode();
            if (version >= 1)
                ErrorMessage = reader.ReadNullableString(flexible);
            if (version >= 5)
            {
                NumPartitions = reader.ReadInt32();
                ReplicationFactor = reader.ReadInt16();
                Configs = reader.ReadNullableArray<CreatableTopicConfigs>(version, flexible);
            }

            if (flexible)
            {
                for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
                {
                    switch (reader.EnterTaggedField(out var outerEnd))
                    {
                        case 0:
                            TopicConfigErrorCode = reader.ReadErrorCode();
                            break;
                        default:
                            reader.SkipTaggedField();
                            break;
                    }

                    reader.LeaveTaggedField(outerEnd);
                }
            }
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 5;
            writer.WriteString(Name, flexible);
            if (version >= 7)
                writer.WriteUuid(TopicId);
            writer.WriteErrorCode(ErrorCode);
            if (version >= 1)
                writer.WriteNullableString(ErrorMessage, flexible);
            if (version >= 5)
            {
                writer.WriteInt32(NumPartitions);
                writer.WriteInt16(ReplicationFactor);
                writer.WriteNullableArray(Configs, version, flexible);
            }

            if (flexible)
            {
                writer.WriteUnsignedVarint(TopicConfigErrorCode != ErrorCode.None ? 1u : 0u);
                if (TopicConfigErrorCode != ErrorCode.None)
                {
                    var field = writer.BeginTaggedField();
                    field.WriteErrorCode(TopicConfigErrorCode);
                    writer.EndTaggedField(0);
                }
            }
        }
    }

    /// <summary>One element of <see cref="CreatableTopicResult.Configs"/> (v5+).</summary>
    public sealed class CreatableTopicConfigs : IMessage
    {
        /// <summary>The configuration's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The value (nullable).</summary>
        public string? Value { get; set; } = string.Empty;

        /// <summary>Whether it cannot be changed.</summary>
        public bool ReadOnly { get; set; }

        /// <summary>
        /// Where the value comes from: 1 topic, 2 dynamic broker, 3 dynamic default broker, 4 static broker, 5 default, 6 dynamic broker
        /// logger.
        /// </summary>
        public sbyte ConfigSource { get; set; } = -1;

        /// <summary>Whether the value is a secret, which is then not sent.</summary>
        public bool IsSensitive { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Value = reader.ReadNullableString(compact: true);
            ReadOnly = reader.ReadBoolean();
            ConfigSource = reader.ReadInt8();
            IsSensitive = reader.ReadBoolean();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteNullableString(Value, compact: true);
            writer.WriteBoolean(ReadOnly);
            writer.WriteInt8(ConfigSource);
            writer.WriteBoolean(IsSensitive);
            writer.WriteNoTaggedFields();
        }
    }
}
