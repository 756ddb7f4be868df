namespace Kafka.Protocol.Messages;

/// <summary>Asks for the access rules that match a filter.</summary>
public sealed class DescribeAclsRequest : IRequest<DescribeAclsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeAcls;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>Resource type: 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.</summary>
    public sbyte ResourceTypeFilter { get; set; }

    /// <summary>Resource name; null for any (nullable).</summary>
    public string? ResourceNameFilter { get; set; } = string.Empty;

    /// <summary>Pattern type: 1 any, 2 match, 3 literal, 4 prefixed (v1+).</summary>
    public sbyte PatternTypeFilter { get; set; } = 3;

    /// <summary>Principal such as <c>User:alice</c>; null for any (nullable).</summary>
    public string? PrincipalFilter { get; set; } = string.Empty;

    /// <summary>Host; null for any (nullable).</summary>
    public string? HostFilter { get; set; } = string.Empty;

    /// <summary>
    /// Operation: 1 any, 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, 11 alter
    /// configs, 12 idempotent write.
    /// </summary>
    public sbyte Operation { get; set; }

    /// <summary>1 any, 2 deny, 3 allow.</summary>
    public sbyte PermissionType { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeAclsRequest));
        var flexible = version >= 2;
        ResourceTypeFilter = reader.ReadInt8();
        ResourceNameFilter = reader.ReadNullableString(flexible);
        if (version >= 1)
            PatternTypeFilter = reader.ReadInt8();
        PrincipalFilter = reader.ReadNullableString(flexible);
        HostFilter = reader.ReadNullableString(flexible);
        Operation = reader.ReadInt8();
        PermissionType = reader.ReadInt8();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeAclsRequest));
        var flexible = version >= 2;
        writer.WriteInt8(ResourceTypeFilter);
        writer.WriteNullableString(ResourceNameFilter, flexible);
        if (version >= 1)
            writer.WriteInt8(PatternTypeFilter);
        else if (PatternTypeFilter != 3)
            throw ProtocolException.NotInVersion(nameof(PatternTypeFilter), version);
        writer.WriteNullableString(PrincipalFilter, flexible);
        writer.WriteNullableString(HostFilter, flexible);
        writer.WriteInt8(Operation);
        writer.WriteInt8(PermissionType);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>The rules, by resource.</summary>
/// <remarks>Errors worth handling: SECURITY_DISABLED, CLUSTER_AUTHORIZATION_FAILED.</remarks>
public sealed class DescribeAclsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeAcls;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 3);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>The resources.</summary>
    public List<DescribeAclsResource> Resources { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeAclsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(flexible);
        Resources = reader.ReadArray<DescribeAclsResource>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeAclsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, flexible);
        writer.WriteArray(Resources, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeAclsResponse.Resources"/>.</summary>
    public sealed class DescribeAclsResource : IMessage
    {
        /// <summary>
        /// Type of the resource (configurations: 2 topic, 4 broker, 8 broker logger; access rules: 2 topic, 3 group, 4 cluster, 5
        /// transactional id).
        /// </summary>
        public sbyte ResourceType { get; set; }

        /// <summary>Name of the resource.</summary>
        public string ResourceName { get; set; } = string.Empty;

        /// <summary>3 literal, 4 prefixed (v1+).</summary>
        public sbyte PatternType { get; set; } = 3;

        /// <summary>The access rules.</summary>
        public List<AclDescription> Acls { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            ResourceType = reader.ReadInt8();
            ResourceName = reader.ReadString(flexible);
            if (version >= 1)
                PatternType = reader.ReadInt8();
            Acls = reader.ReadArray<AclDescription>(version, flexible);
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
                writer.WriteInt8(PatternType);
            else if (PatternType != 3)
                throw ProtocolException.NotInVersion(nameof(PatternType), version);
            writer.WriteArray(Acls, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribeAclsResource.Acls"/>.</summary>
    public sealed class AclDescription : IMessage
    {
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
            writer.WriteString(Principal, flexible);
            writer.WriteString(Host, flexible);
            writer.WriteInt8(Operation);
            writer.WriteInt8(PermissionType);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
