namespace Kafka.Protocol.Messages;

/// <summary>Forgets a group's positions in topics it is not subscribed to.</summary>
public sealed class OffsetDeleteRequest : IRequest<OffsetDeleteResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetDelete;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => VersionRange.Never;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>The topics.</summary>
    public List<OffsetDeleteRequestTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetDeleteRequest));
        GroupId = reader.ReadString(compact: false);
        Topics = reader.ReadArray<OffsetDeleteRequestTopic>(version, compact: false);
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetDeleteRequest));
        writer.WriteString(GroupId, compact: false);
        writer.WriteArray(Topics, version, compact: false);
    }

    /// <summary>One element of <see cref="OffsetDeleteRequest.Topics"/>.</summary>
    public sealed class OffsetDeleteRequestTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetDeleteRequestPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: false);
            Partitions = reader.ReadArray<OffsetDeleteRequestPartition>(version, compact: false);
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: false);
            writer.WriteArray(Partitions, version, compact: false);
        }
    }

    /// <summary>One element of <see cref="OffsetDeleteRequestTopic.Partitions"/>.</summary>
    public sealed class OffsetDeleteRequestPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
        }
    }
}

/// <summary>Result of each partition.</summary>
/// <remarks>Errors worth handling: GROUP_SUBSCRIBED_TO_TOPIC, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.</remarks>
public sealed class OffsetDeleteResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.OffsetDelete;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => VersionRange.Never;

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The topics.</summary>
    public List<OffsetDeleteResponseTopic> Topics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(OffsetDeleteResponse));
        ErrorCode = reader.ReadErrorCode();
        ThrottleTimeMs = reader.ReadInt32();
        Topics = reader.ReadArray<OffsetDeleteResponseTopic>(version, compact: false);
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(OffsetDeleteResponse));
        writer.WriteErrorCode(ErrorCode);
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Topics, version, compact: false);
    }

    /// <summary>One element of <see cref="OffsetDeleteResponse.Topics"/>.</summary>
    public sealed class OffsetDeleteResponseTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<OffsetDeleteResponsePartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: false);
            Partitions = reader.ReadArray<OffsetDeleteResponsePartition>(version, compact: false);
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: false);
            writer.WriteArray(Partitions, version, compact: false);
        }
    }

    /// <summary>One element of <see cref="OffsetDeleteResponseTopic.Partitions"/>.</summary>
    public sealed class OffsetDeleteResponsePartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
        }
    }
}
