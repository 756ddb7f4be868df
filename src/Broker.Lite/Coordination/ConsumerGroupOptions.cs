namespace Broker.Lite.Coordination;

/// <summary>The broker settings for groups with the consumer protocol; units in the names.</summary>
internal sealed record ConsumerGroupOptions
{
    public required int SessionTimeoutMs { get; init; }

    public required int HeartbeatIntervalMs { get; init; }

    public required int MaxSize { get; init; }
}
