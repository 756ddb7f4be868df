namespace Kafka.Protocol.Messages;

/// <summary>Asks for the configuration of topics, brokers and other resources.</summary>
public sealed class DescribeConfigsRequest : IRequest<DescribeConfigsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeConfigs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>The resources.</summary>
    public List<DescribeConfigsResource> Resources { get; set; } = [];

    /// <summary>Whether to list where a value could come from (v1+).</summary>
    public bool IncludeSynonyms { get; set; }

    /// <summary>Whether to send descriptions (v3+).</summary>
    public bool IncludeDocumentation { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeConfigsRequest));
        var flexible = version >= 4;
        Resources = reader.ReadArray<DescribeConfigsResource>(version, flexible);
        if (version >= 1)
            IncludeSynonyms = reader.ReadBoolean();
        if (version >= 3)
            IncludeDocumentation = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeConfigsRequest));
        var flexible = version >= 4;
        writer.WriteArray(Resources, version, flexible);
        if (version >= 1)
            writer.WriteBoolean(IncludeSynonyms);
        else if (IncludeSynonyms)
            throw ProtocolException.NotInVersion(nameof(IncludeSynonyms), version);
        if (version >= 3)
            writer.WriteBoolean(IncludeDocumentation);
        else if (IncludeDocumentation)
            throw ProtocolException.NotInVersion(nameof(IncludeDocumentation), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeConfigsRequest.Resources"/>.</summary>
    public sealed class DescribeConfigsResource : IMessage
    {
        /// <summary>
        /// Type of the resource (configurations: 2 topic, 4 broker, 8 broker logger; access rules: 2 topic, 3 group, 4 cluster, 5
        /// transactional id).
        /// </summary>
        public sbyte ResourceType { get; set; }

        /// <summary>Name of the resource.</summary>
        public string ResourceName { get; set; } = string.Empty;

        /// <summary>Names wanted; null for all (nullable).</summary>
        public List<string>? ConfigurationKeys { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            ResourceType = reader.ReadInt8();
            ResourceName = reader.ReadString(flexible);
            ConfigurationKeys = reader.ReadNullableStringArray(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteInt8(ResourceType);
            writer.WriteString(ResourceName, flexible);
            writer.WriteNullableStringArray(ConfigurationKeys, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The configurations.</summary>
/// <remarks>Errors worth handling: UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, INVALID_CONFIG.</remarks>
public sealed class DescribeConfigsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeConfigs;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<DescribeConfigsResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeConfigsResponse));
        var flexible = version >= 4;
        ThrottleTimeMs = reader.ReadInt32();
        Results = reader.ReadArray<DescribeConfigsResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeConfigsResponse));
        var flexible = version >= 4;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Results, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeConfigsResponse.Results"/>.</summary>
    public sealed class DescribeConfigsResult : IMessage
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

        /// <summary>The configuration values.</summary>
        public List<DescribeConfigsResourceResult> Configs { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(flexible);
            ResourceType = reader.ReadInt8();
            ResourceName = reader.ReadString(flexible);
            Configs = reader.ReadArray<DescribeConfigsResourceResult>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, flexible);
            writer.WriteInt8(ResourceType);
            writer.WriteString(ResourceName, flexible);
            writer.WriteArray(Configs, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribeConfigsResult.Configs"/>.</summary>
    public sealed class DescribeConfigsResourceResult : IMessage
    {
        /// <summary>The configuration's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The value (nullable).</summary>
        public string? Value { get; set; } = string.Empty;

        /// <summary>Whether it cannot be changed.</summary>
        public bool ReadOnly { get; set; }

        /// <summary>Whether it is the default (v0 only).</summary>
        public bool IsDefault { get; set; }

        /// <summary>
        /// Where the value comes from: 1 topic, 2 dynamic broker, 3 dynamic default broker, 4 static broker, 5 default, 6 dynamic broker
        /// logger (v1+, ignorable).
        /// </summary>
        public sbyte ConfigSource { get; set; } = -1;

        /// <summary>Whether the value is a secret, which is then not sent.</summary>
        public bool IsSensitive { get; set; }

        /// <summary>Where the value could come from, strongest first (v1+, ignorable).</summary>
        public List<DescribeConfigsSynonym> Synonyms { get; set; } = [];

        /// <summary>
        /// 0 unknown, 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password (v3+, ignorable).
        /// </summary>
        public sbyte ConfigType { get; set; }

        /// <summary>The description (v3+, nullable, ignorable).</summary>
        public string? Documentation { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            Name = reader.ReadString(flexible);
            Value = reader.ReadNullableString(flexible);
            ReadOnly = reader.ReadBoolean();
            if (version == 0)
                IsDefault = reader.ReadBoolean();
            if (version >= 1)
                ConfigSource = reader.ReadInt8();
            IsSensitive = reader.ReadBoolean();
            if (version >= 1)
                Synonyms = reader.ReadArray<DescribeConfigsSynonym>(version, flexible);
            if (version >= 3)
            {
                ConfigType = reader.ReadInt8();
                Documentation = reader.ReadNullableString(flexible);
            }

            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(Name, flexible);
            writer.WriteNullableString(Value, flexible);
            writer.WriteBoolean(ReadOnly);
            if (version == 0)
                writer.WriteBoolean(IsDefault);
            else if (IsDefault)
                throw ProtocolException.NotInVersion(nameof(IsDefault), version);
            if (version >= 1)
                writer.WriteInt8(ConfigSource);
            writer.WriteBoolean(IsSensitive);
            if (version >= 1)
                writer.WriteArray(Synonyms, version, flexible);
            if (version >= 3)
            {
                writer.WriteInt8(ConfigType);
                writer.WriteNullableString(Documentation, flexible);
            }

            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribeConfigsResourceResult.Synonyms"/> (v1+).</summary>
    public sealed class DescribeConfigsSynonym : IMessage
    {
        /// <summary>The configuration's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The value (nullable).</summary>
        public string? Value { get; set; } = string.Empty;

        /// <summary>Where the value comes from, see <c>ConfigSource</c>.</summary>
        public sbyte Source { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            Name = reader.ReadString(flexible);
            Value = reader.ReadNullableString(flexible);
            Source = reader.ReadInt8();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(Name, flexible);
            writer.WriteNullableString(Value, flexible);
            writer.WriteInt8(Source);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
