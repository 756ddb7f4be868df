namespace Kafka.Protocol.Messages;

/// <summary>Asks for state and members of classic groups.</summary>
public sealed class DescribeGroupsRequest : IRequest<DescribeGroupsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeGroups;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 5;

    /// <summary>The groups.</summary>
    public List<string> Groups { get; set; } = [];

    /// <summary>Whether to say what the sender may do (v3+).</summary>
    public bool IncludeAuthorizedOperations { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeGroupsRequest));
        var flexible = version >= 5;
        Groups = reader.ReadStringArray(flexible);
        if (version >= 3)
            IncludeAuthorizedOperations = reader.ReadBoolean();
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeGroupsRequest));
        var flexible = version >= 5;
        writer.WriteStringArray(Groups, flexible);
        if (version >= 3)
            writer.WriteBoolean(IncludeAuthorizedOperations);
        else if (IncludeAuthorizedOperations)
            throw ProtocolException.NotInVersion(nameof(IncludeAuthorizedOperations), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>The groups; one that does not exist is in state <c>Dead</c>.</summary>
/// <remarks>Errors worth handling: NOT_COORDINATOR, GROUP_AUTHORIZATION_FAILED.</remarks>
public sealed class DescribeGroupsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeGroups;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 5;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>The groups.</summary>
    public List<DescribedGroup> Groups { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeGroupsResponse));
        var flexible = version >= 5;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        Groups = reader.ReadArray<DescribedGroup>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeGroupsResponse));
        var flexible = version >= 5;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Groups, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeGroupsResponse.Groups"/>.</summary>
    public sealed class DescribedGroup : IMessage
    {
        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The group's id.</summary>
        public string GroupId { get; set; } = string.Empty;

        /// <summary>State by name, such as <c>Stable</c>.</summary>
        public string GroupState { get; set; } = string.Empty;

        /// <summary>What kind of group it is, such as <c>consumer</c>.</summary>
        public string ProtocolType { get; set; } = string.Empty;

        /// <summary>The assignor chosen.</summary>
        public string ProtocolData { get; set; } = string.Empty;

        /// <summary>The members.</summary>
        public List<DescribedGroupMember> Members { get; set; } = [];

        /// <summary>Bit field of what the sender may do to the group; -2147483648 when not asked (v3+).</summary>
        public int AuthorizedOperations { get; set; } = int.MinValue;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 5;
            ErrorCode = reader.ReadErrorCode();
            GroupId = reader.ReadString(flexible);
            GroupState = reader.ReadString(flexible);
            ProtocolType = reader.ReadString(flexible);
            ProtocolData = reader.ReadString(flexible);
            Members = reader.ReadArray<DescribedGroupMember>(version, flexible);
            if (version >= 3)
                AuthorizedOperations = reader.ReadInt32();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 5;
            writer.WriteErrorCode(ErrorCode);
            writer.WriteString(GroupId, flexible);
            writer.WriteString(GroupState, flexible);
            writer.WriteString(ProtocolType, flexible);
            writer.WriteString(ProtocolData, flexible);
            writer.WriteArray(Members, version, flexible);
            if (version >= 3)
                writer.WriteInt32(AuthorizedOperations);
            else if (AuthorizedOperations != int.MinValue)
                throw ProtocolException.NotInVersion(nameof(AuthorizedOperations), version);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="DescribedGroup.Members"/>.</summary>
    public sealed class DescribedGroupMember : IMessage
    {
        /// <summary>The member's id as the coordinator knows it; empty before it has one.</summary>
        public string MemberId { get; set; } = string.Empty;

        /// <summary>
        /// The member's <c>group.instance.id</c> (static membership, KIP-345); null for dynamic members (v4+, nullable, ignorable).
        /// </summary>
        public string? GroupInstanceId { get; set; }

        /// <summary>The member's <c>client.id</c>.</summary>
        public string ClientId { get; set; } = string.Empty;

        /// <summary>Where the member connected from.</summary>
        public string ClientHost { get; set; } = string.Empty;

        /// <summary>The member's subscription for the assignor chosen.</summary>
        public ReadOnlyMemory<byte> MemberMetadata { get; set; }

        /// <summary>What the leader assigned to the member.</summary>
        public ReadOnlyMemory<byte> MemberAssignment { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 5;
            MemberId = reader.ReadString(flexible);
            if (version >= 4)
                GroupInstanceId = reader.ReadNullableString(flexible);
            ClientId = reader.ReadString(flexible);
            ClientHost = reader.ReadString(flexible);
            MemberMetadata = reader.ReadBytes(flexible);
            MemberAssignment = reader.ReadBytes(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 5;
            writer.WriteString(MemberId, flexible);
            if (version >= 4)
                writer.WriteNullableString(GroupInstanceId, flexible);
            writer.WriteString(ClientId, flexible);
            writer.WriteString(ClientHost, flexible);
            writer.WriteBytes(MemberMetadata, flexible);
            writer.WriteBytes(MemberAssignment, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
