using Streams.Core;

namespace Bench.Engine;

/// <summary>Acknowledges everything and keeps nothing: what is measured is the engine, with its changelogs on.</summary>
internal sealed class DroppingProducer(int partitions) : IRecordProducer
{
    private readonly Dictionary<string, CountingTopic> _topics = [];

    public long Records => _topics.Values.Sum(topic => topic.Records);

    public ProducerTopic GetTopic(string name, bool trackOffsets = false)
    {
        if (!_topics.TryGetValue(name, out var topic)) _topics.Add(name, topic = new CountingTopic(name, partitions));
        return topic;
    }

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record) => ((CountingTopic)topic).Records++;

    public void SendPending()
    {
    }

    public void Flush(CancellationToken cancellationToken)
    {
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) => ((CountingTopic)topic).Records;

    public void InitTransactions(CancellationToken cancellationToken) => throw new InvalidOperationException("not transactional");

    public void BeginTransaction() => throw new InvalidOperationException("not transactional");

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("not transactional");

    public void CommitTransaction(CancellationToken cancellationToken) => throw new InvalidOperationException("not transactional");

    public void AbortTransaction(CancellationToken cancellationToken) => throw new InvalidOperationException("not transactional");

    public void Dispose()
    {
    }

    private sealed class CountingTopic(string name, int partitions) : ProducerTopic(name, partitions)
    {
        public long Records { get; set; }
    }
}
