namespace Kafka.Protocol.Messages;

/// <summary>Adds access rules.</summary>
public sealed class CreateAclsRequest : IRequest<CreateAclsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.CreateAcls;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The rules to add.</summary>
    public List<AclCreation> Creations { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(CreateAclsRequest));
        var flexible = version >= 2;
        Creations = reader.ReadArray<AclCreation>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(CreateAclsRequest));
        var flexible = version >= 2;
        writer.WriteArray(Creations, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="CreateAclsRequest.Creations"/>.</summary>
    public sealed class AclCreation : IMessage
    {
        /// <summary>
        /// Type of the resource (configurations: 2 topic, 4 broker, 8 broker logger; access rules: 2 topic, 3 group, 4 cluster, 5
        /// transactional id).
        /// </summary>
        public sbyte ResourceType { get; set; }

        /// <summary>Name of the resource.</summary>
        public string ResourceName { get; set; } = string.Empty;

        /// <summary>3 literal, 4 prefixed (v1+).</summary>
        public sbyte ResourcePatternType { get; set; } = 3;

        /// <summary>Whom the rule is about, such as <c>User:alice</c>.</summary>
        public string Principal { get; set; } = string.Empty;

        /// <summary>Host name or address.</summary>
        public string Host { get; set; } = string.Empty;

        /// <summary>
        /// Operation: 1 any, 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, 11
        /// alter configs, 12 idempotent write.
        /// </summary>
        public sbyte Operation { get; set; }

        /// <summary>1 any, 2 deny, 3 allow.</summary>
        public sbyte PermissionType { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            ResourceType = reader.ReadInt8();
            ResourceName = reader.ReadString(flexible);
            if (version >= 1)
                ResourcePatternType = reader.ReadInt8();
            Principal = reader.ReadString(flexible);
            Host = reader.ReadString(flexible);
            Operation = reader.ReadInt8();
            PermissionType = reader.ReadInt8();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteInt8(ResourceType);
            writer.WriteString(ResourceName, flexible);
            if (version >= 1)
                writer.WriteInt8(ResourcePatternType);
            else if (ResourcePatternType != 3)
                throw ProtocolException.NotInVersion(nameof(ResourcePatternType), version);
            writer.WriteString(Principal, flexible);
            writer.WriteString(Host, flexible);
            writer.WriteInt8(Operation);
            writer.WriteInt8(PermissionType);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each rule.</summary>
/// <remarks>Errors worth handling: SECURITY_DISABLED, INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.</remarks>
public sealed class CreateAclsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.CreateAcls;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<AclCreationResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(CreateAclsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        Results = reader.ReadArray<AclCreationResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(CreateAclsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Results, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="CreateAclsResponse.Results"/>.</summary>
    public sealed class AclCreationResult : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
