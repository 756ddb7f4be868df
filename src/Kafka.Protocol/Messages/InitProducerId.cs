namespace Kafka.Protocol.Messages;

/// <summary>Gets a producer id and epoch. With a transactional id it ends what an earlier producer left open and fences it.</summary>
public sealed class InitProducerIdRequest : IRequest<InitProducerIdResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.InitProducerId;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The producer's <c>transactional.id</c> (nullable).</summary>
    public string? TransactionalId { get; set; } = string.Empty;

    /// <summary>The coordinator aborts a transaction open for longer, in milliseconds.</summary>
    public int TransactionTimeoutMs { get; set; }

    /// <summary>Id of the producer; -1 for none (v3+).</summary>
    public long ProducerId { get; set; } = -1;

    /// <summary>Epoch of the producer; -1 for none (v3+).</summary>
    public short ProducerEpoch { get; set; } = -1;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(InitProducerIdRequest));
        var flexible = version >= 2;
        TransactionalId = reader.ReadNullableString(flexible);
        TransactionTimeoutMs = reader.ReadInt32();
        if (version >= 3)
        {
            ProducerId = reader.ReadInt64();
            ProducerEpoch = reader.ReadInt16();
        }

        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(InitProducerIdRequest));
        var flexible = version >= 2;
        writer.WriteNullableString(TransactionalId, flexible);
        writer.WriteInt32(TransactionTimeoutMs);
        if (version >= 3)
            writer.WriteInt64(ProducerId);
        else if (ProducerId != -1)
            throw ProtocolException.NotInVersion(nameof(ProducerId), version);
        if (version >= 3)
            writer.WriteInt16(ProducerEpoch);
        else if (ProducerEpoch != -1)
            throw ProtocolException.NotInVersion(nameof(ProducerEpoch), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>The producer id and epoch to use.</summary>
/// <remarks>Errors worth handling: CONCURRENT_TRANSACTIONS, INVALID_TRANSACTION_TIMEOUT, PRODUCER_FENCED, INVALID_PRODUCER_EPOCH.</remarks>
public sealed class InitProducerIdResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.InitProducerId;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>Id of the producer; -1 for none.</summary>
    public long ProducerId { get; set; } = -1;

    /// <summary>Epoch of the producer; -1 for none.</summary>
    public short ProducerEpoch { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(InitProducerIdResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ProducerId = reader.ReadInt64();
        ProducerEpoch = reader.ReadInt16();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(InitProducerIdResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteInt64(ProducerId);
        writer.WriteInt16(ProducerEpoch);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}
