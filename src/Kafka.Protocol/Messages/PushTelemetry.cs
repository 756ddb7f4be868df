namespace Kafka.Protocol.Messages;

/// <summary>Pushes metrics (KIP-714).</summary>
public sealed class PushTelemetryRequest : IRequest<PushTelemetryResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.PushTelemetry;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The client's id for telemetry; all zero to be given one.</summary>
    public Guid ClientInstanceId { get; set; }

    /// <summary>Identifies the set of metrics wanted.</summary>
    public int SubscriptionId { get; set; }

    /// <summary>Whether the client is closing, so that this is the last push.</summary>
    public bool Terminating { get; set; }

    /// <summary>Codec of <see cref="Metrics"/>: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.</summary>
    public sbyte CompressionType { get; set; }

    /// <summary>OpenTelemetry MetricsData.</summary>
    public ReadOnlyMemory<byte> Metrics { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(PushTelemetryRequest));
        ClientInstanceId = reader.ReadUuid();
        SubscriptionId = reader.ReadInt32();
        Terminating = reader.ReadBoolean();
        CompressionType = reader.ReadInt8();
        Metrics = reader.ReadBytes(compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(PushTelemetryRequest));
        writer.WriteUuid(ClientInstanceId);
        writer.WriteInt32(SubscriptionId);
        writer.WriteBoolean(Terminating);
        writer.WriteInt8(CompressionType);
        writer.WriteBytes(Metrics, compact: true);
        writer.WriteNoTaggedFields();
    }
}

/// <summary>Whether they were taken.</summary>
/// <remarks>Errors worth handling: UNKNOWN_SUBSCRIPTION_ID, TELEMETRY_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE.</remarks>
public sealed class PushTelemetryResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.PushTelemetry;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(PushTelemetryResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(PushTelemetryResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNoTaggedFields();
    }
}
