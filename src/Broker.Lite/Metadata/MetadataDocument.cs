using System.Text.Json.Serialization;

namespace Broker.Lite.Metadata;

/// <summary>What <see cref="MetadataFile"/> stores: everything the broker must know of itself and its topics to start again.</summary>
internal sealed record MetadataDocument
{
    /// <summary>Format of the document; a higher number than ours is refused.</summary>
    public int Version { get; init; } = 1;

    public required string ClusterId { get; init; }

    /// <summary>The first producer id that was never reserved.</summary>
    public long NextProducerId { get; init; }

    public SortedDictionary<string, string> BrokerConfigs { get; init; } = [];

    public List<TopicDocument> Topics { get; init; } = [];
}

/// <summary>A topic in <see cref="MetadataDocument"/>.</summary>
internal sealed record TopicDocument
{
    public required string Name { get; init; }

    public required Guid Id { get; init; }

    public required int Partitions { get; init; }

    /// <summary>True from the moment deletion was decided until its folders are gone, so that a crash in between is finished on start.</summary>
    public bool Deleting { get; init; }

    public SortedDictionary<string, string> Configs { get; init; } = [];
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MetadataDocument))]
internal sealed partial class MetadataJsonContext : JsonSerializerContext;
