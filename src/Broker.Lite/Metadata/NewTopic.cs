namespace Broker.Lite.Metadata;

/// <summary>A topic to be created.</summary>
internal sealed record NewTopic
{
    public required string Name { get; init; }

    /// <summary>Null for the broker's default (num.partitions).</summary>
    public int? Partitions { get; init; }

    public IReadOnlyDictionary<string, string?> Configs { get; init; } = new Dictionary<string, string?>();
}
