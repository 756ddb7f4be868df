namespace Kafka.Protocol.Messages;

/// <summary>Changes the finalized levels of features.</summary>
public sealed class UpdateFeaturesRequest : IRequest<UpdateFeaturesResponse>, IApiSchema
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.UpdateFeatures;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the broker may work on it before it answers with an error, in milliseconds.</summary>
    public int TimeoutMs { get; set; } = 60000;

    /// <summary>The changes.</summary>
    public List<FeatureUpdateKey> FeatureUpdates { get; set; } = [];

    /// <summary>Whether to check only and change nothing (v1+).</summary>
    public bool ValidateOnly { get; set; }

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(UpdateFeaturesRequest));
        TimeoutMs = reader.ReadInt32();
        FeatureUpdates = reader.ReadArray<FeatureUpdateKey>(version, compact: true);
        if (version >= 1)
            ValidateOnly = reader.ReadBoolean();
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(UpdateFeaturesRequest));
        writer.WriteInt32(TimeoutMs);
        writer.WriteArray(FeatureUpdates, version, compact: true);
        if (version >= 1)
            writer.WriteBoolean(ValidateOnly);
        else if (ValidateOnly)
            throw ProtocolException.NotInVersion(nameof(ValidateOnly), version);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="UpdateFeaturesRequest.FeatureUpdates"/>.</summary>
    public sealed class FeatureUpdateKey : IMessage
    {
        /// <summary>Name of the feature.</summary>
        public string Feature { get; set; } = string.Empty;

        /// <summary>Highest level in force, or wanted.</summary>
        public short MaxVersionLevel { get; set; }

        /// <summary>Whether the level may go down (v0 only).</summary>
        public bool AllowDowngrade { get; set; }

        /// <summary>1 upgrade, 2 safe downgrade, 3 unsafe downgrade (v1+).</summary>
        public sbyte UpgradeType { get; set; } = 1;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Feature = reader.ReadString(compact: true);
            MaxVersionLevel = reader.ReadInt16();
            if (version == 0)
                AllowDowngrade = reader.ReadBoolean();
            if (version >= 1)
                UpgradeType = reader.ReadInt8();
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Feature, compact: true);
            writer.WriteInt16(MaxVersionLevel);
            if (version == 0)
                writer.WriteBoolean(AllowDowngrade);
            else if (AllowDowngrade)
                throw ProtocolException.NotInVersion(nameof(AllowDowngrade), version);
            if (version >= 1)
                writer.WriteInt8(UpgradeType);
            else if (UpgradeType != 1)
                throw ProtocolException.NotInVersion(nameof(UpgradeType), version);
            writer.WriteNoTaggedFields();
        }
    }
}

/// <summary>Result of each feature.</summary>
/// <remarks>Errors worth handling: FEATURE_UPDATE_FAILED, INVALID_UPDATE_VERSION, NOT_CONTROLLER.</remarks>
public sealed class UpdateFeaturesResponse : IApiMessage, IApiSchema, IThrottledResponse
{
    /// <inheritdoc/>
    public static ApiKey ApiKey => ApiKey.UpdateFeatures;

    /// <inheritdoc/>
    public static VersionRange Versions => new(0, 1);

    /// <inheritdoc/>
    public static short FlexibleFrom => 0;

    /// <summary>How long the client was or should be held back by a quota, in milliseconds.</summary>
    public int ThrottleTimeMs { get; set; }

    /// <summary>What went wrong, if anything.</summary>
    public ErrorCode ErrorCode { get; set; }

    /// <summary>The error in words, for people (nullable).</summary>
    public string? ErrorMessage { get; set; } = string.Empty;

    /// <summary>One result per item of the request.</summary>
    public List<UpdatableFeatureResult> Results { get; set; } = [];

    ApiKey IApiMessage.Key => ApiKey;

    /// <inheritdoc/>
    public void Read(ref ProtocolReader reader, short version)
    {
        Versions.Require(version, nameof(UpdateFeaturesResponse));
        ThrottleTimeMs = reader.ReadInt32();
        ErrorCode = reader.ReadErrorCode();
        ErrorMessage = reader.ReadNullableString(compact: true);
        Results = reader.ReadArray<UpdatableFeatureResult>(version, compact: true);
        reader.SkipTaggedFields();
    }

    /// <inheritdoc/>
    public void Write(ProtocolWriter writer, short version)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Versions.Require(version, nameof(UpdateFeaturesResponse));
        writer.WriteInt32(ThrottleTimeMs);
        writer.WriteErrorCode(ErrorCode);
        writer.WriteNullableString(ErrorMessage, compact: true);
        writer.WriteArray(Results, version, compact: true);
        writer.WriteNoTaggedFields();
    }

    /// <summary>One element of <see cref="UpdateFeaturesResponse.Results"/>.</summary>
    public sealed class UpdatableFeatureResult : IMessage
    {
        /// <summary>Name of the feature.</summary>
        public string Feature { get; set; } = string.Empty;

        /// <summary>What went wrong, if anything.</summary>
        public ErrorCode ErrorCode { get; set; }

        /// <summary>The error in words, for people (nullable).</summary>
        public string? ErrorMessage { get; set; } = string.Empty;

        /// <inheritdoc/>
        public void Read(ref ProtocolReader reader, short version)
        {
            Feature = reader.ReadString(compact: true);
            ErrorCode = reader.ReadErrorCode();
            ErrorMessage = reader.ReadNullableString(compact: true);
            reader.SkipTaggedFields();
        }

        /// <inheritdoc/>
        public void Write(ProtocolWriter writer, short version)
        {
            writer.WriteString(Feature, compact: true);
            writer.WriteErrorCode(ErrorCode);
            writer.WriteNullableString(ErrorMessage, compact: true);
            writer.WriteNoTaggedFields();
        }
    }
}
