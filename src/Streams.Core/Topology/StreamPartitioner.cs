namespace Streams.Core;

/// <summary>
/// Chooses the partition of a record that is written: 0 to <paramref name="partitionCount"/> - 1, or <c>null</c> for the default, which hashes the
/// serialised key as Kafka's Java producer does.
/// </summary>
/// <param name="topic">The topic.</param>
/// <param name="record">The record.</param>
/// <param name="partitionCount">Number of partitions of the topic.</param>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public delegate int? StreamPartitioner<K, V>(string topic, in Record<K, V> record, int partitionCount);

/// <summary>Chooses the topic of a record that is written. Source: KIP-303 (<c>TopicNameExtractor</c>).</summary>
/// <param name="record">The record.</param>
/// <param name="source">Where its source record was read; <c>null</c> in punctuators.</param>
/// <typeparam name="K">Key type.</typeparam>
/// <typeparam name="V">Value type.</typeparam>
public delegate string TopicNameExtractor<K, V>(in Record<K, V> record, RecordMetadata? source);

/// <summary>
/// Implemented by key serializers whose partition is decided by part of the key only: windowed keys go where their inner key goes.
/// </summary>
public interface IPartitionKeySerializer
{
    /// <summary>The part of the serialised key that is hashed.</summary>
    ReadOnlySpan<byte> PartitionKey(ReadOnlySpan<byte> serializedKey);
}
