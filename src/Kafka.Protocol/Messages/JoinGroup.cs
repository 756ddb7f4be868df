namespace Kafka.Protocol.Messages;

/// <summary>Joins a classic group or comes back in a rebalance. Answered when all members have come, or time is up.</summary>
public sealed class JoinGroupRequest : IRequest<JoinGroupResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.JoinGroup;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 6;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>Without a heartbeat for this long (milliseconds) the member is removed.</summary>
    public int SessionTimeoutMs { get; set; }

    /// <summary>
    /// How long a rebalance may wait for this member, in milliseconds; -1 for the session timeout or for "unchanged" (v1+, ignorable).
    /// </summary>
    public int RebalanceTimeoutMs { get; set; } = -1;

    /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (v5+, nullable).</summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>What kind of group it is, such as <c>consumer</c>.</summary>
    public string ProtocolType { get; set; } = string.Empty;

    /// <summary>Assignors the member supports with its subscription for each, best first.</summary>
    public List<JoinGroupRequestProtocol> Protocols { get; set; } = [];

    /// <summary>Why, for the broker's log (KIP-800) (v8+, nullable, ignorable).</summary>
    public string? Reason { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(JoinGroupRequest));
        var flexible = version >= 6;
        GroupId = reader.ReadString(flexible);
        SessionTimeoutMs = reader.ReadInt32();
        if (version >= 1)
            RebalanceTimeoutMs = reader.ReadInt32();
        MemberId = reader.ReadString(flexible);
        if (version >= 5)
            GroupInstanceId = reader.ReadNullableString(flexible);
        ProtocolType = reader.ReadString(flexible);
        Protocols = reader.ReadArray<JoinGroupRequestProtocol>(version, flexible);
        if (version >= 8)
            Reason = reader.ReadNullableString(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(JoinGroupRequest));
        var flexible = version >= 6;
        writer.WriteString(GroupId, flexible);
        writer.WriteInt32(SessionTimeoutMs);
        if (version >= 1)
            writer.WriteInt32(RebalanceTimeoutMs);
        writer.WriteString(MemberId, flexible);
        if (version >= 5)
            writer.WriteNullableString(GroupInstanceId, flexible);
        else if (GroupInstanceId is not null)
            throw ProtocolException.NotInVersion(nameof(GroupInstanceId), version);
        writer.WriteString(ProtocolType, flexible);
        writer.WriteArray(Protocols, version, flexible);
        if (version >= 8)
            writer.WriteNullableString(Reason, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="JoinGroupRequest.Protocols"/>.</summary>
    public sealed class JoinGroupRequestProtocol : IMessage
    {
        /// <summary>The assignor's name.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>The client's own data, kept as it is.</summary>
        public ReadOnlyMemory<byte> Metadata { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            Name = reader.ReadString(flexible);
            Metadata = reader.ReadBytes(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteString(Name, flexible);
            writer.WriteBytes(Metadata, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Membership of the new generation; the leader also gets the members' subscriptions.</summary>
/// <remarks>
/// Errors worth handling: MEMBER_ID_REQUIRED (the answer then has the id to use), UNKNOWN_MEMBER_ID, INCONSISTENT_GROUP_PROTOCOL,
/// INVALID_SESSION_TIMEOUT, FENCED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED.
/// </remarks>
public sealed class JoinGroupResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.JoinGroup;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 9);

    /// <inheritdoc/>
    public static short FlexibleFrom => 6;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v2+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>Generation of the group; -1 for none.</summary>
    public int GenerationId { get; set; } = -1;

    /// <summary>What kind of group it is, such as <c>consumer</c> (v7+, nullable, ignorable).</summary>
    public string? ProtocolType { get; set; }

    /// <summary>The assignor chosen (nullable v7+).</summary>
    public string? ProtocolName { get; set; } = string.Empty;

    /// <summary>Member id of the member that computes the assignment.</summary>
    public string Leader { get; set; } = string.Empty;

    /// <summary>Whether the leader shall not compute an assignment (KIP-814) (v9+).</summary>
    public bool SkipAssignment { get; set; }

    /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The members.</summary>
    public List<JoinGroupResponseMember> Members { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(JoinGroupResponse));
        var flexible = version >= 6;
        if (version >= 2)
            ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        GenerationId = reader.ReadInt32();
        if (version >= 7)
            ProtocolType = reader.ReadNullableString(flexible);
        ProtocolName = version >= 7 ? reader.ReadNullableString(flexible) : reader.ReadString(flexible);
        Leader = reader.ReadString(flexible);
        if (version >= 9)
            SkipAssignment = reader.ReadBoolean();
        MemberId = reader.ReadString(flexible);
        Members = reader.ReadArray<JoinGroupResponseMember>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(JoinGroupResponse));
        var flexible = version >= 6;
        if (version >= 2)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteInt32(GenerationId);
        if (version >= 7)
            writer.WriteNullableString(ProtocolType, flexible);
        if (version >= 7)
            writer.WriteNullableString(ProtocolName, flexible);
        else
            writer.WriteString(ProtocolName, flexible);
        writer.WriteString(Leader, flexible);
        if (version >= 9)
            writer.WriteBoolean(SkipAssignment);
        else if (SkipAssignment)
            throw ProtocolException.NotInVersion(nameof(SkipAssignment), version);
        writer.WriteString(MemberId, flexible);
        writer.WriteArray(Members, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="JoinGroupResponse.Members"/>.</summary>
    public sealed class JoinGroupResponseMember : IMessage
    {
        /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
        public string MemberId { get; set; } = string.Empty;

        /// <summary>
        /// The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (v5+, nullable, ignorable).
        /// </summary>
        public string? GroupInstanceId { get; set; }

        /// <summary>The client's own data, kept as it is.</summary>
        public ReadOnlyMemory<byte> Metadata { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 6;
            MemberId = reader.ReadString(flexible);
            if (version >= 5)
                GroupInstanceId = reader.ReadNullableString(flexible);
            Metadata = reader.ReadBytes(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 6;
            writer.WriteString(MemberId, flexible);
            if (version >= 5)
                writer.WriteNullableString(GroupInstanceId, flexible);
            writer.WriteBytes(Metadata, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
