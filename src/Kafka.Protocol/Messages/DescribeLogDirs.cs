namespace Kafka.Protocol.Messages;

/// <summary>Asks how large logs are; null topics mean all.</summary>
public sealed class DescribeLogDirsRequest : IRequest<DescribeLogDirsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeLogDirs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The topics (nullable).</summary>
    public List<DescribableLogDirTopic>? Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeLogDirsRequest));
        var flexible = version >= 2;
        Topics = reader.ReadNullableArray<DescribableLogDirTopic>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeLogDirsRequest));
        var flexible = version >= 2;
        writer.WriteNullableArray(Topics, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeLogDirsRequest.Topics"/>.</summary>
    public sealed class DescribableLogDirTopic : IMessage
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

/// <summary>Log directories with the logs in them.</summary>
/// <remarks>Errors worth handling: KAFKA_STORAGE_ERROR, CLUSTER_AUTHORIZATION_FAILED.</remarks>
public sealed class DescribeLogDirsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeLogDirs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything (v3+, ignorable).</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<DescribeLogDirsResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeLogDirsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        if (version >= 3)
            ErrorCode = reader.ReadErrorCode();
        Results = reader.ReadArray<DescribeLogDirsResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeLogDirsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        if (version >= 3)
            writer.WriteErrorCode(ErrorCode);
        writer.WriteArray(Results, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeLogDirsResponse.Results"/>.</summary>
    public sealed class DescribeLogDirsResult : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Path of the log directory.</summary>
        public string LogDir { get; set; } = string.Empty;

        /// <summary>The topics.</summary>
        public List<DescribeLogDirsTopic> Topics { get; set; } = [];

        /// <summary>Size of the volume in bytes; -1 if unknown (v4+, ignorable).</summary>
        public long TotalBytes { get; set; } = -1;

        /// <summary>Free space of the volume in bytes; -1 if unknown (v4+, ignorable).</summary>
        public long UsableBytes { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            ErrorCode = reader.ReadErrorCode();
            LogDir = reader.ReadString(flexible);
            Topics = reader.ReadArray<DescribeLogDirsTopic>(version, flexible);
            if (version >= 4)
            {
                TotalBytes = reader.ReadInt64();
                UsableBytes = reader.ReadInt64();
            }

            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteString(LogDir, flexible);
            writer.WriteArray(Topics, version, flexible);
            if (version >= 4)
            {
                writer.WriteInt64(TotalBytes);
                writer.WriteInt64(UsableBytes);
            }

            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribeLogDirsResult.Topics"/>.</summary>
    public sealed class DescribeLogDirsTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<DescribeLogDirsPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<DescribeLogDirsPartition>(version, flexible);
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

    /// <summary>One element of <see cref="DescribeLogDirsTopic.Partitions"/>.</summary>
    public sealed class DescribeLogDirsPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>Size of the log segments in bytes.</summary>
        public long PartitionSize { get; set; }

        /// <summary>How far the log is behind, in records.</summary>
        public long OffsetLag { get; set; }

        /// <summary>Whether it is a copy that will replace the current replica.</summary>
        public bool IsFutureKey { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            PartitionIndex = reader.ReadInt32();
            PartitionSize = reader.ReadInt64();
            OffsetLag = reader.ReadInt64();
            IsFutureKey = reader.ReadBoolean();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt32(PartitionIndex);
            writer.WriteInt64(PartitionSize);
            writer.WriteInt64(OffsetLag);
            writer.WriteBoolean(IsFutureKey);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
