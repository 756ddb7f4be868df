namespace Kafka.Protocol.Messages;

/// <summary>Asks for the quotas that match a filter.</summary>
public sealed class DescribeClientQuotasRequest : IRequest<DescribeClientQuotasResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeClientQuotas;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>Filters; all must match.</summary>
    public List<ComponentData> Components { get; set; } = [];

    /// <summary>Whether entities with further parts are left out.</summary>
    public bool Strict { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeClientQuotasRequest));
        var flexible = version >= 1;
        Components = reader.ReadArray<ComponentData>(version, flexible);
        Strict = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeClientQuotasRequest));
        var flexible = version >= 1;
        writer.WriteArray(Components, version, flexible);
        writer.WriteBoolean(Strict);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeClientQuotasRequest.Components"/>.</summary>
    public sealed class ComponentData : IMessage
    {
        /// <summary>Type of the entity: <c>user</c>, <c>client-id</c> or <c>ip</c>.</summary>
        public string EntityType { get; set; } = string.Empty;

        /// <summary>0 exactly <see cref="Match"/>, 1 the default, 2 any.</summary>
        public sbyte MatchType { get; set; }

        /// <summary>Name to match (nullable).</summary>
        public string? Match { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            EntityType = reader.ReadString(flexible);
            MatchType = reader.ReadInt8();
            Match = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(EntityType, flexible);
            writer.WriteInt8(MatchType);
            writer.WriteNullableString(Match, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The quotas; null entries on error.</summary>
/// <remarks>Errors worth handling: INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.</remarks>
public sealed class DescribeClientQuotasResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeClientQuotas;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>The entities with their quotas (nullable).</summary>
    public List<EntryData>? Entries { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeClientQuotasResponse));
        var flexible = version >= 1;
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(flexible);
        Entries = reader.ReadNullableArray<EntryData>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeClientQuotasResponse));
        var flexible = version >= 1;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, flexible);
        writer.WriteNullableArray(Entries, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeClientQuotasResponse.Entries"/>.</summary>
    public sealed class EntryData : IMessage
    {
        /// <summary>Parts of the entity.</summary>
        public List<EntityData> Entity { get; set; } = [];

        /// <summary>The quotas.</summary>
        public List<ValueData> Values { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Entity = reader.ReadArray<EntityData>(version, flexible);
            Values = reader.ReadArray<ValueData>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteArray(Entity, version, flexible);
            writer.WriteArray(Values, version, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="EntryData.Entity"/>.</summary>
    public sealed class EntityData : IMessage
    {
        /// <summary>Type of the entity: <c>user</c>, <c>client-id</c> or <c>ip</c>.</summary>
        public string EntityType { get; set; } = string.Empty;

        /// <summary>Name of the entity; null for the default (nullable).</summary>
        public string? EntityName { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            EntityType = reader.ReadString(flexible);
            EntityName = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(EntityType, flexible);
            writer.WriteNullableString(EntityName, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="EntryData.Values"/>.</summary>
    public sealed class ValueData : IMessage
    {
        /// <summary>Name of the quota, such as <c>consumer_byte_rate</c>.</summary>
        public string Key { get; set; } = string.Empty;

        /// <summary>The quota's value.</summary>
        public double Value { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Key = reader.ReadString(flexible);
            Value = reader.ReadFloat64();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(Key, flexible);
            writer.WriteFloat64(Value);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
