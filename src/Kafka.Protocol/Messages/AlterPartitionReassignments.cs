namespace Kafka.Protocol.Messages;

/// <summary>Starts moving partitions to other replicas; null replicas cancel a move.</summary>
public sealed class AlterPartitionReassignmentsRequest : IRequest<AlterPartitionReassignmentsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterPartitionReassignments;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>The topics.</summary>
    public List<ReassignableTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterPartitionReassignmentsRequest));
        TimeoutMs = reader.ReadInt32();
        Topics = reader.ReadArray<ReassignableTopic>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterPartitionReassignmentsRequest));
        writer.WriteInt32(TimeoutMs);
        writer.WriteArray(Topics, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AlterPartitionReassignmentsRequest.Topics"/>.</summary>
    public sealed class ReassignableTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<ReassignablePartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Partitions = reader.ReadArray<ReassignablePartition>(version, compact: true);
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

    /// <summary>One element of <see cref="ReassignableTopic.Partitions"/>.</summary>
    public sealed class ReassignablePartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Node ids of the replicas (nullable).</summary>
        public List<int>? Replicas { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
            Replicas = reader.ReadNullableInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
            writer.WriteNullableInt32Array(Replicas, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each partition.</summary>
/// <remarks>Errors worth handling: NO_REASSIGNMENT_IN_PROGRESS, INVALID_REPLICA_ASSIGNMENT, UNKNOWN_TOPIC_OR_PARTITION.</remarks>
public sealed class AlterPartitionReassignmentsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterPartitionReassignments;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>One result per item of the request.</summary>
    public List<ReassignableTopicResponse> Responses { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterPartitionReassignmentsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(compact: true);
        Responses = reader.ReadArray<ReassignableTopicResponse>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterPartitionReassignmentsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, compact: true);
        writer.WriteArray(Responses, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AlterPartitionReassignmentsResponse.Responses"/>.</summary>
    public sealed class ReassignableTopicResponse : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<ReassignablePartitionResponse> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Partitions = reader.ReadArray<ReassignablePartitionResponse>(version, compact: true);
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

    /// <summary>One element of <see cref="ReassignableTopicResponse.Partitions"/>.</summary>
    public sealed class ReassignablePartitionResponse : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
