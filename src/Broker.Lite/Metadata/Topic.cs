using System.Collections.Immutable;

namespace Broker.Lite.Metadata;

/// <summary>A topic at one moment. Immutable; a change makes a new object in a new <see cref="ClusterView"/>.</summary>
internal sealed record Topic
{
    public required string Name { get; init; }

    public required Guid Id { get; init; }

    /// <summary>By partition number, without gaps.</summary>
    public required ImmutableArray<Partition> Partitions { get; init; }

    /// <summary>The values set on the topic itself.</summary>
    public required ImmutableSortedDictionary<string, string> Configs { get; init; }

    public bool IsInternal => TopicName.IsInternal(Name);

    /// <summary>The partition with this number, or null.</summary>
    public Partition? Find(int partition) => (uint)partition < (uint)Partitions.Length ? Partitions[partition] : null;
}
