namespace Kafka.Protocol.Messages;

/// <summary>Moves replicas between the log directories of a broker.</summary>
public sealed class AlterReplicaLogDirsRequest : IRequest<AlterReplicaLogDirsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterReplicaLogDirs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The directories with what they shall get.</summary>
    public List<AlterReplicaLogDir> Dirs { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterReplicaLogDirsRequest));
        var flexible = version >= 2;
        Dirs = reader.ReadArray<AlterReplicaLogDir>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterReplicaLogDirsRequest));
        var flexible = version >= 2;
        writer.WriteArray(Dirs, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="Dirs"/>.</summary>
    public sealed class AlterReplicaLogDir : IMessage
    {
        /// <summary>Absolute path of the directory.</summary>
        public string Path { get; set; } = string.Empty;

        /// <summary>The topics.</summary>
        public List<AlterReplicaLogDirTopic> Topics { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Path = reader.ReadString(flexible);
            Topics = reader.ReadArray<AlterReplicaLogDirTopic>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Path, flexible);
            writer.WriteArray(Topics, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="AlterReplicaLogDir.Topics"/>.</summary>
    public sealed class AlterReplicaLogDirTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(Name, flexible);
            writer.WriteInt32Array(Partitions, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Says for each replica whether it moves.</summary>
/// <remarks>Errors worth handling: LOG_DIR_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION, KAFKA_STORAGE_ERROR.</remarks>
public sealed class AlterReplicaLogDirsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterReplicaLogDirs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<AlterReplicaLogDirTopicResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterReplicaLogDirsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        Results = reader.ReadArray<AlterReplicaLogDirTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterReplicaLogDirsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Results, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="Results"/>.</summary>
    public sealed class AlterReplicaLogDirTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string TopicName { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<AlterReplicaLogDirPartitionResult> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            TopicName = reader.ReadString(flexible);
            Partitions = reader.ReadArray<AlterReplicaLogDirPartitionResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(TopicName, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="AlterReplicaLogDirTopicResult.Partitions"/>.</summary>
    public sealed class AlterReplicaLogDirPartitionResult : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
