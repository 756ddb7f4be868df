namespace Kafka.Protocol.Messages;

/// <summary>
/// What a consumer writes into <see cref="JoinGroupRequest.JoinGroupRequestProtocol.Metadata"/>: the topics it wants. Framed by
/// <see cref="VersionedPayload"/>.
/// </summary>
public sealed class ConsumerProtocolSubscription : IMessage
{
    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <summary>The topics.</summary>
    public List<string> Topics { get; set; } = [];

    /// <summary>The assignor's own data; null for none (nullable).</summary>
    public ReadOnlyMemory<byte>? UserData { get; set; }

    /// <summary>The partitions the member owns (cooperative rebalancing, KIP-429) (v1+, ignorable).</summary>
    public List<TopicPartition> OwnedPartitions { get; set; } = [];

    /// <summary>Generation of the group; -1 for none (v2+, ignorable).</summary>
    public int GenerationId { get; set; } = -1;

    /// <summary>The client's rack (v3+, nullable, ignorable).</summary>
    public string? RackId { get; set; }

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ConsumerProtocolSubscription));
        Topics = reader.ReadStringArray(compact: false);
        UserData = reader.ReadNullableBytes(compact: false);
        if (version >= 1)
            OwnedPartitions = reader.ReadArray<TopicPartition>(version, compact: false);
        if (version >= 2)
            GenerationId = reader.ReadInt32();
        if (version >= 3)
            RackId = reader.ReadNullableString(compact: false);
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ConsumerProtocolSubscription));
        writer.WriteStringArray(Topics, compact: false);
        writer.WriteNullableBytes(UserData, compact: false);
        if (version >= 1)
            writer.WriteArray(OwnedPartitions, version, compact: false);
        if (version >= 2)
            writer.WriteInt32(GenerationId);
        if (version >= 3)
            writer.WriteNullableString(RackId, compact: false);
    }

    /// <summary>One element of <see cref="ConsumerProtocolSubscription.OwnedPartitions"/> (v1+).</summary>
    public sealed class TopicPartition : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Topic = reader.ReadString(compact: false);
            Partitions = reader.ReadInt32Array(compact: false);
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Topic, compact: false);
            writer.WriteInt32Array(Partitions, compact: false);
        }
    }
}
