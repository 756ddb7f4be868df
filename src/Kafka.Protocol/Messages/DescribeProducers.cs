namespace Kafka.Protocol.Messages;

/// <summary>Asks which producers have state in partitions.</summary>
public sealed class DescribeProducersRequest : IRequest<DescribeProducersResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeProducers;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The topics.</summary>
    public List<TopicRequest> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeProducersRequest));
        Topics = reader.ReadArray<TopicRequest>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeProducersRequest));
        writer.WriteArray(Topics, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeProducersRequest.Topics"/>.</summary>
    public sealed class TopicRequest : IMessage
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

/// <summary>The producers.</summary>
/// <remarks>Errors worth handling: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER.</remarks>
public sealed class DescribeProducersResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeProducers;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<TopicResponse> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeProducersResponse));
        ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<TopicResponse>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeProducersResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeProducersResponse.Topics"/>.</summary>
    public sealed class TopicResponse : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<PartitionResponse> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Partitions = reader.ReadArray<PartitionResponse>(version, compact: true);
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

    /// <summary>One element of <see cref="TopicResponse.Partitions"/>.</summary>
    public sealed class PartitionResponse : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; }

        /// <summary>Producers with state in the partition.</summary>
        public List<ProducerState> ActiveProducers { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            ActiveProducers = reader.ReadArray<ProducerState>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteArray(ActiveProducers, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="PartitionResponse.ActiveProducers"/>.</summary>
    public sealed class ProducerState : IMessage
    {
        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>Epoch of the producer; -1 for none.</summary>
        public int ProducerEpoch { get; set; }

        /// <summary>Sequence number of the last record; -1 for none.</summary>
        public int LastSequence { get; set; } = -1;

        /// <summary>Unix milliseconds of the last append; -1 for none.</summary>
        public long LastTimestamp { get; set; } = -1;

        /// <summary>Epoch of the coordinator that writes the markers, or wrote last.</summary>
        public int CoordinatorEpoch { get; set; }

        /// <summary>First offset of the open transaction; -1 for none.</summary>
        public long CurrentTxnStartOffset { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            ProducerId = reader.ReadInt64();
            ProducerEpoch = reader.ReadInt32();
            LastSequence = reader.ReadInt32();
            LastTimestamp = reader.ReadInt64();
            CoordinatorEpoch = reader.ReadInt32();
            CurrentTxnStartOffset = reader.ReadInt64();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt64(ProducerId);
            writer.WriteInt32(ProducerEpoch);
            writer.WriteInt32(LastSequence);
            writer.WriteInt64(LastTimestamp);
            writer.WriteInt32(CoordinatorEpoch);
            writer.WriteInt64(CurrentTxnStartOffset);
            writer.WriteNoTaggedFields();
        }
    }
}
