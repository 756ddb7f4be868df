namespace Kafka.Protocol.Messages;

/// <summary>
/// What the leader writes into <see cref="SyncGroupRequest.SyncGroupRequestAssignment.Assignment"/>: a member's partitions. Framed by
/// <see cref="VersionedPayload"/>.
/// </summary>
public sealed class ConsumerProtocolAssignment : IMessage
{
    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <summary>The partitions assigned.</summary>
    public List<TopicPartition> AssignedPartitions { get; set; } = [];

    /// <summary>The assignor's own data; null for none (nullable).</summary>
    public ReadOnlyMemory<byte>? UserData { get; set; }

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ConsumerProtocolAssignment));
        AssignedPartitions = reader.ReadArray<TopicPartition>(version, compact: false);
        UserData = reader.ReadNullableBytes(compact: false);
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ConsumerProtocolAssignment));
        writer.WriteArray(AssignedPartitions, version, compact: false);
        writer.WriteNullableBytes(UserData, compact: false);
    }

    /// <summary>One element of <see cref="ConsumerProtocolAssignment.AssignedPartitions"/>.</summary>
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
