namespace Kafka.Protocol.Messages;

/// <summary>Elects leaders; null partitions mean all.</summary>
public sealed class ElectLeadersRequest : IRequest<ElectLeadersResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ElectLeaders;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>0 preferred, 1 unclean (v1+).</summary>
    public sbyte ElectionType { get; set; }

    /// <summary>Partitions by topic; null where that means all or unchanged (nullable).</summary>
    public List<TopicPartitionSet>? TopicPartitions { get; set; } = [];

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; } = 60000;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ElectLeadersRequest));
        var flexible = version >= 2;
        if (version >= 1)
            ElectionType = reader.ReadInt8();
        TopicPartitions = reader.ReadNullableArray<TopicPartitionSet>(version, flexible);
        TimeoutMs = reader.ReadInt32();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ElectLeadersRequest));
        var flexible = version >= 2;
        if (version >= 1)
            writer.WriteInt8(ElectionType);
        else if (ElectionType != 0)
            throw ProtocolException.NotInVersion(nameof(ElectionType), version);
        writer.WriteNullableArray(TopicPartitions, version, flexible);
        writer.WriteInt32(TimeoutMs);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ElectLeadersRequest.TopicPartitions"/>.</summary>
    public sealed class TopicPartitionSet : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Topic = reader.ReadString(flexible);
            Partitions = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Topic, flexible);
            writer.WriteInt32Array(Partitions, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each partition.</summary>
/// <remarks>
/// Errors worth handling: ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE,
/// CLUSTER_AUTHORIZATION_FAILED.
/// </remarks>
public sealed class ElectLeadersResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ElectLeaders;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything (v1+).</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>Results by topic.</summary>
    public List<ReplicaElectionResult> ReplicaElectionResults { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ElectLeadersResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        if (version >= 1)
            ErrorCode = reader.ReadErrorCode();
        ReplicaElectionResults = reader.ReadArray<ReplicaElectionResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ElectLeadersResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        if (version >= 1)
            writer.WriteErrorCode(ErrorCode);
        else if (ErrorCode != ErrorCode.None)
            throw ProtocolException.NotInVersion(nameof(ErrorCode), version);
        writer.WriteArray(ReplicaElectionResults, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ElectLeadersResponse.ReplicaElectionResults"/>.</summary>
    public sealed class ReplicaElectionResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>Results by partition.</summary>
        public List<PartitionResult> PartitionResult { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Topic = reader.ReadString(flexible);
            PartitionResult = reader.ReadArray<PartitionResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Topic, flexible);
            writer.WriteArray(PartitionResult, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="ReplicaElectionResult.PartitionResult"/>.</summary>
    public sealed class PartitionResult : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionId { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            PartitionId = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt32(PartitionId);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
