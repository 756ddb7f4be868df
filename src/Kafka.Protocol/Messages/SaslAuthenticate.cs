namespace Kafka.Protocol.Messages;

/// <summary>Carries one message of the SASL mechanism to the broker.</summary>
public sealed class SaslAuthenticateRequest : IRequest<SaslAuthenticateResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.SaslAuthenticate;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The mechanism's own message.</summary>
    public ReadOnlyMemory<byte> AuthBytes { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(SaslAuthenticateRequest));
        var flexible = version >= 2;
        AuthBytes = reader.ReadBytes(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(SaslAuthenticateRequest));
        var flexible = version >= 2;
        writer.WriteBytes(AuthBytes, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>Carries the mechanism's answer.</summary>
/// <remarks>Errors worth handling: SASL_AUTHENTICATION_FAILED, ILLEGAL_SASL_STATE.</remarks>
public sealed class SaslAuthenticateResponse : IApiMessage, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.SaslAuthenticate;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>The mechanism's own message.</summary>
    public ReadOnlyMemory<byte> AuthBytes { get; set; }

    /// <summary>After this long (milliseconds) the client has to authenticate again; 0 for never (v1+, ignorable).</summary>
    public long SessionLifetimeMs { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(SaslAuthenticateResponse));
        var flexible = version >= 2;
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(flexible);
        AuthBytes = reader.ReadBytes(flexible);
        if (version >= 1)
            SessionLifetimeMs = reader.ReadInt64();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(SaslAuthenticateResponse));
        var flexible = version >= 2;
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, flexible);
        writer.WriteBytes(AuthBytes, flexible);
        if (version >= 1)
            writer.WriteInt64(SessionLifetimeMs);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}
