namespace Kafka.Protocol.Messages;

/// <summary>Deletes groups that have no members.</summary>
public sealed class DeleteGroupsRequest : IRequest<DeleteGroupsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DeleteGroups;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>The groups' ids.</summary>
    public List<string> GroupsNames { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DeleteGroupsRequest));
        var flexible = version >= 2;
        GroupsNames = reader.ReadStringArray(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DeleteGroupsRequest));
        var flexible = version >= 2;
        writer.WriteStringArray(GroupsNames, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>Result of each group.</summary>
/// <remarks>Errors worth handling: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, NOT_COORDINATOR.</remarks>
public sealed class DeleteGroupsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DeleteGroups;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 2);

    /// <inheritdoc/>
    public static short FlexibleFrom => 2;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>One result per item of the request.</summary>
    public List<DeletableGroupResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DeleteGroupsResponse));
        var flexible = version >= 2;
        ThrottleTimeMs = reader.ReadInt32();
        Results = reader.ReadArray<DeletableGroupResult>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DeleteGroupsResponse));
        var flexible = version >= 2;
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteArray(Results, version, flexible);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DeleteGroupsResponse.Results"/>.</summary>
    public sealed class DeletableGroupResult : IMessage
    {
        /// <summary>The group's id.</summary>
        public string GroupId { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 2;
            GroupId = reader.ReadString(flexible);
            ErrorCode = reader.ReadErrorCode();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 2;
            writer.WriteString(GroupId, flexible);
            writer.WriteErrorCode(ErrorCode);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }
}
