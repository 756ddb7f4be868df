namespace Kafka.Protocol.Messages;

/// <summary>Takes a group's offsets into a transaction.</summary>
public sealed class AddOffsetsToTxnRequest : IRequest<AddOffsetsToTxnResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AddOffsetsToTxn;

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

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AddOffsetsToTxnRequest));
        var flexible = version >= 3;
        TransactionalId = reader.ReadString(flexible);
        ProducerId = reader.ReadInt64();
        ProducerEpoch = reader.ReadInt16();
        GroupId = reader.ReadString(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AddOffsetsToTxnRequest));
        var flexible = version >= 3;
        writer.WriteString(TransactionalId, flexible);
        writer.WriteInt64(ProducerId);
        writer.WriteInt16(ProducerEpoch);
        writer.WriteString(GroupId, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>Whether it worked.</summary>
/// <remarks>Errors worth handling: CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED.</remarks>
public sealed class AddOffsetsToTxnResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AddOffsetsToTxn;

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
        Versions.Require(version, nameof(AddOffsetsToTxnResponse));
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
        Versions.Require(version, nameof(AddOffsetsToTxnResponse));
        var flexible = version >= 3;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}
