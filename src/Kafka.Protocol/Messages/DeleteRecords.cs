namespace Kafka.Protocol.Messages;

/// <summary>Drops the records before an offset; -1 means before the high watermark.</summary>
public sealed class DeleteRecordsRequest : IRequest<DeleteRecordsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DeleteRecords;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The topics.</summary>
    public List<DeleteRecordsTopic> Topics { get; set; } = [];

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DeleteRecordsRequest));
        var flexible = version >= 2;
        Topics = reader.ReadArray<DeleteRecordsTopic>(version, flexible);
        TimeoutMs = reader.ReadInt32();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DeleteRecordsRequest));
        var flexible = version >= 2;
        writer.WriteArray(Topics, version, flexible);
        writer.WriteInt32(TimeoutMs);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DeleteRecordsRequest.Topics"/>.</summary>
    public sealed class DeleteRecordsTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<DeleteRecordsPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<DeleteRecordsPartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DeleteRecordsTopic.Partitions"/>.</summary>
    public sealed class DeleteRecordsPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>First offset to keep; -1 for the high watermark.</summary>
        public long Offset { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            PartitionIndex = reader.ReadInt32();
            Offset = reader.ReadInt64();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(Offset);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>First offset left in each partition.</summary>
/// <remarks>Errors worth handling: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, POLICY_VIOLATION.</remarks>
public sealed class DeleteRecordsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DeleteRecords;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<DeleteRecordsTopicResult> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DeleteRecordsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<DeleteRecordsTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DeleteRecordsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DeleteRecordsResponse.Topics"/>.</summary>
    public sealed class DeleteRecordsTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<DeleteRecordsPartitionResult> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<DeleteRecordsPartitionResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DeleteRecordsTopicResult.Partitions"/>.</summary>
    public sealed class DeleteRecordsPartitionResult : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>First offset that the log still has.</summary>
        public long LowWatermark { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            PartitionIndex = reader.ReadInt32();
            LowWatermark = reader.ReadInt64();
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(LowWatermark);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
