using Streams.Core;

namespace Streams.Embedded.Tests;

/// <summary>A step of a producer's work, for <see cref="FaultyCluster"/>.</summary>
public enum ProducerStep
{
    BeforeSend,
    BeforeFlush,
    AfterFlush,
    AfterOffsets,
    BeforeCommit,
    AfterCommit,
}

/// <summary>A cluster whose producers ask a test before and after each step; what the test throws happens to whoever took the step.</summary>
internal sealed class FaultyCluster(ICluster inner, Action<ProducerStep> at) : ICluster
{
    public string Description => inner.Description;

    public IRecordConsumer CreateConsumer(ConsumerOptions options) => inner.CreateConsumer(options);

    public IRecordProducer CreateProducer(ProducerOptions options) => new Producer(inner.CreateProducer(options), at);

    public IClusterAdmin CreateAdmin(string clientId) => inner.CreateAdmin(clientId);

    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => inner.CreateGroupCoordinator(clientId, groupId);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Producer(IRecordProducer inner, Action<ProducerStep> at) : IRecordProducer
    {
        public ProducerTopic GetTopic(string name, bool trackOffsets = false) => inner.GetTopic(name, trackOffsets);

        public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
        {
            at(ProducerStep.BeforeSend);
            inner.Send(topic, partition, in record);
        }

        public void SendPending() => inner.SendPending();

        public void Flush(CancellationToken cancellationToken)
        {
            at(ProducerStep.BeforeFlush);
            inner.Flush(cancellationToken);
            at(ProducerStep.AfterFlush);
        }

        public long? AcknowledgedOffset(ProducerTopic topic, int partition) => inner.AcknowledgedOffset(topic, partition);

        public void InitTransactions(CancellationToken cancellationToken) => inner.InitTransactions(cancellationToken);

        public void BeginTransaction() => inner.BeginTransaction();

        public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken)
        {
            inner.SendOffsetsToTransaction(offsets, membership, cancellationToken);
            at(ProducerStep.AfterOffsets);
        }

        public void CommitTransaction(CancellationToken cancellationToken)
        {
            at(ProducerStep.BeforeCommit);
            inner.CommitTransaction(cancellationToken);
            at(ProducerStep.AfterCommit);
        }

        public void AbortTransaction(CancellationToken cancellationToken) => inner.AbortTransaction(cancellationToken);

        public void Dispose() => inner.Dispose();
    }
}
