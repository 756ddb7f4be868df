namespace Broker.Lite.Coordination;

/// <summary>The broker settings that the coordinator follows; units in the names.</summary>
internal sealed record GroupOptions
{
    public required int MinSessionTimeoutMs { get; init; }

    public required int MaxSessionTimeoutMs { get; init; }

    public required int InitialRebalanceDelayMs { get; init; }

    public required int MaxSize { get; init; }

    public required int OffsetMetadataMaxBytes { get; init; }

    public required long OffsetRetentionMs { get; init; }

    public required long OffsetRetentionCheckIntervalMs { get; init; }

    /// <summary>Whether members that wait are answered inside the call that ends their wait; see <see cref="BrokerOptions.AnswersInside"/>.</summary>
    public bool AnswersInside { get; init; }
}
