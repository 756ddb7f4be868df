namespace Kafka.Protocol.Messages;

/// <summary>Asks which broker coordinates a group or transactional id; from version 4 several at once.</summary>
public sealed class FindCoordinatorRequest : IRequest<FindCoordinatorResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.FindCoordinator;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 6);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>The group id or transactional id (v0-3).</summary>
    public string Key { get; set; } = string.Empty;

    /// <summary>0 for groups, 1 for transactions, 2 for share groups (v1+).</summary>
    public sbyte KeyType { get; set; }

    /// <summary>The group ids or transactional ids (v4+).</summary>
    public List<string> CoordinatorKeys { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(FindCoordinatorRequest));
        var flexible = version >= 3;
        if (version <= 3)
            Key = reader.ReadString(flexible);
        if (version >= 1)
            KeyType = reader.ReadInt8();
        if (version >= 4)
            CoordinatorKeys = reader.ReadStringArray(flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(FindCoordinatorRequest));
        var flexible = version >= 3;
        if (version <= 3)
            writer.WriteString(Key, flexible);
        else if (Key is not { Length: 0 })
            throw ProtocolException.NotInVersion(nameof(Key), version);
        if (version >= 1)
            writer.WriteInt8(KeyType);
        else if (KeyType != 0)
            throw ProtocolException.NotInVersion(nameof(KeyType), version);
        if (version >= 4)
            writer.WriteStringArray(CoordinatorKeys, flexible);
        else if (CoordinatorKeys is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(CoordinatorKeys), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>The coordinators.</summary>
/// <remarks>Errors worth handling: COORDINATOR_NOT_AVAILABLE, INVALID_REQUEST.</remarks>
public sealed class FindCoordinatorResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.FindCoordinator;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 6);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything (v0-3).</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (v1-3, nullable, ignorable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>Node id of the broker (v0-3).</summary>
    public int NodeId { get; set; }

    /// <summary>Host name or address (v0-3).</summary>
    public string Host { get; set; } = string.Empty;

    /// <summary>Port number (v0-3).</summary>
    public int Port { get; set; }

    /// <summary>One coordinator per key (v4+).</summary>
    public List<Coordinator> Coordinators { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(FindCoordinatorResponse));
        var flexible = version >= 3;
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        if (version <= 3)
            ErrorCode = reader.ReadErrorCode();
        if (version is >= 1 and <= 3)
            ErrorMessage = reader.ReadNullableString(flexible);
        if (version <= 3)
        {
            NodeId = reader.ReadInt32();
            Host = reader.ReadString(flexible);
            Port = reader.ReadInt32();
        }

        if (version >= 4)
            Coordinators = reader.ReadArray<Coordinator>(version, flexible);
        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(FindCoordinatorResponse));
        var flexible = version >= 3;
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        if (version <= 3)
            writer.WriteErrorCode(ErrorCode);
        else if (ErrorCode != ErrorCode.None)
            throw ProtocolException.NotInVersion(nameof(ErrorCode), version);
        if (version is >= 1 and <= 3)
            writer.WriteNullableString(ErrorMessage, flexible);
        if (version <= 3)
            writer.WriteInt32(NodeId);
        else if (NodeId != 0)
            throw ProtocolException.NotInVersion(nameof(NodeId), version);
        if (version <= 3)
            writer.WriteString(Host, flexible);
        else if (Host is not { Length: 0 })
            throw ProtocolException.NotInVersion(nameof(Host), version);
        if (version <= 3)
            writer.WriteInt32(Port);
        else if (Port != 0)
            throw ProtocolException.NotInVersion(nameof(Port), version);
        if (version >= 4)
            writer.WriteArray(Coordinators, version, flexible);
        else if (Coordinators is not { Count: 0 })
            throw ProtocolException.NotInVersion(nameof(Coordinators), version);
        if (flexible)
            writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="FindCoordinatorResponse.Coordinators"/> (v4+).</summary>
    public sealed class Coordinator : IMessage
    {
        /// <summary>The group id or transactional id.</summary>
        public string Key { get; set; } = string.Empty;

        /// <summary>Node id of the broker.</summary>
        public int NodeId { get; set; }

        /// <summary>Host name or address.</summary>
        public string Host { get; set; } = string.Empty;

        /// <summary>Port number.</summary>
        public int Port { get; set; }

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Key = reader.ReadString(compact: true);
            NodeId = reader.ReadInt32();
            Host = reader.ReadString(compact: true);
            Port = reader.ReadInt32();
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Key, compact: true);
            writer.WriteInt32(NodeId);
            writer.WriteString(Host, compact: true);
            writer.WriteInt32(Port);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
