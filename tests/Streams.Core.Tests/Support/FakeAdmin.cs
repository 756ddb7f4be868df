namespace Streams.Core.Tests.Support;

/// <summary>A cluster's topics in a dictionary.</summary>
internal sealed class FakeAdmin(params (string Topic, int Partitions)[] topics) : IClusterAdmin
{
    public Dictionary<string, int> Topics { get; } = topics.ToDictionary(topic => topic.Topic, topic => topic.Partitions);

    public List<NewTopic> Created { get; } = [];

    /// <summary>Makes topics only seemingly: a cluster whose nodes have not heard of them yet.</summary>
    public bool HidesNewTopics { get; init; }

    public Task<IReadOnlyDictionary<string, int>> DescribeTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, int>>(Topics.Where(topic => topics.Contains(topic.Key)).ToDictionary());

    public Task<IReadOnlyCollection<string>> ListTopicsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<string>>([.. Topics.Keys]);

    public Task CreateTopicsAsync(IReadOnlyCollection<NewTopic> topics, CancellationToken cancellationToken)
    {
        Created.AddRange(topics);
        foreach (var topic in topics)
        {
            if (!HidesNewTopics) Topics.TryAdd(topic.Name, topic.PartitionCount);
        }

        return Task.CompletedTask;
    }

    public Task DeleteTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyDictionary<TopicPartition, long>> BeginningOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, bool readCommitted, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyDictionary<TopicPartition, long>> OffsetsForTimeAsync(IReadOnlyCollection<TopicPartition> partitions, DateTimeOffset time, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DeleteRecordsAsync(IReadOnlyCollection<TopicPartitionOffset> before, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
