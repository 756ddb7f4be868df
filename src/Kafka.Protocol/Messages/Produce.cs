namespace Kafka.Protocol.Messages;

/// <summary>Appends record batches to partitions. With acks 0 there is no response at all.</summary>
public sealed class ProduceRequest : IRequest<ProduceResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Produce;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 11);

    /// <inheritdoc/>
    public static short FlexibleFrom => 9;

    /// <summary>The producer's <c>transactional.id</c> (v3+, nullable).</summary>
    public string? TransactionalId { get; set; }

    /// <summary>How many replicas must have the data before the answer: 0 (no answer at all), 1 (the leader), -1 (all in sync).</summary>
    public short Acks { get; set; }

    /// <summary>How long to wait for the acknowledgements, in milliseconds.</summary>
    public int TimeoutMs { get; set; }

    /// <summary>What to append, by topic.</summary>
    public List<TopicProduceData> TopicData { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ProduceRequest));
        var flexible = version >= 9;
        if (version >= 3)
            TransactionalId = reader.ReadNullableString(flexible);
        Acks = reader.ReadInt16();
        TimeoutMs = reader.ReadInt32();
        TopicData = reader.ReadArray<TopicProduceData>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ProduceRequest));
        var flexible = version >= 9;
        if (version >= 3)
            writer.WriteNullableString(TransactionalId, flexible);
        else if (TransactionalId is not null)
            throw ProtocolException.NotInVersion(nameof(TransactionalId), version);
        writer.WriteInt16(Acks);
        writer.WriteInt32(TimeoutMs);
        writer.WriteArray(TopicData, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ProduceRequest.TopicData"/>.</summary>
    public sealed class TopicProduceData : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>What to append, by partition.</summary>
        public List<PartitionProduceData> PartitionData { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            Name = reader.ReadString(flexible);
            PartitionData = reader.ReadArray<PartitionProduceData>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteString(Name, flexible);
            writer.WriteArray(PartitionData, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="TopicProduceData.PartitionData"/>.</summary>
    public sealed class PartitionProduceData : IMessage
    {
        /// <summary>Partition number.</summary>
        public int Index { get; set; }

        /// <summary>
        /// Record batches, back to back; borrowed memory, see <see cref="ProtocolReader"/> and <see cref="ProtocolWriter"/> (nullable).
        /// </summary>
        public ReadOnlyMemory<byte>? Records { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            Index = reader.ReadInt32();
            Records = reader.ReadRecords(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteInt32(Index);
            writer.WriteRecords(Records, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Where the batches went.</summary>
/// <remarks>
/// Errors worth handling: CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE, INVALID_TOPIC_EXCEPTION,
/// OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNSUPPORTED_COMPRESSION_TYPE, INVALID_RECORD.
/// </remarks>
public sealed class ProduceResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Produce;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 11);

    /// <inheritdoc/>
    public static short FlexibleFrom => 9;

    /// <summary>One result per item of the request.</summary>
    public List<TopicProduceResponse> Responses { get; set; } = [];

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>Addresses of the leaders named in this response (KIP-951) (v10+, tag 0).</summary>
    public List<NodeEndpoint> NodeEndpoints { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ProduceResponse));
        var flexible = version >= 9;
        Responses = reader.ReadArray<TopicProduceResponse>(version, flexible);
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        if (flexible)
        {
            for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
            {
                switch (reader.EnterTaggedField(out var outerEnd))
                {
                    case 0 when version >= 10:
                        NodeEndpoints = reader.ReadArray<NodeEndpoint>(version, compact: true);
                        break;
                    default:
                        reader.SkipTaggedField();
                        break;
                }

                reader.LeaveTaggedField(outerEnd);
            }
        }
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ProduceResponse));
        var flexible = version >= 9;
        writer.WriteArray(Responses, version, flexible);
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        if (flexible)
        {
            writer.WriteUnsignedVarint(version >= 10 && NodeEndpoints is not { Count: 0 } ? 1u : 0u);
            if (version >= 10 && NodeEndpoints is not { Count: 0 })
            {
                var field = writer.BeginTaggedField();
                field.WriteArray(NodeEndpoints, version, compact: true);
                writer.EndTaggedField(0);
            }
        }

        if (version < 10 && NodeEndpoints is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(NodeEndpoints), version);
    }

    /// <summary>One element of <see cref="ProduceResponse.Responses"/>.</summary>
    public sealed class TopicProduceResponse : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Results by partition.</summary>
        public List<PartitionProduceResponse> PartitionResponses { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            Name = reader.ReadString(flexible);
            PartitionResponses = reader.ReadArray<PartitionProduceResponse>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteString(Name, flexible);
            writer.WriteArray(PartitionResponses, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="TopicProduceResponse.PartitionResponses"/>.</summary>
    public sealed class PartitionProduceResponse : IMessage
    {
        /// <summary>Partition number.</summary>
        public int Index { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Offset of the first record appended; -1 on error.</summary>
        public long BaseOffset { get; set; }

        /// <summary>The broker's timestamp (Unix milliseconds) if the topic uses LogAppendTime, else -1 (v2+, ignorable).</summary>
        public long LogAppendTimeMs { get; set; } = -1;

        /// <summary>First offset that the log still has; -1 if unknown (v5+, ignorable).</summary>
        public long LogStartOffset { get; set; } = -1;

        /// <summary>The records that made the broker refuse the whole batch (v8+, ignorable).</summary>
        public List<BatchIndexAndErrorMessage> RecordErrors { get; set; } = [];

        /// <summary>The error in words, for people (v8+, nullable, ignorable).</summary>
        public string? ErrorMessage { get; set; }

        /// <summary>
        /// Who leads now, sent with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (KIP-951) (v10+, tag 0, null when not sent).
        /// </summary>
        public LeaderIdAndEpoch? CurrentLeader { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            Index = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            BaseOffset = reader.ReadInt64();
            if (version >= 2)
                LogAppendTimeMs = reader.ReadInt64();
            if (version >= 5)
                LogStartOffset = reader.ReadInt64();
            if (version >= 8)
            {
                RecordErrors = reader.ReadArray<BatchIndexAndErrorMessage>(version, flexible);
                ErrorMessage = reader.ReadNullableString(flexible);
            }

            if (flexible)
            {
                for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
                {
                    switch (reader.EnterTaggedField(out var outerEnd))
                    {
                        case 0 when version >= 10:
                            CurrentLeader = reader.ReadStruct<LeaderIdAndEpoch>(version);
                            break;
                        default:
                            reader.SkipTaggedField();
                            break;
                    }

                    reader.LeaveTaggedField(outerEnd);
                }
            }
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteInt32(Index);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteInt64(BaseOffset);
            if (version >= 2)
                writer.WriteInt64(LogAppendTimeMs);
            if (version >= 5)
                writer.WriteInt64(LogStartOffset);
            if (version >= 8)
            {
                writer.WriteArray(RecordErrors, version, flexible);
                writer.WriteNullableString(ErrorMessage, flexible);
            }

            if (flexible)
            {
                writer.WriteUnsignedVarint(version >= 10 && CurrentLeader is not null ? 1u : 0u);
                if (version >= 10 && CurrentLeader is not null)
                {
                    var field = writer.BeginTaggedField();
                    field.WriteStruct(CurrentLeader, version);
                    writer.EndTaggedField(0);
                }
            }

            if (version < 10 && CurrentLeader is not null)
                throw ProtocolException.NotInVersion(nameof(CurrentLeader), version);
        }
    }

    /// <summary>One element of <see cref="PartitionProduceResponse.RecordErrors"/> (v8+).</summary>
    public sealed class BatchIndexAndErrorMessage : IMessage
    {
        /// <summary>Position of the record in the batch, from 0.</summary>
        public int BatchIndex { get; set; }

        /// <summary>What is wrong with this record (nullable).</summary>
        public string? BatchIndexErrorMessage { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 9;
            BatchIndex = reader.ReadInt32();
            BatchIndexErrorMessage = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 9;
            writer.WriteInt32(BatchIndex);
            writer.WriteNullableString(BatchIndexErrorMessage, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>The content of <see cref="PartitionProduceResponse.CurrentLeader"/> (v10+).</summary>
    public sealed class LeaderIdAndEpoch : IMessage
    {
        /// <summary>Node id of the leader; -1 if there is none or it is unknown.</summary>
        public int LeaderId { get; set; } = -1;

        /// <summary>Epoch of the leader; -1 if unknown.</summary>
        public int LeaderEpoch { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            LeaderId = reader.ReadInt32();
            LeaderEpoch = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(LeaderId);
            writer.WriteInt32(LeaderEpoch);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="ProduceResponse.NodeEndpoints"/> (v10+).</summary>
    public sealed class NodeEndpoint : IMessage
    {
        /// <summary>Node id of the broker.</summary>
        public int NodeId { get; set; }

        /// <summary>Host name or address.</summary>
        public string Host { get; set; } = string.Empty;

        /// <summary>Port number.</summary>
        public int Port { get; set; }

        /// <summary>The broker's rack (nullable).</summary>
        public string? Rack { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            NodeId = reader.ReadInt32();
            Host = reader.ReadString(compact: true);
            Port = reader.ReadInt32();
            Rack = reader.ReadNullableString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(NodeId);
            writer.WriteString(Host, compact: true);
            writer.WriteInt32(Port);
            writer.WriteNullableString(Rack, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
