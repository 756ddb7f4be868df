using Streams.Core;

namespace Streams.Tests.Shared;

/// <summary>A record that a test has read; null for an absent key or value.</summary>
internal sealed record SeenRecord(TopicPartition Partition, long Offset, string? Key, string? Value, long Timestamp, Headers Headers);
