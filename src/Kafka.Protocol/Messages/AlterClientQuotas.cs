namespace Kafka.Protocol.Messages;

/// <summary>Changes quotas.</summary>
public sealed class AlterClientQuotasRequest : IRequest<AlterClientQuotasResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterClientQuotas;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>The entities with their quotas.</summary>
    public List<EntryData> Entries { get; set; } = [];

    /// <summary>Whether to check only and change nothing.</summary>
    public bool ValidateOnly { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterClientQuotasRequest));
        var flexible = version >= 1;
        Entries = reader.ReadArray<EntryData>(version, flexible);
        ValidateOnly = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterClientQuotasRequest));
        var flexible = version >= 1;
        writer.WriteArray(Entries, version, flexible);
        writer.WriteBoolean(ValidateOnly);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AlterClientQuotasRequest.Entries"/>.</summary>
    public sealed class EntryData : IMessage
    {
        /// <summary>Parts of the entity.</summary>
        public List<EntityData> Entity { get; set; } = [];

        /// <summary>The changes.</summary>
        public List<OpData> Ops { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Entity = reader.ReadArray<EntityData>(version, flexible);
            Ops = reader.ReadArray<OpData>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteArray(Entity, version, flexible);
            writer.WriteArray(Ops, version, flexible);
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

    /// <summary>One element of <see cref="EntryData.Ops"/>.</summary>
    public sealed class OpData : IMessage
    {
        /// <summary>Name of the quota, such as <c>consumer_byte_rate</c>.</summary>
        public string Key { get; set; } = string.Empty;

        /// <summary>The quota's value.</summary>
        public double Value { get; set; }

        /// <summary>Whether to remove it instead of setting it.</summary>
        public bool Remove { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            Key = reader.ReadString(flexible);
            Value = reader.ReadFloat64();
            Remove = reader.ReadBoolean();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteString(Key, flexible);
            writer.WriteFloat64(Value);
            writer.WriteBoolean(Remove);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each entity.</summary>
/// <remarks>Errors worth handling: INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.</remarks>
public sealed class AlterClientQuotasResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.AlterClientQuotas;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 1;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The entities with their quotas.</summary>
    public List<EntryData> Entries { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(AlterClientQuotasResponse));
        var flexible = version >= 1;
        ThrottleTimeMs = reader.ReadInt32();
        Entries = reader.ReadArray<EntryData>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(AlterClientQuotasResponse));
        var flexible = version >= 1;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Entries, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="AlterClientQuotasResponse.Entries"/>.</summary>
    public sealed class EntryData : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <summary>Parts of the entity.</summary>
        public List<EntityData> Entity { get; set; } = [];

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 1;
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(flexible);
            Entity = reader.ReadArray<EntityData>(version, flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 1;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, flexible);
            writer.WriteArray(Entity, version, flexible);
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
}
