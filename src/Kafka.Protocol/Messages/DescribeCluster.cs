namespace Kafka.Protocol.Messages;

/// <summary>Asks for the cluster's id, controller and nodes.</summary>
public sealed class DescribeClusterRequest : IRequest<DescribeClusterResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeCluster;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>Whether to say what the sender may do to the cluster.</summary>
    public bool IncludeClusterAuthorizedOperations { get; set; }

    /// <summary>1 brokers, 2 controllers (v1+).</summary>
    public sbyte EndpointType { get; set; } = 1;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeClusterRequest));
        IncludeClusterAuthorizedOperations = reader.ReadBoolean();
        if (version >= 1)
            EndpointType = reader.ReadInt8();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeClusterRequest));
        writer.WriteBoolean(IncludeClusterAuthorizedOperations);
        if (version >= 1)
            writer.WriteInt8(EndpointType);
        else if (EndpointType != 1)
            throw ProtocolException.NotInVersion(nameof(EndpointType), version);
        writer.WriteNoTaggedFields();
    }
}

/// <summary>The cluster.</summary>
/// <remarks>Errors worth handling: CLUSTER_AUTHORIZATION_FAILED, UNSUPPORTED_ENDPOINT_TYPE.</remarks>
public sealed class DescribeClusterResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.DescribeCluster;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>1 brokers, 2 controllers (v1+).</summary>
    public sbyte EndpointType { get; set; } = 1;

    /// <summary>The cluster's id.</summary>
    public string ClusterId { get; set; } = string.Empty;

    /// <summary>Node id of the controller; -1 if there is none.</summary>
    public int ControllerId { get; set; } = -1;

    /// <summary>The brokers alive.</summary>
    public List<DescribeClusterBroker> Brokers { get; set; } = [];

    /// <summary>Bit field of what the sender may do to the cluster; -2147483648 when not asked.</summary>
    public int ClusterAuthorizedOperations { get; set; } = int.MinValue;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(DescribeClusterResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(compact: true);
        if (version >= 1)
            EndpointType = reader.ReadInt8();
        ClusterId = reader.ReadString(compact: true);
        ControllerId = reader.ReadInt32();
        Brokers = reader.ReadArray<DescribeClusterBroker>(version, compact: true);
        ClusterAuthorizedOperations = reader.ReadInt32();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(DescribeClusterResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, compact: true);
        if (version >= 1)
            writer.WriteInt8(EndpointType);
        else if (EndpointType != 1)
            throw ProtocolException.NotInVersion(nameof(EndpointType), version);
        writer.WriteString(ClusterId, compact: true);
        writer.WriteInt32(ControllerId);
        writer.WriteArray(Brokers, version, compact: true);
        writer.WriteInt32(ClusterAuthorizedOperations);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="DescribeClusterResponse.Brokers"/>.</summary>
    public sealed class DescribeClusterBroker : IMessage
    {
        /// <summary>Node id.</summary>
        public int BrokerId { get; set; }

        /// <summary>Host name or address.</summary>
        public string Host { get; set; } = string.Empty;

        /// <summary>Port number.</summary>
        public int Port { get; set; }

        /// <summary>The broker's rack (nullable).</summary>
        public string? Rack { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            BrokerId = reader.ReadInt32();
            Host = reader.ReadString(compact: true);
            Port = reader.ReadInt32();
            Rack = reader.ReadNullableString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteInt32(BrokerId);
            writer.WriteString(Host, compact: true);
            writer.WriteInt32(Port);
            writer.WriteNullableString(Rack, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
