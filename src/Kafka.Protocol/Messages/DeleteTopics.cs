namespace Kafka.Protocol.Messages;

/// <summary>Deletes topics, by name or from version 6 by id.</summary>
public sealed class DeleteTopicsRequest : IRequest<DeleteTopicsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DeleteTopics;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 6);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>The topics (v6+).</summary>
    public List<DeleteTopicState> Topics { get; set; } = [];

    /// <summary>The topics' names (v0-5, ignorable).</summary>
    public List<string> TopicNames { get; set; } = [];

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DeleteTopicsRequest));
        var flexible = version >= 4;
        if (version >= 6)
            Topics = reader.ReadArray<DeleteTopicState>(version, flexible);
        if (version <= 5)
            TopicNames = reader.ReadStringArray(flexible);
        TimeoutMs = reader.ReadInt32();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DeleteTopicsRequest));
        var flexible = version >= 4;
        if (version >= 6)
            writer.WriteArray(Topics, version, flexible);
        else if (Topics is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Topics), version);
        if (version <= 5)
            writer.WriteStringArray(TopicNames, flexible);
        writer.WriteInt32(TimeoutMs);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DeleteTopicsRequest.Topics"/> (v6+).</summary>
    public sealed class DeleteTopicState : IMessage
    {
        /// <summary>The topic's name (nullable).</summary>
        public string? Name { get; set; }

        /// <summary>The topic's id; all zero for none.</summary>
        public Guid TopicId { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadNullableString(compact: true);
            TopicId = reader.ReadUuid();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteNullableString(Name, compact: true);
            writer.WriteUuid(TopicId);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each topic.</summary>
/// <remarks>Errors worth handling: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, TOPIC_DELETION_DISABLED, NOT_CONTROLLER.</remarks>
public sealed class DeleteTopicsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DeleteTopics;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 6);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<DeletableTopicResult> Responses { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DeleteTopicsResponse));
        var flexible = version >= 4;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        Responses = reader.ReadArray<DeletableTopicResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DeleteTopicsResponse));
        var flexible = version >= 4;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Responses, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DeleteTopicsResponse.Responses"/>.</summary>
    public sealed class DeletableTopicResult : IMessage
    {
        /// <summary>The topic's name (nullable v6+).</summary>
        public string? Name { get; set; } = string.Empty;

        /// <summary>The topic's id; all zero for none (v6+, ignorable).</summary>
        public Guid TopicId { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (v5+, nullable, ignorable).</summary>
        public string? ErrorMessage { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            Name = version >= 6 ? reader.ReadNullableString(flexible) : reader.ReadString(flexible);
            if (version >= 6)
                TopicId = reader.ReadUuid();
            ErrorCode = reader.ReadErrorCode();
            if (version >= 5)
                ErrorMessage = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            if (version >= 6)
                writer.WriteNullableString(Name, flexible);
            else
                writer.WriteString(Name, flexible);
            if (version >= 6)
                writer.WriteUuid(TopicId);
            writer.WriteErrorCode(ErrorCode);
            if (version >= 5)
                writer.WriteNullableString(ErrorMessage, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
