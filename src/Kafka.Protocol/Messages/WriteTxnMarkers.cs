namespace Kafka.Protocol.Messages;

/// <summary>Lets a leader write the end markers of transactions.</summary>
public sealed class WriteTxnMarkersRequest : IRequest<WriteTxnMarkersResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.WriteTxnMarkers;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>The markers.</summary>
    public List<WritableTxnMarker> Markers { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(WriteTxnMarkersRequest));
        var flexible = version >= 1;
        Markers = reader.ReadArray<WritableTxnMarker>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(WriteTxnMarkersRequest));
        var flexible = version >= 1;
        writer.WriteArray(Markers, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="WriteTxnMarkersRequest.Markers"/>.</summary>
    public sealed class WritableTxnMarker : IMessage
    {
        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>Epoch of the producer; -1 for none.</summary>
        public short ProducerEpoch { get; set; }

        /// <summary>True for commit, false for abort.</summary>
        public bool TransactionResult { get; set; }

        /// <summary>The topics.</summary>
        public List<WritableTxnMarkerTopic> Topics { get; set; } = [];

        /// <summary>Epoch of the coordinator that writes the markers, or wrote last.</summary>
        public int CoordinatorEpoch { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            ProducerId = reader.ReadInt64();
            ProducerEpoch = reader.ReadInt16();
            TransactionResult = reader.ReadBoolean();
            Topics = reader.ReadArray<WritableTxnMarkerTopic>(version, flexible);
            CoordinatorEpoch = reader.ReadInt32();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteInt64(ProducerId);
            writer.WriteInt16(ProducerEpoch);
            writer.WriteBoolean(TransactionResult);
            writer.WriteArray(Topics, version, flexible);
            writer.WriteInt32(CoordinatorEpoch);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="WritableTxnMarker.Topics"/>.</summary>
    public sealed class WritableTxnMarkerTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Partition numbers.</summary>
        public List<int> PartitionIndexes { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Name = reader.ReadString(flexible);
            PartitionIndexes = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(Name, flexible);
            writer.WriteInt32Array(PartitionIndexes, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each marker.</summary>
/// <remarks>Errors worth handling: TRANSACTION_COORDINATOR_FENCED, UNKNOWN_TOPIC_OR_PARTITION.</remarks>
public sealed class WriteTxnMarkersResponse : IApiMessage, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.WriteTxnMarkers;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>The markers.</summary>
    public List<WritableTxnMarkerResult> Markers { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(WriteTxnMarkersResponse));
        var flexible = version >= 1;
        Markers = reader.ReadArray<WritableTxnMarkerResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(WriteTxnMarkersResponse));
        var flexible = version >= 1;
        writer.WriteArray(Markers, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="WriteTxnMarkersResponse.Markers"/>.</summary>
    public sealed class WritableTxnMarkerResult : IMessage
    {
        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>The topics.</summary>
        public List<WritableTxnMarkerTopicResult> Topics { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            ProducerId = reader.ReadInt64();
            Topics = reader.ReadArray<WritableTxnMarkerTopicResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteInt64(ProducerId);
            writer.WriteArray(Topics, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="WritableTxnMarkerResult.Topics"/>.</summary>
    public sealed class WritableTxnMarkerTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<WritableTxnMarkerPartitionResult> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadArray<WritableTxnMarkerPartitionResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(Name, flexible);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="WritableTxnMarkerTopicResult.Partitions"/>.</summary>
    public sealed class WritableTxnMarkerPartitionResult : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
