namespace Kafka.Protocol.Messages;

/// <summary>Commits or aborts the open transaction.</summary>
public sealed class EndTxnRequest : IRequest<EndTxnResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.EndTxn;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>The producer's <c>transactional.id</c>.</summary>
    public string TransactionalId { get; set; } = string.Empty;

    /// <summary>Id of the producer; -1 for none.</summary>
    public long ProducerId { get; set; }

    /// <summary>Epoch of the producer; -1 for none.</summary>
    public short ProducerEpoch { get; set; }

    /// <summary>True to commit, false to abort.</summary>
    public bool Committed { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(EndTxnRequest));
        var flexible = version >= 3;
        TransactionalId = reader.ReadString(flexible);
        ProducerId = reader.ReadInt64();
        ProducerEpoch = reader.ReadInt16();
        Committed = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(EndTxnRequest));
        var flexible = version >= 3;
        writer.WriteString(TransactionalId, flexible);
        writer.WriteInt64(ProducerId);
        writer.WriteInt16(ProducerEpoch);
        writer.WriteBoolean(Committed);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>Whether it worked.</summary>
/// <remarks>Errors worth handling: CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED.</remarks>
public sealed class EndTxnResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.EndTxn;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(EndTxnResponse));
        var flexible = version >= 3;
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(EndTxnResponse));
        var flexible = version >= 3;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}
