namespace Kafka.Protocol.Messages;

/// <summary>Chooses a SASL mechanism. After version 0 raw tokens follow, after version 1 SaslAuthenticate requests.</summary>
public sealed class SaslHandshakeRequest : IRequest<SaslHandshakeResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.SaslHandshake;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => VersionRange.Never;

    /// <summary>The SASL mechanism.</summary>
    public string Mechanism { get; set; } = string.Empty;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(SaslHandshakeRequest));
        Mechanism = reader.ReadString(compact: false);
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(SaslHandshakeRequest));
        writer.WriteString(Mechanism, compact: false);
    }
}

/// <summary>Whether the mechanism is offered.</summary>
/// <remarks>Errors worth handling: UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE.</remarks>
public sealed class SaslHandshakeResponse : IApiMessage, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.SaslHandshake;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => VersionRange.Never;

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The SASL mechanisms the broker offers.</summary>
    public List<string> Mechanisms { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(SaslHandshakeResponse));
        ErrorCode = reader.ReadErrorCode();
        Mechanisms = reader.ReadStringArray(compact: false);
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(SaslHandshakeResponse));
        writer.WriteErrorCode(ErrorCode);
        writer.WriteStringArray(Mechanisms, compact: false);
    }
}
