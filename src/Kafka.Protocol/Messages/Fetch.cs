namespace Kafka.Protocol.Messages;

/// <summary>Reads record batches. Partitions are named by topic name up to version 12 and by topic id from 13.</summary>
public sealed class FetchRequest : IRequest<FetchResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Fetch;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 17);

    /// <inheritdoc/>
    public static short FlexibleFrom => 12;

    /// <summary>The cluster's id (v12+, tag 0, ignorable).</summary>
    public string? ClusterId { get; set; }

    /// <summary>Node id of a fetching follower; -1 for consumers (v0-14).</summary>
    public int ReplicaId { get; set; } = -1;

    /// <summary>Who is fetching, if it is a follower (v15+, tag 1, null when not sent).</summary>
    public FetchingReplica? ReplicaState { get; set; }

    /// <summary>How long the broker may wait for <see cref="MinBytes"/>, in milliseconds.</summary>
    public int MaxWaitMs { get; set; }

    /// <summary>How many bytes to wait for.</summary>
    public int MinBytes { get; set; }

    /// <summary>How many bytes the response may have; the first batch comes whole even if it is larger (KIP-74) (v3+, ignorable).</summary>
    public int MaxBytes { get; set; } = int.MaxValue;

    /// <summary>0: everything up to the high watermark; 1: only what is committed, up to the last stable offset (v4+, ignorable).</summary>
    public sbyte IsolationLevel { get; set; }

    /// <summary>Fetch session (KIP-227); 0 for none (v7+, ignorable).</summary>
    public int SessionId { get; set; }

    /// <summary>Position in the fetch session: 0 starts one, -1 closes it or works without one (v7+, ignorable).</summary>
    public int SessionEpoch { get; set; } = -1;

    /// <summary>The topics.</summary>
    public List<FetchTopic> Topics { get; set; } = [];

    /// <summary>Partitions to take out of the fetch session (v7+).</summary>
    public List<ForgottenTopic> ForgottenTopicsData { get; set; } = [];

    /// <summary>The client's rack (v11+, ignorable).</summary>
    public string RackId { get; set; } = string.Empty;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(FetchRequest));
        var flexible = version >= 12;
        if (version <= 14)
            ReplicaId = reader.ReadInt32();
        MaxWaitMs = reader.ReadInt32();
        MinBytes = reader.ReadInt32();
        if (version >= 3)
            MaxBytes = reader.ReadInt32();
        if (version >= 4)
            IsolationLevel = reader.ReadInt8();
        if (version >= 7)
        {
            SessionId = reader.ReadInt32();
            SessionEpoch = reader.ReadInt32();
        }

        Topics = reader.ReadArray<FetchTopic>(version, flexible);
        if (version >= 7)
            ForgottenTopicsData = reader.ReadArray<ForgottenTopic>(version, flexible);
        if (version >= 11)
            RackId = reader.ReadString(flexible);
        if (flexible)
        {
            for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
            {
                switch (reader.EnterTaggedField(out var outerEnd))
                {
                    case 0:
                        ClusterId = reader.ReadNullableString(compact: true);
                        break;
                    case 1 when version >= 15:
                        ReplicaState = reader.ReadStruct<FetchingReplica>(version);
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
        Versions.Require(version, nameof(FetchRequest));
        var flexible = version >= 12;
        if (version <= 14)
            writer.WriteInt32(ReplicaId);
        else if (ReplicaId != -1)
            throw ProtocolException.NotInVersion(nameof(ReplicaId), version);
        writer.WriteInt32(MaxWaitMs);
        writer.WriteInt32(MinBytes);
        if (version >= 3)
            writer.WriteInt32(MaxBytes);
        if (version >= 4)
            writer.WriteInt8(IsolationLevel);
        if (version >= 7)
        {
            writer.WriteInt32(SessionId);
            writer.WriteInt32(SessionEpoch);
        }

        writer.WriteArray(Topics, version, flexible);
        if (version >= 7)
            writer.WriteArray(ForgottenTopicsData, version, flexible);
        else if (ForgottenTopicsData is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(ForgottenTopicsData), version);
        if (version >= 11)
            writer.WriteString(RackId, flexible);
        if (flexible)
        {
            writer.WriteUnsignedVarint(
                (ClusterId is not null ? 1u : 0u) +
                (version >= 15 && ReplicaState is not null ? 1u : 0u));
            if (ClusterId is not null)
            {
                var field = writer.BeginTaggedField();
                field.WriteString(ClusterId, compact: true);
                writer.EndTaggedField(0);
            }

            if (version >= 15 && ReplicaState is not null)
            {
                var field = writer.BeginTaggedField();
                field.WriteStruct(ReplicaState, version);
                writer.EndTaggedField(1);
            }
        }

        if (version < 15 && ReplicaState is not null)
            throw ProtocolException.NotInVersion(nameof(ReplicaState), version);
    }

    /// <summary>The content of <see cref="FetchRequest.ReplicaState"/> (v15+).</summary>
    public sealed class FetchingReplica : IMessage
    {
        /// <summary>Node id of a fetching follower; -1 for consumers.</summary>
        public int ReplicaId { get; set; } = -1;

        /// <summary>The follower's broker epoch; -1 if unknown.</summary>
        public long ReplicaEpoch { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            ReplicaId = reader.ReadInt32();
            ReplicaEpoch = reader.ReadInt64();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(ReplicaId);
            writer.WriteInt64(ReplicaEpoch);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="FetchRequest.Topics"/>.</summary>
    public sealed class FetchTopic : IMessage
    {
        /// <summary>The topic's name (v0-12, ignorable).</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none (v13+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        public List<FetchPartition> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 12;
            if (version <= 12)
                Topic = reader.ReadString(flexible);
            if (version >= 13)
                TopicId = reader.ReadUuid();
            Partitions = reader.ReadArray<FetchPartition>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 12;
            if (version <= 12)
                writer.WriteString(Topic, flexible);
            if (version >= 13)
                writer.WriteUuid(TopicId);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="FetchTopic.Partitions"/>.</summary>
    public sealed class FetchPartition : IMessage
    {
        /// <summary>Partition number.</summary>
        public int Partition { get; set; }

        /// <summary>The leader epoch the sender believes in, to be fenced if it is outdated; -1 not to check (v9+, ignorable).</summary>
        public int CurrentLeaderEpoch { get; set; } = -1;

        /// <summary>First offset wanted.</summary>
        public long FetchOffset { get; set; }

        /// <summary>Leader epoch of the last record the sender has, to detect divergence; -1 not to check (v12+).</summary>
        public int LastFetchedEpoch { get; set; } = -1;

        /// <summary>First offset that the log still has; -1 if unknown (v5+, ignorable).</summary>
        public long LogStartOffset { get; set; } = -1;

        /// <summary>How many bytes this partition may contribute.</summary>
        public int PartitionMaxBytes { get; set; }

        /// <summary>The follower's log directory (v17+, tag 0, ignorable).</summary>
        public Guid ReplicaDirectoryId { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 12;
            Partition = reader.ReadInt32();
            if (version >= 9)
                CurrentLeaderEpoch = reader.ReadInt32();
            FetchOffset = reader.ReadInt64();
            if (version >= 12)
                LastFetchedEpoch = reader.ReadInt32();
            if (version >= 5)
                LogStartOffset = reader.ReadInt64();
            PartitionMaxBytes = reader.ReadInt32();
            if (flexible)
            {
                for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
                {
                    switch (reader.EnterTaggedField(out var outerEnd))
                    {
                        case 0 when version >= 17:
                            ReplicaDirectoryId = reader.ReadUuid();
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
            var flexible = version >= 12;
            writer.WriteInt32(Partition);
            if (version >= 9)
                writer.WriteInt32(CurrentLeaderEpoch);
            writer.WriteInt64(FetchOffset);
            if (version >= 12)
                writer.WriteInt32(LastFetchedEpoch);
            else if (LastFetchedEpoch != -1)
                throw ProtocolException.NotInVersion(nameof(LastFetchedEpoch), version);
            if (version >= 5)
                writer.WriteInt64(LogStartOffset);
            writer.WriteInt32(PartitionMaxBytes);
            if (flexible)
            {
                writer.WriteUnsignedVarint(version >= 17 && ReplicaDirectoryId != Guid.Empty ? 1u : 0u);
                if (version >= 17 && ReplicaDirectoryId != Guid.Empty)
                {
                    var field = writer.BeginTaggedField();
                    field.WriteUuid(ReplicaDirectoryId);
                    writer.EndTaggedField(0);
                }
            }
        }
    }

    /// <summary>One element of <see cref="FetchRequest.ForgottenTopicsData"/> (v7+).</summary>
    public sealed class ForgottenTopic : IMessage
    {
        /// <summary>The topic's name (v7-12, ignorable).</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none (v13+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 12;
            if (version <= 12)
                Topic = reader.ReadString(flexible);
            if (version >= 13)
                TopicId = reader.ReadUuid();
            Partitions = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 12;
            if (version <= 12)
                writer.WriteString(Topic, flexible);
            if (version >= 13)
                writer.WriteUuid(TopicId);
            writer.WriteInt32Array(Partitions, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Record batches, as they are in the log: the first may begin before the offset asked for.</summary>
/// <remarks>
/// Errors worth handling: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNKNOWN_TOPIC_ID,
/// FETCH_SESSION_ID_NOT_FOUND.
/// </remarks>
public sealed class FetchResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Fetch;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 17);

    /// <inheritdoc/>
    public static short FlexibleFrom => 12;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything (v7+, ignorable).</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>Fetch session (KIP-227); 0 for none (v7+).</summary>
    public int SessionId { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<FetchableTopicResponse> Responses { get; set; } = [];

    /// <summary>Addresses of the leaders named in this response (KIP-951) (v16+, tag 0).</summary>
    public List<NodeEndpoint> NodeEndpoints { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(FetchResponse));
        var flexible = version >= 12;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        if (version >= 7)
        {
            ErrorCode = reader.ReadErrorCode();
            SessionId = reader.ReadInt32();
        }

        Responses = reader.ReadArray<FetchableTopicResponse>(version, flexible);
        if (flexible)
        {
            for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
            {
                switch (reader.EnterTaggedField(out var outerEnd))
                {
                    case 0 when version >= 16:
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
        Versions.Require(version, nameof(FetchResponse));
        var flexible = version >= 12;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        if (version >= 7)
            writer.WriteErrorCode(ErrorCode);
        if (version >= 7)
            writer.WriteInt32(SessionId);
        else if (SessionId != 0)
            throw ProtocolException.NotInVersion(nameof(SessionId), version);
        writer.WriteArray(Responses, version, flexible);
        if (flexible)
        {
            writer.WriteUnsignedVarint(version >= 16 && NodeEndpoints is not { Count: 0 } ? 1u : 0u);
            if (version >= 16 && NodeEndpoints is not { Count: 0 })
            {
                var field = writer.BeginTaggedField();
                field.WriteArray(NodeEndpoints, version, compact: true);
                writer.EndTaggedField(0);
            }
        }

        if (version < 16 && NodeEndpoints is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(NodeEndpoints), version);
    }

    /// <summary>One element of <see cref="FetchResponse.Responses"/>.</summary>
    public sealed class FetchableTopicResponse : IMessage
    {
        /// <summary>The topic's name (v0-12, ignorable).</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none (v13+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>The partitions.</summary>
        public List<PartitionData> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 12;
            if (version <= 12)
                Topic = reader.ReadString(flexible);
            if (version >= 13)
                TopicId = reader.ReadUuid();
            Partitions = reader.ReadArray<PartitionData>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 12;
            if (version <= 12)
                writer.WriteString(Topic, flexible);
            if (version >= 13)
                writer.WriteUuid(TopicId);
            writer.WriteArray(Partitions, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="FetchableTopicResponse.Partitions"/>.</summary>
    public sealed class PartitionData : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>Offset after the last record that is safely replicated.</summary>
        public long HighWatermark { get; set; }

        /// <summary>Offset before which every transaction is decided; -1 if unknown (v4+, ignorable).</summary>
        public long LastStableOffset { get; set; } = -1;

        /// <summary>First offset that the log still has; -1 if unknown (v5+, ignorable).</summary>
        public long LogStartOffset { get; set; } = -1;

        /// <summary>Where the sender's log parts from the leader's (v12+, tag 0, null when not sent).</summary>
        public EpochEndOffset? DivergingEpoch { get; set; }

        /// <summary>
        /// Who leads now, sent with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (KIP-951) (v12+, tag 1, null when not sent).
        /// </summary>
        public LeaderIdAndEpoch? CurrentLeader { get; set; }

        /// <summary>The metadata snapshot to fetch instead (v12+, tag 2, null when not sent).</summary>
        public SnapshotId? SnapshotId { get; set; }

        /// <summary>
        /// Aborted transactions that touch the records sent, by first offset; null for read_uncommitted (v4+, nullable, ignorable).
        /// </summary>
        public List<AbortedTransaction>? AbortedTransactions { get; set; } = [];

        /// <summary>Replica the client should read from instead; -1 to stay (v11+).</summary>
        public int PreferredReadReplica { get; set; } = -1;

        /// <summary>
        /// Record batches, back to back; borrowed memory, see <see cref="ProtocolReader"/> and <see cref="ProtocolWriter"/> (nullable).
        /// </summary>
        public ReadOnlyMemory<byte>? Records { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 12;
            PartitionIndex = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            HighWatermark = reader.ReadInt64();
            if (version >= 4)
                LastStableOffset = reader.ReadInt64();
            if (version >= 5)
                LogStartOffset = reader.ReadInt64();
            if (version >= 4)
                AbortedTransactions = reader.ReadNullableArray<AbortedTransaction>(version, flexible);
            if (version >= 11)
                PreferredReadReplica = reader.ReadInt32();
            Records = reader.ReadRecords(flexible);
            if (flexible)
            {
                for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
                {
                    switch (reader.EnterTaggedField(out var outerEnd))
                    {
                        case 0:
                            DivergingEpoch = reader.ReadStruct<EpochEndOffset>(version);
                            break;
                        case 1:
                            CurrentLeader = reader.ReadStruct<LeaderIdAndEpoch>(version);
                            break;
                        case 2:
                            SnapshotId = reader.ReadStruct<SnapshotId>(version);
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
            var flexible = version >= 12;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteInt64(HighWatermark);
            if (version >= 4)
                writer.WriteInt64(LastStableOffset);
            if (version >= 5)
                writer.WriteInt64(LogStartOffset);
            if (version >= 4)
                writer.WriteNullableArray(AbortedTransactions, version, flexible);
            if (version >= 11)
                writer.WriteInt32(PreferredReadReplica);
            else if (PreferredReadReplica != -1)
                throw ProtocolException.NotInVersion(nameof(PreferredReadReplica), version);
            writer.WriteRecords(Records, flexible);
            if (flexible)
            {
                writer.WriteUnsignedVarint(
                    (DivergingEpoch is not null ? 1u : 0u) +
                    (CurrentLeader is not null ? 1u : 0u) +
                    (SnapshotId is not null ? 1u : 0u));
                if (DivergingEpoch is not null)
                {
                    var field = writer.BeginTaggedField();
                    field.WriteStruct(DivergingEpoch, version);
                    writer.EndTaggedField(0);
                }

                if (CurrentLeader is not null)
                {
                    var field = writer.BeginTaggedField();
                    field.WriteStruct(CurrentLeader, version);
                    writer.EndTaggedField(1);
                }

                if (SnapshotId is not null)
                {
                    var field = writer.BeginTaggedField();
                    field.WriteStruct(SnapshotId, version);
                    writer.EndTaggedField(2);
                }
            }

            if (!flexible && DivergingEpoch is not null)
                throw ProtocolException.NotInVersion(nameof(DivergingEpoch), version);

            if (!flexible && CurrentLeader is not null)
                throw ProtocolException.NotInVersion(nameof(CurrentLeader), version);

            if (!flexible && SnapshotId is not null)
                throw ProtocolException.NotInVersion(nameof(SnapshotId), version);
        }
    }

    /// <summary>The content of <see cref="PartitionData.DivergingEpoch"/> (v12+).</summary>
    public sealed class EpochEndOffset : IMessage
    {
        /// <summary>The epoch.</summary>
        public int Epoch { get; set; } = -1;

        /// <summary>Offset after the last record.</summary>
        public long EndOffset { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Epoch = reader.ReadInt32();
            EndOffset = reader.ReadInt64();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(Epoch);
            writer.WriteInt64(EndOffset);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>The content of <see cref="PartitionData.CurrentLeader"/> (v12+).</summary>
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

    /// <summary>The content of <see cref="PartitionData.SnapshotId"/> (v12+).</summary>
    public sealed class SnapshotId : IMessage
    {
        /// <summary>Offset after the last record.</summary>
        public long EndOffset { get; set; } = -1;

        /// <summary>The epoch.</summary>
        public int Epoch { get; set; } = -1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            EndOffset = reader.ReadInt64();
            Epoch = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt64(EndOffset);
            writer.WriteInt32(Epoch);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="PartitionData.AbortedTransactions"/> (v4+).</summary>
    public sealed class AbortedTransaction : IMessage
    {
        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>First offset of the transaction in this partition.</summary>
        public long FirstOffset { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 12;
            ProducerId = reader.ReadInt64();
            FirstOffset = reader.ReadInt64();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 12;
            writer.WriteInt64(ProducerId);
            writer.WriteInt64(FirstOffset);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="FetchResponse.NodeEndpoints"/> (v16+).</summary>
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
