namespace Kafka.Protocol.Messages;

/// <summary>Asks for the state of transactions.</summary>
public sealed class DescribeTransactionsRequest : IRequest<DescribeTransactionsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeTransactions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The transactional ids.</summary>
    public List<string> TransactionalIds { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeTransactionsRequest));
        TransactionalIds = reader.ReadStringArray(compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeTransactionsRequest));
        writer.WriteStringArray(TransactionalIds, compact: true);
        writer.WriteNoTaggedFields();
    }
}

/// <summary>The transactions.</summary>
/// <remarks>Errors worth handling: TRANSACTIONAL_ID_NOT_FOUND, NOT_COORDINATOR.</remarks>
public sealed class DescribeTransactionsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeTransactions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The transactions.</summary>
    public List<DescribedTransaction> TransactionStates { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeTransactionsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        TransactionStates = reader.ReadArray<DescribedTransaction>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeTransactionsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(TransactionStates, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeTransactionsResponse.TransactionStates"/>.</summary>
    public sealed class DescribedTransaction : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The producer's <c>transactional.id</c>.</summary>
        public string TransactionalId { get; set; } = string.Empty;

        /// <summary>State by name, such as <c>Ongoing</c>.</summary>
        public string TransactionState { get; set; } = string.Empty;

        /// <summary>The coordinator aborts a transaction open for longer, in milliseconds.</summary>
        public int TransactionTimeoutMs { get; set; }

        /// <summary>Unix milliseconds of the transaction's start; -1 for none.</summary>
        public long TransactionStartTimeMs { get; set; }

        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>Epoch of the producer; -1 for none.</summary>
        public short ProducerEpoch { get; set; }

        /// <summary>The topics.</summary>
        public List<TopicData> Topics { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            ErrorCode = reader.ReadErrorCode();
            TransactionalId = reader.ReadString(compact: true);
            TransactionState = reader.ReadString(compact: true);
            TransactionTimeoutMs = reader.ReadInt32();
            TransactionStartTimeMs = reader.ReadInt64();
            ProducerId = reader.ReadInt64();
            ProducerEpoch = reader.ReadInt16();
            Topics = reader.ReadArray<TopicData>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteErrorCode(ErrorCode);
            writer.WriteString(TransactionalId, compact: true);
            writer.WriteString(TransactionState, compact: true);
            writer.WriteInt32(TransactionTimeoutMs);
            writer.WriteInt64(TransactionStartTimeMs);
            writer.WriteInt64(ProducerId);
            writer.WriteInt16(ProducerEpoch);
            writer.WriteArray(Topics, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribedTransaction.Topics"/>.</summary>
    public sealed class TopicData : IMessage
    {
        /// <summary>The topic's name.</summary>
        public string Topic { get; set; } = string.Empty;

        /// <summary>The partitions.</summary>
        public List<int> Partitions { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Topic = reader.ReadString(compact: true);
            Partitions = reader.ReadInt32Array(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Topic, compact: true);
            writer.WriteInt32Array(Partitions, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
