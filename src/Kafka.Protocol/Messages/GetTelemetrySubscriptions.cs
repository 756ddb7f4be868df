namespace Kafka.Protocol.Messages;

/// <summary>Asks which metrics the broker wants (KIP-714).</summary>
public sealed class GetTelemetrySubscriptionsRequest : IRequest<GetTelemetrySubscriptionsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.GetTelemetrySubscriptions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The client's id for telemetry; all zero to be given one.</summary>
    public Guid ClientInstanceId { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(GetTelemetrySubscriptionsRequest));
        ClientInstanceId = reader.ReadUuid();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(GetTelemetrySubscriptionsRequest));
        writer.WriteUuid(ClientInstanceId);
        writer.WriteNoTaggedFields();
    }
}

/// <summary>The metrics wanted.</summary>
/// <remarks>Errors worth handling: THROTTLING_QUOTA_EXCEEDED, INVALID_REQUEST.</remarks>
public sealed class GetTelemetrySubscriptionsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.GetTelemetrySubscriptions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The client's id for telemetry; all zero to be given one.</summary>
    public Guid ClientInstanceId { get; set; }

    /// <summary>Identifies the set of metrics wanted.</summary>
    public int SubscriptionId { get; set; }

    /// <summary>Codecs accepted, best first: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.</summary>
    public List<sbyte> AcceptedCompressionTypes { get; set; } = [];

    /// <summary>How often to push, in milliseconds.</summary>
    public int PushIntervalMs { get; set; }

    /// <summary>Largest push accepted, in bytes.</summary>
    public int TelemetryMaxBytes { get; set; }

    /// <summary>Whether counters are sent as differences.</summary>
    public bool DeltaTemporality { get; set; }

    /// <summary>Prefixes of the metrics wanted; empty for none, one empty string for all.</summary>
    public List<string> RequestedMetrics { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(GetTelemetrySubscriptionsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ClientInstanceId = reader.ReadUuid();
        SubscriptionId = reader.ReadInt32();
        AcceptedCompressionTypes = reader.ReadInt8Array(compact: true);
        PushIntervalMs = reader.ReadInt32();
        TelemetryMaxBytes = reader.ReadInt32();
        DeltaTemporality = reader.ReadBoolean();
        RequestedMetrics = reader.ReadStringArray(compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(GetTelemetrySubscriptionsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteUuid(ClientInstanceId);
        writer.WriteInt32(SubscriptionId);
        writer.WriteInt8Array(AcceptedCompressionTypes, compact: true);
        writer.WriteInt32(PushIntervalMs);
        writer.WriteInt32(TelemetryMaxBytes);
        writer.WriteBoolean(DeltaTemporality);
        writer.WriteStringArray(RequestedMetrics, compact: true);
        writer.WriteNoTaggedFields();
    }
}
