using System.Text.Json.Serialization;

namespace Broker.Lite.Metadata;

/// <summary>What <see cref="MetadataFile"/> stores: everything the broker must know of itself and its topics to start again.</summary>
/// <remarks>Optional properties have setters because the generated reader would set missing init-only ones to null.</remarks>
internal sealed record MetadataDocument
{
    /// <summary>Format of the document; a higher number than ours is refused.</summary>
    public int Version { get; set; } = 1;

    public required string ClusterId { get; init; }

    /// <summary>The first producer id that was never reserved.</summary>
    public long NextProducerId { get; set; }

    public SortedDictionary<string, string> BrokerConfigs { get; set; } = [];

    /// <summary>By group: what is set on it.</summary>
    public SortedDictionary<string, SortedDictionary<string, string>> GroupConfigs { get; set; } = [];

    public List<TopicDocument> Topics { get; set; } = [];
}

/// <summary>A topic in <see cref="MetadataDocument"/>.</summary>
internal sealed record TopicDocument
{
    public required string Name { get; init; }

    public required Guid Id { get; init; }

    public required int Partitions { get; init; }

    /// <summary>
    /// True from the moment deletion was decided until its folders are gone, so that a crash in between is finished on start.
    /// </summary>
    public bool Deleting { get; set; }

    public SortedDictionary<string, string> Configs { get; set; } = [];
}

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MetadataDocument))]
internal sealed partial class MetadataJsonContext : JsonSerializerContext;
