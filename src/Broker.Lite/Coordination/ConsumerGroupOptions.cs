namespace Broker.Lite.Coordination;

/// <summary>The broker settings for groups with the consumer protocol that no group can have of its own.</summary>
internal sealed record ConsumerGroupOptions
{
    public required int MaxSize { get; init; }
}
