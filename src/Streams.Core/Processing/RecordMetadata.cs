namespace Streams.Core;

/// <summary>Where the record being processed was read from. Source: Kafka's <c>RecordMetadata</c> (KIP-478).</summary>
/// <param name="Topic">Topic of the source record.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
public readonly record struct RecordMetadata(string Topic, int Partition, long Offset);
