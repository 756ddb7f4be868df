namespace Kafka.Protocol.Messages;

/// <summary>Asks for the transactions a broker coordinates.</summary>
public sealed class ListTransactionsRequest : IRequest<ListTransactionsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListTransactions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>Only these states; empty for all.</summary>
    public List<string> StateFilters { get; set; } = [];

    /// <summary>Only these producer ids; empty for all.</summary>
    public List<long> ProducerIdFilters { get; set; } = [];

    /// <summary>Only transactions open for longer, in milliseconds; -1 for all (v1+).</summary>
    public long DurationFilter { get; set; } = -1;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListTransactionsRequest));
        StateFilters = reader.ReadStringArray(compact: true);
        ProducerIdFilters = reader.ReadInt64Array(compact: true);
        if (version >= 1)
            DurationFilter = reader.ReadInt64();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListTransactionsRequest));
        writer.WriteStringArray(StateFilters, compact: true);
        writer.WriteInt64Array(ProducerIdFilters, compact: true);
        if (version >= 1)
            writer.WriteInt64(DurationFilter);
        else if (DurationFilter != -1)
            throw ProtocolException.NotInVersion(nameof(DurationFilter), version);
        writer.WriteNoTaggedFields();
    }
}

/// <summary>The transactions.</summary>
/// <remarks>Errors worth handling: COORDINATOR_LOAD_IN_PROGRESS.</remarks>
public sealed class ListTransactionsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListTransactions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>State filters that the broker does not know.</summary>
    public List<string> UnknownStateFilters { get; set; } = [];

    /// <summary>The transactions.</summary>
    public List<ListedTransaction> TransactionStates { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListTransactionsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        UnknownStateFilters = reader.ReadStringArray(compact: true);
        TransactionStates = reader.ReadArray<ListedTransaction>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListTransactionsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteStringArray(UnknownStateFilters, compact: true);
        writer.WriteArray(TransactionStates, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ListTransactionsResponse.TransactionStates"/>.</summary>
    public sealed class ListedTransaction : IMessage
    {
        /// <summary>The producer's <c>transactional.id</c>.</summary>
        public string TransactionalId { get; set; } = string.Empty;

        /// <summary>Id of the producer; -1 for none.</summary>
        public long ProducerId { get; set; }

        /// <summary>State by name, such as <c>Ongoing</c>.</summary>
        public string TransactionState { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            TransactionalId = reader.ReadString(compact: true);
            ProducerId = reader.ReadInt64();
            TransactionState = reader.ReadString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(TransactionalId, compact: true);
            writer.WriteInt64(ProducerId);
            writer.WriteString(TransactionState, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
