namespace Streams.Core;

/// <summary>Stands where a task expects its producer; a global task has no sinks and no changelogs, and a standby uses neither.</summary>
internal sealed class NoProducer : IRecordProducer
{
    public ProducerTopic GetTopic(string name, bool trackOffsets = false) => throw Refusal();

    public void Send(ProducerTopic topic, int partition, in OutgoingRecord record) => throw Refusal();

    public void SendPending()
    {
    }

    public void Flush(CancellationToken cancellationToken)
    {
    }

    public long? AcknowledgedOffset(ProducerTopic topic, int partition) => null;

    public void InitTransactions(CancellationToken cancellationToken) => throw Refusal();

    public void BeginTransaction() => throw Refusal();

    public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken) => throw Refusal();

    public void CommitTransaction(CancellationToken cancellationToken) => throw Refusal();

    public void AbortTransaction(CancellationToken cancellationToken) => throw Refusal();

    public void Dispose()
    {
    }

    private static InvalidOperationException Refusal() => new("This task writes to no topic.");
}
