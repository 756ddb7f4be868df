namespace Streams.Core;

/// <summary>Looks at topics and makes them. Safe from several threads.</summary>
/// <remarks>Every call throws <see cref="ClusterUnavailableException"/> when the cluster does not answer in time.</remarks>
public interface IClusterAdmin : IDisposable
{
    /// <summary>Partition counts of the topics that exist among the given ones; missing topics are left out.</summary>
    Task<IReadOnlyDictionary<string, int>> DescribeTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken);

    /// <summary>Names of all topics.</summary>
    Task<IReadOnlyCollection<string>> ListTopicsAsync(CancellationToken cancellationToken);

    /// <summary>Makes topics; one that exists already is left as it is.</summary>
    Task CreateTopicsAsync(IReadOnlyCollection<NewTopic> topics, CancellationToken cancellationToken);

    /// <summary>Deletes topics; missing ones are ignored.</summary>
    Task DeleteTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken);

    /// <summary>First offset of each partition.</summary>
    Task<IReadOnlyDictionary<TopicPartition, long>> BeginningOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken);

    /// <summary>Offset after the last record of each partition; the last stable offset when <paramref name="readCommitted"/>.</summary>
    Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, bool readCommitted, CancellationToken cancellationToken);

    /// <summary>Offset of the first record of each partition that is not older than the given time; the end offset where there is none.</summary>
    Task<IReadOnlyDictionary<TopicPartition, long>> OffsetsForTimeAsync(IReadOnlyCollection<TopicPartition> partitions, DateTimeOffset time, CancellationToken cancellationToken);

    /// <summary>
    /// Racks of the brokers that have a replica of each partition of the given topics. What is not known is left out or empty, which is also what adapters answer that do not know
    /// of racks. Asked when tasks are divided by traffic (<see cref="StreamsConfig.RackAwareAssignmentStrategy"/>).
    /// </summary>
    Task<IReadOnlyDictionary<TopicPartition, IReadOnlyCollection<string>>> ReplicaRacksAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<TopicPartition, IReadOnlyCollection<string>>>(new Dictionary<TopicPartition, IReadOnlyCollection<string>>());

    /// <summary>Deletes records before the given offsets (consumed repartition records).</summary>
    Task DeleteRecordsAsync(IReadOnlyCollection<TopicPartitionOffset> before, CancellationToken cancellationToken);
}

/// <summary>A topic to make.</summary>
/// <param name="Name">Name.</param>
/// <param name="PartitionCount">Number of partitions, at least 1.</param>
/// <param name="ReplicationFactor">Replicas; -1 for the broker's default.</param>
/// <param name="Config">Settings by their Kafka names.</param>
public sealed record NewTopic(string Name, int PartitionCount, short ReplicationFactor, IReadOnlyDictionary<string, string> Config);
