namespace Kafka.Protocol.Messages;

/// <summary>Asks what the broker serves; normally the first request on a connection.</summary>
public sealed class ApiVersionsRequest : IRequest<ApiVersionsResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ApiVersions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>Name of the client library (KIP-511) (v3+, ignorable).</summary>
    public string ClientSoftwareName { get; set; } = string.Empty;

    /// <summary>Version of the client library (v3+, ignorable).</summary>
    public string ClientSoftwareVersion { get; set; } = string.Empty;

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ApiVersionsRequest));
        var flexible = version >= 3;
        if (version >= 3)
        {
            ClientSoftwareName = reader.ReadString(flexible);
            ClientSoftwareVersion = reader.ReadString(flexible);
        }

        if (flexible)
            reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ApiVersionsRequest));
        var flexible = version >= 3;
        if (version >= 3)
        {
            writer.WriteString(ClientSoftwareName, flexible);
            writer.WriteString(ClientSoftwareVersion, flexible);
        }

        if (flexible)
            writer.WriteNoTaggedFields();
    }
}

/// <summary>
/// What the broker serves. Its header is version 0 at any version (KIP-511), and a version too high is answered with a version 0 body and
/// UNSUPPORTED_VERSION.
/// </summary>
/// <remarks>Errors worth handling: UNSUPPORTED_VERSION, INVALID_REQUEST.</remarks>
public sealed class ApiVersionsResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.ApiVersions;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 4);

    /// <inheritdoc/>
    public static short FlexibleFrom => 3;

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>What the broker serves.</summary>
    public List<ApiVersion> ApiKeys { get; set; } = [];

    /// <summary>How long the client was or should be held back by a quota, in milliseconds (v1+, ignorable).</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>Features the broker could run (KIP-584) (v3+, tag 0, ignorable).</summary>
    public List<SupportedFeatureKey> SupportedFeatures { get; set; } = [];

    /// <summary>Epoch of the finalized features; -1 if unknown (v3+, tag 1, ignorable).</summary>
    public long FinalizedFeaturesEpoch { get; set; } = -1;

    /// <summary>Feature levels in force (v3+, tag 2, ignorable).</summary>
    public List<FinalizedFeatureKey> FinalizedFeatures { get; set; } = [];

    /// <summary>Whether a migration from ZooKeeper could start (v3+, tag 3, ignorable).</summary>
    public bool ZkMigrationReady { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(ApiVersionsResponse));
        var flexible = version >= 3;
        ErrorCode = reader.ReadErrorCode();
        ApiKeys = reader.ReadArray<ApiVersion>(version, flexible);
        if (version >= 1)
            ThrottleTimeMs = reader.ReadInt32();
        if (flexible)
        {
            for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)
            {
                switch (reader.EnterTaggedField(out var outerEnd))
                {
                    case 0:
                        SupportedFeatures = reader.ReadArray<SupportedFeatureKey>(version, compact: true);
                        break;
                    case 1:
                        FinalizedFeaturesEpoch = reader.ReadInt64();
                        break;
                    case 2:
                        FinalizedFeatures = reader.ReadArray<FinalizedFeatureKey>(version, compact: true);
                        break;
                    case 3:
                        ZkMigrationReady = reader.ReadBoolean();
                        break;
                    default:
                        reader.SkipTaggedField();
                        break;
                }

                reader.LeaveTaggedField(outerEnd);
            }
        }
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(ApiVersionsResponse));
        var flexible = version >= 3;
        writer.WriteErrorCode(ErrorCode);
        writer.WriteArray(ApiKeys, version, flexible);
        if (version >= 1)
            writer.WriteInt32(ThrottleTimeMs);
        if (flexible)
        {
            writer.WriteUnsignedVarint(
                (SupportedFeatures is not { Count: 0 } ? 1u : 0u) +
                (FinalizedFeaturesEpoch != -1 ? 1u : 0u) +
                (FinalizedFeatures is not { Count: 0 } ? 1u : 0u) +
                (ZkMigrationReady ? 1u : 0u));
            if (SupportedFeatures is not { Count: 0 })
            {
                var field = writer.BeginTaggedField();
                field.WriteArray(SupportedFeatures, version, compact: true);
                writer.EndTaggedField(0);
            }

            if (FinalizedFeaturesEpoch != -1)
            {
                var field = writer.BeginTaggedField();
                field.WriteInt64(FinalizedFeaturesEpoch);
                writer.EndTaggedField(1);
            }

            if (FinalizedFeatures is not { Count: 0 })
            {
                var field = writer.BeginTaggedField();
                field.WriteArray(FinalizedFeatures, version, compact: true);
                writer.EndTaggedField(2);
            }

            if (ZkMigrationReady)
            {
                var field = writer.BeginTaggedField();
                field.WriteBoolean(ZkMigrationReady);
                writer.EndTaggedField(3);
            }
        }
    }

    /// <summary>One element of <see cref="ApiVersionsResponse.ApiKeys"/>.</summary>
    public sealed class ApiVersion : IMessage
    {
        /// <summary>The operation.</summary>
        public ApiKey ApiKey { get; set; }

        /// <summary>Lowest version.</summary>
        public short MinVersion { get; set; }

        /// <summary>Highest version.</summary>
        public short MaxVersion { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            var flexible = version >= 3;
            ApiKey = (ApiKey)reader.ReadInt16();
            MinVersion = reader.ReadInt16();
            MaxVersion = reader.ReadInt16();
            if (flexible)
                reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            var flexible = version >= 3;
            writer.WriteInt16((short)ApiKey);
            writer.WriteInt16(MinVersion);
            writer.WriteInt16(MaxVersion);
            if (flexible)
                writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="ApiVersionsResponse.SupportedFeatures"/> (v3+).</summary>
    public sealed class SupportedFeatureKey : IMessage
    {
        /// <summary>Name of the feature.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Lowest version.</summary>
        public short MinVersion { get; set; }

        /// <summary>Highest version.</summary>
        public short MaxVersion { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            MinVersion = reader.ReadInt16();
            MaxVersion = reader.ReadInt16();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteInt16(MinVersion);
            writer.WriteInt16(MaxVersion);
            writer.WriteNoTaggedFields();
        }
    }

    /// <summary>One element of <see cref="ApiVersionsResponse.FinalizedFeatures"/> (v3+).</summary>
    public sealed class FinalizedFeatureKey : IMessage
    {
        /// <summary>Name of the feature.</summary>
        public string Name { get; set; } = string.Empty;

        /// <summary>Highest level in force, or wanted.</summary>
        public short MaxVersionLevel { get; set; }

        /// <summary>Lowest level in force.</summary>
        public short MinVersionLevel { get; set; }

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Name = reader.ReadString(compact: true);
            MaxVersionLevel = reader.ReadInt16();
            MinVersionLevel = reader.ReadInt16();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Name, compact: true);
            writer.WriteInt16(MaxVersionLevel);
            writer.WriteInt16(MinVersionLevel);
            writer.WriteNoTaggedFields();
        }
    }
}
