namespace Kafka.Protocol.Messages;

/// <summary>Changes single configuration values and leaves the others alone.</summary>
public sealed class IncrementalAlterConfigsRequest : IRequest<IncrementalAlterConfigsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.IncrementalAlterConfigs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>The resources.</summary>
    public List<AlterConfigsResource> Resources { get; set; } = [];

    /// <summary>Whether to check only and change nothing.</summary>
    public bool ValidateOnly { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(IncrementalAlterConfigsRequest));
        var flexible = version >= 1;
        Resources = reader.ReadArray<AlterConfigsResource>(version, flexible);
        ValidateOnly = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(IncrementalAlterConfigsRequest));
        var flexible = version >= 1;
        writer.WriteArray(Resources, version, flexible);
        writer.WriteBoolean(ValidateOnly);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="IncrementalAlterConfigsRequest.Resources"/>.</summary>
    public sealed class AlterConfigsResource : IMessage
    {
        /// <summary>
        /// Type of the resource (configurations: 2 topic, 4 broker, 8 broker logger; access rules: 2 topic, 3 group, 4 cluster, 5
        /// transactional id).
        /// </summary>
        public sbyte ResourceType { get; set; }

        /// <summary>Name of the resource.</summary>
        public string ResourceName { get; set; } = string.Empty;

        /// <summary>The configuration values.</summary>
        public List<AlterableConfig> Configs { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            ResourceType = reader.ReadInt8();
            ResourceName = reader.ReadString(flexible);
            Configs = reader.ReadArray<AlterableConfig>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteInt8(ResourceType);
            writer.WriteString(ResourceName, flexible);
            writer.WriteArray(Configs, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="AlterConfigsResource.Configs"/>.</summary>
    public sealed class AlterableConfig : IMessage
    {
        /// <summary>The configuration's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>0 set, 1 delete, 2 append, 3 subtract.</summary>
        public sbyte ConfigOperation { get; set; }

        /// <summary>The value (nullable).</summary>
        public string? Value { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Name = reader.ReadString(flexible);
            ConfigOperation = reader.ReadInt8();
            Value = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(Name, flexible);
            writer.WriteInt8(ConfigOperation);
            writer.WriteNullableString(Value, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each resource.</summary>
/// <remarks>Errors worth handling: INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, POLICY_VIOLATION.</remarks>
public sealed class IncrementalAlterConfigsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.IncrementalAlterConfigs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<AlterConfigsResourceResponse> Responses { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(IncrementalAlterConfigsResponse));
        var flexible = version >= 1;
        ThrottleTimeMs = reader.ReadInt32();
        Responses = reader.ReadArray<AlterConfigsResourceResponse>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(IncrementalAlterConfigsResponse));
        var flexible = version >= 1;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Responses, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="IncrementalAlterConfigsResponse.Responses"/>.</summary>
    public sealed class AlterConfigsResourceResponse : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <summary>
        /// Type of the resource (configurations: 2 topic, 4 broker, 8 broker logger; access rules: 2 topic, 3 group, 4 cluster, 5
        /// transactional id).
        /// </summary>
        public sbyte ResourceType { get; set; }

        /// <summary>Name of the resource.</summary>
        public string ResourceName { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(flexible);
            ResourceType = reader.ReadInt8();
            ResourceName = reader.ReadString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, flexible);
            writer.WriteInt8(ResourceType);
            writer.WriteString(ResourceName, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
