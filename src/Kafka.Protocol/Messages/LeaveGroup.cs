namespace Kafka.Protocol.Messages;

/// <summary>Takes members out of a classic group; several at once from version 3.</summary>
public sealed class LeaveGroupRequest : IRequest<LeaveGroupResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.LeaveGroup;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>The group's id.</summary>
    public string GroupId { get; set; } = string.Empty;

    /// <summary>The member's id as the coordinator knows it; empty before it has one (v0-2).</summary>
    public string MemberId { get; set; } = string.Empty;

    /// <summary>The members (v3+).</summary>
    public List<MemberIdentity> Members { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(LeaveGroupRequest));
        var flexible = version >= 4;
        GroupId = reader.ReadString(flexible);
        if (version <= 2)
            MemberId = reader.ReadString(flexible);
        if (version >= 3)
            Members = reader.ReadArray<MemberIdentity>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(LeaveGroupRequest));
        var flexible = version >= 4;
        writer.WriteString(GroupId, flexible);
        if (version <= 2)
            writer.WriteString(MemberId, flexible);
        else if (MemberId is not { Length: 0 })
            throw ProtocolException.NotInVersion(nameof(MemberId), version);
        if (version >= 3)
            writer.WriteArray(Members, version, flexible);
        else if (Members is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Members), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="LeaveGroupRequest.Members"/> (v3+).</summary>
    public sealed class MemberIdentity : IMessage
    {
        /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
        public string MemberId { get; set; } = string.Empty;

        /// <summary>The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (nullable).</summary>
        public string? GroupInstanceId { get; set; }

        /// <summary>Why, for the broker's log (KIP-800) (v5+, nullable, ignorable).</summary>
        public string? Reason { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            MemberId = reader.ReadString(flexible);
            GroupInstanceId = reader.ReadNullableString(flexible);
            if (version >= 5)
                Reason = reader.ReadNullableString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(MemberId, flexible);
            writer.WriteNullableString(GroupInstanceId, flexible);
            if (version >= 5)
                writer.WriteNullableString(Reason, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each departure.</summary>
/// <remarks>Errors worth handling: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.</remarks>
public sealed class LeaveGroupResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.LeaveGroup;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 4;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The members (v3+).</summary>
    public List<MemberResponse> Members { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(LeaveGroupResponse));
        var flexible = version >= 4;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        if (version >= 3)
            Members = reader.ReadArray<MemberResponse>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(LeaveGroupResponse));
        var flexible = version >= 4;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        if (version >= 3)
            writer.WriteArray(Members, version, flexible);
        else if (Members is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Members), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="LeaveGroupResponse.Members"/> (v3+).</summary>
    public sealed class MemberResponse : IMessage
    {
        /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
        public string MemberId { get; set; } = string.Empty;

        /// <summary>The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (nullable).</summary>
        public string? GroupInstanceId { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 4;
            MemberId = reader.ReadString(flexible);
            GroupInstanceId = reader.ReadNullableString(flexible);
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 4;
            writer.WriteString(MemberId, flexible);
            writer.WriteNullableString(GroupInstanceId, flexible);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
