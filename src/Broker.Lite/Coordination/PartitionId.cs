namespace Broker.Lite.Coordination;

/// <summary>A partition by its topic's id, as members of the consumer protocol know it.</summary>
internal readonly record struct PartitionId(Guid TopicId, int Partition);
