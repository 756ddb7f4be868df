namespace Kafka.Protocol.Records;

/// <summary>A header to write with a record (KIP-82).</summary>
/// <param name="Key">Name, written in UTF-8.</param>
/// <param name="Value">Value, or null.</param>
public readonly record struct RecordHeader(string Key, ReadOnlyMemory<byte>? Value);
