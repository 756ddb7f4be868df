using Streams.Core;

namespace Streams.Client;

/// <summary>A record and where it was read.</summary>
/// <param name="Partition">Topic and partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Record">Key, value, timestamp and headers.</param>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public readonly record struct ConsumeResult<K, V>(TopicPartition Partition, long Offset, Record<K, V> Record)
{
    /// <summary>The key; <c>default</c> when there is none.</summary>
    public K Key => Record.Key;

    /// <summary>The value; <c>default</c> for a tombstone, see <see cref="Record{K, V}.HasValue"/>.</summary>
    public V Value => Record.Value;
}
