namespace Streams.Kafka.Librdkafka;

/// <summary>Where a key or value lies in the buffer being filled; a length of -1 is an absent one. What Confluent.Kafka's consumer carries instead of an array.</summary>
internal readonly record struct ByteRange(int Start, int Length);
