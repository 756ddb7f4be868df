namespace Kafka.Protocol.Messages;

/// <summary>Hands in the assignment (the leader) and waits for one's own (everybody).</summary>
public sealed class SyncGroupRequest : IRequest<SyncGroupResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.SyncGroup;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

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

    /// <summary>What kind of group it is, such as <c>consumer</c> (v5+, nullable, ignorable).</summary>
    public string? ProtocolType { get; set; }

    /// <summary>The assignor chosen (v5+, nullable, ignorable).</summary>
    public string? ProtocolName { get; set; }

    /// <summary>What is assigned.</summary>
    public List<SyncGroupRequestAssignment> Assignments { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(SyncGroupRequest));
        var flexible = version >= 4;
        GroupId = reader.ReadString(flexible);
        GenerationId = reader.ReadInt32();
        MemberId = reader.ReadString(flexible);
        if (version >= 3)
            GroupInstanceId = reader.ReadNullableString(flexible);
        if (version >= 5)
        {
            ProtocolType = reader.ReadNullableString(flexible);
            ProtocolName = reader.ReadNullableString(flexible);
        }

        Assignments = reader.ReadArray<SyncGroupRequestAssignment>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(SyncGroupRequest));
        var flexible = version >= 4;
        writer.WriteString(GroupId, flexible);
        writer.WriteInt32(GenerationId);
        writer.WriteString(MemberId, flexible);
        if (version >= 3)
            writer.WriteNullableString(GroupInstanceId, flexible);
        else if (GroupInstanceId is not null)
            throw ProtocolException.NotInVersion(nameof(GroupInstanceId), version);
        if (version >= 5)
        {
            writer.WriteNullableString(ProtocolType, flexible);
            writer.WriteNullableString(ProtocolName, flexible);
        }

        writer.WriteArray(Assignments, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="SyncGroupRequest.Assignments"/>.</summary>
    public sealed class SyncGroupRequestAssignment : IMessage
    {
        /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
        public string MemberId { get; set; } = string.Empty;

        /// <summary>The member's assignment.</summary>
        public ReadOnlyMemory<byte> Assignment { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            MemberId = reader.ReadString(flexible);
            Assignment = reader.ReadBytes(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(MemberId, flexible);
            writer.WriteBytes(Assignment, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>The member's assignment.</summary>
/// <remarks>Errors worth handling: REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, INCONSISTENT_GROUP_PROTOCOL.</remarks>
public sealed class SyncGroupResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.SyncGroup;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What kind of group it is, such as <c>consumer</c> (v5+, nullable, ignorable).</summary>
    public string? ProtocolType { get; set; }

    /// <summary>The assignor chosen (v5+, nullable, ignorable).</summary>
    public string? ProtocolName { get; set; }

    /// <summary>The member's assignment.</summary>
    public ReadOnlyMemory<byte> Assignment { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(SyncGroupResponse));
        var flexible = version >= 4;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        if (version >= 5)
        {
            ProtocolType = reader.ReadNullableString(flexible);
            ProtocolName = reader.ReadNullableString(flexible);
        }

        Assignment = reader.ReadBytes(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(SyncGroupResponse));
        var flexible = version >= 4;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        if (version >= 5)
        {
            writer.WriteNullableString(ProtocolType, flexible);
            writer.WriteNullableString(ProtocolName, flexible);
        }

        writer.WriteBytes(Assignment, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}
