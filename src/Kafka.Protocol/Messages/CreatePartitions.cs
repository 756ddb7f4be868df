namespace Kafka.Protocol.Messages;

/// <summary>Raises the number of partitions of topics.</summary>
public sealed class CreatePartitionsRequest : IRequest<CreatePartitionsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.CreatePartitions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The topics.</summary>
    public List<CreatePartitionsTopic> Topics { get; set; } = [];

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; }

    /// <summary>Whether to check only and change nothing.</summary>
    public bool ValidateOnly { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(CreatePartitionsRequest));
        var flexible = version >= 2;
        Topics = reader.ReadArray<CreatePartitionsTopic>(version, flexible);
        TimeoutMs = reader.ReadInt32();
        ValidateOnly = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(CreatePartitionsRequest));
        var flexible = version >= 2;
        writer.WriteArray(Topics, version, flexible);
        writer.WriteInt32(TimeoutMs);
        writer.WriteBoolean(ValidateOnly);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="CreatePartitionsRequest.Topics"/>.</summary>
    public sealed class CreatePartitionsTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>How many partitions in total.</summary>
        public int Count { get; set; }

        /// <summary>What is assigned (nullable).</summary>
        public List<CreatePartitionsAssignment>? Assignments { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Name = reader.ReadString(flexible);
            Count = reader.ReadInt32();
            Assignments = reader.ReadNullableArray<CreatePartitionsAssignment>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Name, flexible);
            writer.WriteInt32(Count);
            writer.WriteNullableArray(Assignments, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="CreatePartitionsTopic.Assignments"/>.</summary>
    public sealed class CreatePartitionsAssignment : IMessage
    {
        /// <summary>Node ids.</summary>
        public List<int> BrokerIds { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            BrokerIds = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt32Array(BrokerIds, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each topic.</summary>
/// <remarks>
/// Errors worth handling: INVALID_PARTITIONS, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REPLICA_ASSIGNMENT, REASSIGNMENT_IN_PROGRESS.
/// </remarks>
public sealed class CreatePartitionsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.CreatePartitions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<CreatePartitionsTopicResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(CreatePartitionsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        Results = reader.ReadArray<CreatePartitionsTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(CreatePartitionsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Results, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="CreatePartitionsResponse.Results"/>.</summary>
    public sealed class CreatePartitionsTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Name = reader.ReadString(flexible);
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Name, flexible);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
