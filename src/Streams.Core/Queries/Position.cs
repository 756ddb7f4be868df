namespace Streams.Core;

/// <summary>
/// How much of the input a store contains: for each input partition, the offset before which everything is in it. What a query gives back may be asked for by the next
/// one, so that it does not see less. Source: KIP-796's <c>Position</c>, which counts the last offset instead of the next.
/// </summary>
public sealed record Position
{
    /// <summary>Makes a position.</summary>
    public Position(IReadOnlyDictionary<TopicPartition, long> offsets)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        Offsets = offsets;
    }

    /// <summary>Nothing in particular.</summary>
    public static Position Empty { get; } = new(new Dictionary<TopicPartition, long>());

    /// <summary>Next offset by input partition.</summary>
    public IReadOnlyDictionary<TopicPartition, long> Offsets { get; }

    /// <summary>The further of both, by partition.</summary>
    public Position Merge(Position other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var merged = new Dictionary<TopicPartition, long>(Offsets);
        foreach (var (partition, offset) in other.Offsets) merged[partition] = Math.Max(offset, merged.GetValueOrDefault(partition));
        return new Position(merged);
    }

    /// <summary>Whether this contains all that the other does, as far as they have partitions in common.</summary>
    internal bool Covers(Position bound)
    {
        foreach (var (partition, offset) in bound.Offsets)
        {
            if (Offsets.TryGetValue(partition, out var here) && here < offset) return false;
        }

        return true;
    }
}
