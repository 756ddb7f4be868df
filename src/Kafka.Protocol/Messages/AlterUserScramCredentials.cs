namespace Kafka.Protocol.Messages;

/// <summary>Sets and removes SCRAM credentials.</summary>
public sealed class AlterUserScramCredentialsRequest : IRequest<AlterUserScramCredentialsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterUserScramCredentials;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>Credentials to remove.</summary>
    public List<ScramCredentialDeletion> Deletions { get; set; } = [];

    /// <summary>Credentials to set.</summary>
    public List<ScramCredentialUpsertion> Upsertions { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterUserScramCredentialsRequest));
        Deletions = reader.ReadArray<ScramCredentialDeletion>(version, compact: true);
        Upsertions = reader.ReadArray<ScramCredentialUpsertion>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterUserScramCredentialsRequest));
        writer.WriteArray(Deletions, version, compact: true);
        writer.WriteArray(Upsertions, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AlterUserScramCredentialsRequest.Deletions"/>.</summary>
    public sealed class ScramCredentialDeletion : IMessage
    {
        /// <summary>The user's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>1 SCRAM-SHA-256, 2 SCRAM-SHA-512.</summary>
        public sbyte Mechanism { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Mechanism = reader.ReadInt8();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteInt8(Mechanism);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="AlterUserScramCredentialsRequest.Upsertions"/>.</summary>
    public sealed class ScramCredentialUpsertion : IMessage
    {
        /// <summary>The user's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>1 SCRAM-SHA-256, 2 SCRAM-SHA-512.</summary>
        public sbyte Mechanism { get; set; }

        /// <summary>Number of iterations.</summary>
        public int Iterations { get; set; }

        /// <summary>The salt.</summary>
        public ReadOnlyMemory<byte> Salt { get; set; }

        /// <summary>The salted password.</summary>
        public ReadOnlyMemory<byte> SaltedPassword { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            Mechanism = reader.ReadInt8();
            Iterations = reader.ReadInt32();
            Salt = reader.ReadBytes(compact: true);
            SaltedPassword = reader.ReadBytes(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteInt8(Mechanism);
            writer.WriteInt32(Iterations);
            writer.WriteBytes(Salt, compact: true);
            writer.WriteBytes(SaltedPassword, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each user.</summary>
/// <remarks>Errors worth handling: UNACCEPTABLE_CREDENTIAL, UNSUPPORTED_SASL_MECHANISM, RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE.</remarks>
public sealed class AlterUserScramCredentialsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterUserScramCredentials;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<AlterUserScramCredentialsResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterUserScramCredentialsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        Results = reader.ReadArray<AlterUserScramCredentialsResult>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterUserScramCredentialsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Results, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AlterUserScramCredentialsResponse.Results"/>.</summary>
    public sealed class AlterUserScramCredentialsResult : IMessage
    {
        /// <summary>The user's name.</summary>
        public string User { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            User = reader.ReadString(compact: true);
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(User, compact: true);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
