namespace Kafka.Protocol.Messages;

/// <summary>Keeps a member of a classic group alive.</summary>
public sealed class HeartbeatRequest : IRequest<HeartbeatResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Heartbeat;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>Generation of the group; -1 for none.</summary>
    public int GenerationId { get; set; }

    /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (v3+, nullable).</summary>
    public string? GroupInstanceId { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(HeartbeatRequest));
        var flexible = version >= 4;
        GroupId = reader.ReadString(flexible);
        GenerationId = reader.ReadInt32();
        MemberId = reader.ReadString(flexible);
        if (version >= 3)
            GroupInstanceId = reader.ReadNullableString(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(HeartbeatRequest));
        var flexible = version >= 4;
        writer.WriteString(GroupId, flexible);
        writer.WriteInt32(GenerationId);
        writer.WriteString(MemberId, flexible);
        if (version >= 3)
            writer.WriteNullableString(GroupInstanceId, flexible);
        else if (GroupInstanceId is not null)
            throw ProtocolException.NotInVersion(nameof(GroupInstanceId), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>Whether the membership still holds.</summary>
/// <remarks>Errors worth handling: REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.</remarks>
public sealed class HeartbeatResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.Heartbeat;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(HeartbeatResponse));
        var flexible = version >= 4;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(HeartbeatResponse));
        var flexible = version >= 4;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}
