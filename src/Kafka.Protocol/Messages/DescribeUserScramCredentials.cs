namespace Kafka.Protocol.Messages;

/// <summary>Asks which SCRAM credentials users have; null users mean all.</summary>
public sealed class DescribeUserScramCredentialsRequest : IRequest<DescribeUserScramCredentialsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeUserScramCredentials;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>The users (nullable).</summary>
    public List<UserName>? Users { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeUserScramCredentialsRequest));
        Users = reader.ReadNullableArray<UserName>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeUserScramCredentialsRequest));
        writer.WriteNullableArray(Users, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeUserScramCredentialsRequest.Users"/>.</summary>
    public sealed class UserName : IMessage
    {
        /// <summary>The user's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The credentials, without secrets.</summary>
/// <remarks>Errors worth handling: RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE.</remarks>
public sealed class DescribeUserScramCredentialsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeUserScramCredentials;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 0);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>One result per item of the request.</summary>
    public List<DescribeUserScramCredentialsResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeUserScramCredentialsResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(compact: true);
        Results = reader.ReadArray<DescribeUserScramCredentialsResult>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeUserScramCredentialsResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, compact: true);
        writer.WriteArray(Results, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeUserScramCredentialsResponse.Results"/>.</summary>
    public sealed class DescribeUserScramCredentialsResult : IMessage
    {
        /// <summary>The user's name.</summary>
        public string User { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <summary>The user's credentials.</summary>
        public List<CredentialInfo> CredentialInfos { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            User = reader.ReadString(compact: true);
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            CredentialInfos = reader.ReadArray<CredentialInfo>(version, compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(User, compact: true);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteArray(CredentialInfos, version, compact: true);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribeUserScramCredentialsResult.CredentialInfos"/>.</summary>
    public sealed class CredentialInfo : IMessage
    {
        /// <summary>1 SCRAM-SHA-256, 2 SCRAM-SHA-512.</summary>
        public sbyte Mechanism { get; set; }

        /// <summary>Number of iterations.</summary>
        public int Iterations { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Mechanism = reader.ReadInt8();
            Iterations = reader.ReadInt32();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt8(Mechanism);
            writer.WriteInt32(Iterations);
            writer.WriteNoTaggedFields();
        }
    }
}
