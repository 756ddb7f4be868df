namespace Kafka.Protocol.Messages;

/// <summary>Asks for the groups that a broker coordinates.</summary>
public sealed class ListGroupsRequest : IRequest<ListGroupsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListGroups;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>Only groups in these states; empty for all (v4+).</summary>
    public List<string> StatesFilter { get; set; } = [];

    /// <summary>Only groups of these types; empty for all (v5+).</summary>
    public List<string> TypesFilter { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListGroupsRequest));
        var flexible = version >= 3;
        if (version >= 4)
            StatesFilter = reader.ReadStringArray(flexible);
        if (version >= 5)
            TypesFilter = reader.ReadStringArray(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListGroupsRequest));
        var flexible = version >= 3;
        if (version >= 4)
            writer.WriteStringArray(StatesFilter, flexible);
        else if (StatesFilter is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(StatesFilter), version);
        if (version >= 5)
            writer.WriteStringArray(TypesFilter, flexible);
        else if (TypesFilter is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(TypesFilter), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>The groups.</summary>
/// <remarks>Errors worth handling: COORDINATOR_LOAD_IN_PROGRESS.</remarks>
public sealed class ListGroupsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ListGroups;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 5);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The groups.</summary>
    public List<ListedGroup> Groups { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ListGroupsResponse));
        var flexible = version >= 3;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        Groups = reader.ReadArray<ListedGroup>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ListGroupsResponse));
        var flexible = version >= 3;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteArray(Groups, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="ListGroupsResponse.Groups"/>.</summary>
    public sealed class ListedGroup : IMessage
    {
        /// <summary>The group's id.</summary>
        public string GroupId { get; set; } = string.Empty;

        /// <summary>What kind of group it is, such as <c>consumer</c>.</summary>
        public string ProtocolType { get; set; } = string.Empty;

        /// <summary>State by name, such as <c>Stable</c> (v4+, ignorable).</summary>
        public string GroupState { get; set; } = string.Empty;

        /// <summary>Type by name, such as <c>classic</c> or <c>consumer</c> (v5+, ignorable).</summary>
        public string GroupType { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            GroupId = reader.ReadString(flexible);
            ProtocolType = reader.ReadString(flexible);
            if (version >= 4)
                GroupState = reader.ReadString(flexible);
            if (version >= 5)
                GroupType = reader.ReadString(flexible);
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteString(GroupId, flexible);
            writer.WriteString(ProtocolType, flexible);
            if (version >= 4)
                writer.WriteString(GroupState, flexible);
            if (version >= 5)
                writer.WriteString(GroupType, flexible);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
