namespace Kafka.Protocol.Messages;

/// <summary>Takes partitions into a transaction. Versions 4 and 5 are between brokers and take several transactions.</summary>
public sealed class AddPartitionsToTxnRequest : IRequest<AddPartitionsToTxnResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AddPartitionsToTxn;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>The transactions (v4+).</summary>
    public List<AddPartitionsToTxnTransaction> Transactions { get; set; } = [];

    /// <summary>The producer's <c>transactional.id</c> (v0-3).</summary>
    public string V3AndBelowTransactionalId { get; set; } = string.Empty;

    /// <summary>Id of the producer (v0-3).</summary>
    public long V3AndBelowProducerId { get; set; }

    /// <summary>Epoch of the producer (v0-3).</summary>
    public short V3AndBelowProducerEpoch { get; set; }

    /// <summary>Partitions to add, by topic (v0-3).</summary>
    public List<AddPartitionsToTxnTopic> V3AndBelowTopics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AddPartitionsToTxnRequest));
        var flexible = version >= 3;
        if (version >= 4)
            Transactions = reader.ReadArray<AddPartitionsToTxnTransaction>(version, flexible);
        if (version <= 3)
        {
            V3AndBelowTransactionalId = reader.ReadString(flexible);
            V3AndBelowProducerId = reader.ReadInt64();
            V3AndBelowProducerEpoch = reader.ReadInt16();
            V3AndBelowTopics = reader.ReadArray<AddPartitionsToTxnTopic>(version, flexible);
        }

        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AddPartitionsToTxnRequest));
        var flexible = version >= 3;
        if (version >= 4)
            writer.WriteArray(Transactions, version, flexible);
        else if (Transactions is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Transactions), version);
        if (version <= 3)
            writer.WriteString(V3AndBelowTransactionalId, flexible);
        else if (V3AndBelowTransactionalId is not { Length: 0 })
            throw ProtocolException.NotInVersion(nameof(V3AndBelowTransactionalId), version);
        if (version <= 3)
            writer.WriteInt64(V3AndBelowProducerId);
        else if (V3AndBelowProducerId != 0)
            throw ProtocolException.NotInVersion(nameof(V3AndBelowProducerId), version);
        if (version <= 3)
            writer.WriteInt16(V3AndBelowProducerEpoch);
        else if (V3AndBelowProducerEpoch != 0)
            throw ProtocolException.NotInVersion(nameof(V3AndBelowProducerEpoch), version);
        if (version <= 3)
            writer.WriteArray(V3AndBelowTopics, version, flexible);
        else if (V3AndBelowTopics is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(V3AndBelowTopics), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AddPartitionsToTxnRequest.Transactions"/> (v4+).</summary>
    public sealed class AddPartitionsToTxnTransaction : IMessage
    {
        /// <summary>The producer's <c>transactional.id</c>.</summary>
        public string TransactionalId { get; set; } = string.Empty;

        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>Epoch of the producer; -1 for none.</summary>
        public short ProducerEpoch { get; set; }

        /// <summary>Whether only to check that the partitions are already in.</summary>
        public bool VerifyOnly { get; set; }

        /// <summary>The topics.</summary>
        public List<AddPartitionsToTxnTopic> Topics { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TransactionalId = reader.ReadString(compact: true);
            ProducerId = reader.ReadInt64();
            ProducerEpoch = reader.ReadInt16();
            VerifyOnly = reader.ReadBoolean();
            Topics = reader.ReadArray<AddPartitionsToTxnTopic>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(TransactionalId, compact: true);
            writer.WriteInt64(ProducerId);
            writer.WriteInt16(ProducerEpoch);
            writer.WriteBoolean(VerifyOnly);
            writer.WriteArray(Topics, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>
    /// One element of <see cref="AddPartitionsToTxnRequest.V3AndBelowTopics"/> and <see cref="AddPartitionsToTxnTransaction.Topics"/>.
    /// </summary>
    public sealed class AddPartitionsToTxnTopic : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            Name = reader.ReadString(flexible);
            Partitions = reader.ReadInt32Array(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteString(Name, flexible);
            writer.WriteInt32Array(Partitions, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each partition.</summary>
/// <remarks>
/// Errors worth handling: CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED,
/// OPERATION_NOT_ATTEMPTED.
/// </remarks>
public sealed class AddPartitionsToTxnResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AddPartitionsToTxn;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything (v4+, ignorable).</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>Results by transactional id (v4+).</summary>
    public List<AddPartitionsToTxnResult> ResultsByTransaction { get; set; } = [];

    /// <summary>Results by topic (v0-3).</summary>
    public List<AddPartitionsToTxnTopicResult> ResultsByTopicV3AndBelow { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AddPartitionsToTxnResponse));
        var flexible = version >= 3;
        ThrottleTimeMs = reader.ReadInt32();
        if (version >= 4)
        {
            ErrorCode = reader.ReadErrorCode();
            ResultsByTransaction = reader.ReadArray<AddPartitionsToTxnResult>(version, flexible);
        }

        if (version <= 3)
            ResultsByTopicV3AndBelow = reader.ReadArray<AddPartitionsToTxnTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AddPartitionsToTxnResponse));
        var flexible = version >= 3;
        writer.WriteInt32(ThrottleTimeMs);
        if (version >= 4)
            writer.WriteErrorCode(ErrorCode);
        if (version >= 4)
            writer.WriteArray(ResultsByTransaction, version, flexible);
        else if (ResultsByTransaction is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(ResultsByTransaction), version);
        if (version <= 3)
            writer.WriteArray(ResultsByTopicV3AndBelow, version, flexible);
        else if (ResultsByTopicV3AndBelow is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(ResultsByTopicV3AndBelow), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AddPartitionsToTxnResponse.ResultsByTransaction"/> (v4+).</summary>
    public sealed class AddPartitionsToTxnResult : IMessage
    {
        /// <summary>The producer's <c>transactional.id</c>.</summary>
        public string TransactionalId { get; set; } = string.Empty;

        /// <summary>Results by topic.</summary>
        public List<AddPartitionsToTxnTopicResult> TopicResults { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TransactionalId = reader.ReadString(compact: true);
            TopicResults = reader.ReadArray<AddPartitionsToTxnTopicResult>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(TransactionalId, compact: true);
            writer.WriteArray(TopicResults, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>
    /// One element of <see cref="AddPartitionsToTxnResponse.ResultsByTopicV3AndBelow"/> and
    /// <see cref="AddPartitionsToTxnResult.TopicResults"/>.
    /// </summary>
    public sealed class AddPartitionsToTxnTopicResult : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Results by partition.</summary>
        public List<AddPartitionsToTxnPartitionResult> ResultsByPartition { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            Name = reader.ReadString(flexible);
            ResultsByPartition = reader.ReadArray<AddPartitionsToTxnPartitionResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteString(Name, flexible);
            writer.WriteArray(ResultsByPartition, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="AddPartitionsToTxnTopicResult.ResultsByPartition"/>.</summary>
    public sealed class AddPartitionsToTxnPartitionResult : IMessage
    {
        /// <summary>Partition number.</summary>
        public int PartitionIndex { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode PartitionErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            PartitionIndex = reader.ReadInt32();
            PartitionErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteInt32(PartitionIndex);
            writer.WriteErrorCode(PartitionErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
