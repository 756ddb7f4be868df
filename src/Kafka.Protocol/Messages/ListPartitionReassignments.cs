namespace Kafka.Protocol.Messages;

/// <summary>Asks which partitions are being moved; null topics mean all.</summary>
public sealed class ListPartitionReassignmentsRequest : IRequest<ListPartitionReassignmentsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListPartitionReassignments;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>The topics (nullable).</summary>
    public List<ListPartitionReassignmentsTopics>? Topics { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListPartitionReassignmentsRequest));
        TimeoutMs = reader.ReadInt32();
        Topics = reader.ReadNullableArray<ListPartitionReassignmentsTopics>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListPartitionReassignmentsRequest));
        writer.WriteInt32(TimeoutMs);
        writer.WriteNullableArray(Topics, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ListPartitionReassignmentsRequest.Topics"/>.</summary>
    public sealed class ListPartitionReassignmentsTopics : IMessage
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

/// <summary>The moves under way.</summary>
/// <remarks>Errors worth handling: NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.</remarks>
public sealed class ListPartitionReassignmentsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListPartitionReassignments;

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

    /// <summary>The topics.</summary>
    public List<OngoingTopicReassignment> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListPartitionReassignmentsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(compact: true);
        Topics = reader.ReadArray<OngoingTopicReassignment>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListPartitionReassignmentsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, compact: true);
        writer.WriteArray(Topics, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ListPartitionReassignmentsResponse.Topics"/>.</summary>
    public sealed class OngoingTopicReassignment : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OngoingPartitionReassignment> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Partitions = reader.ReadArray<OngoingPartitionReassignment>(version, compact: true);
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

    /// <summary>One element of <see cref="OngoingTopicReassignment.Partitions"/>.</summary>
    public sealed class OngoingPartitionReassignment : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Node ids of the replicas.</summary>
        public List<int> Replicas { get; set; } = [];

        /// <summary>Node ids being added.</summary>
        public List<int> AddingReplicas { get; set; } = [];

        /// <summary>Node ids being removed.</summary>
        public List<int> RemovingReplicas { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
            Replicas = reader.ReadInt32Array(compact: true);
            AddingReplicas = reader.ReadInt32Array(compact: true);
            RemovingReplicas = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt32Array(Replicas, compact: true);
            writer.WriteInt32Array(AddingReplicas, compact: true);
            writer.WriteInt32Array(RemovingReplicas, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
