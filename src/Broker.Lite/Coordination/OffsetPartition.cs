namespace Broker.Lite.Coordination;

/// <summary>A partition as a key of committed offsets.</summary>
internal readonly record struct OffsetPartition(string Topic, int Partition);
