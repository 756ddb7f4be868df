using Streams.Core;

namespace Streams.Embedded.Tests;

/// <summary>A cluster that is silent to its first producer, whose flush has no end of its own, and takes the membership away from whoever waits in it.</summary>
internal sealed class SilentCluster(ICluster inner) : ICluster
{
    private int _producers;
    private volatile bool _isWaiting;

    public string Description => inner.Description;

    /// <summary>Whether the first producer was disposed with what it held.</summary>
    public bool IsGivenUp { get; private set; }

    public IRecordConsumer CreateConsumer(ConsumerOptions options) => inner.CreateConsumer(options);

    public IRecordProducer CreateProducer(ProducerOptions options) =>
        Interlocked.Increment(ref _producers) == 1 ? new Producer(this, inner.CreateProducer(options)) : inner.CreateProducer(options);

    public IClusterAdmin CreateAdmin(string clientId) => inner.CreateAdmin(clientId);

    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => new Coordinator(this, inner.CreateGroupCoordinator(clientId, groupId));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Producer(SilentCluster cluster, IRecordProducer inner) : IRecordProducer
    {
        public ProducerTopic GetTopic(string name, bool trackOffsets = false) => inner.GetTopic(name, trackOffsets);

        public void Send(ProducerTopic topic, int partition, in OutgoingRecord record)
        {
        }

        public void SendPending()
        {
        }

        public void Flush(CancellationToken cancellationToken)
        {
            cluster._isWaiting = true;
            cancellationToken.WaitHandle.WaitOne();
            cancellationToken.ThrowIfCancellationRequested();
        }

        public long? AcknowledgedOffset(ProducerTopic topic, int partition) => null;

        public void InitTransactions(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void BeginTransaction() => throw new NotSupportedException();

        public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void CommitTransaction(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void AbortTransaction(CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Dispose()
        {
            cluster.IsGivenUp = true;
            inner.Dispose();
        }
    }

    private sealed class Coordinator(SilentCluster cluster, IGroupCoordinator inner) : IGroupCoordinator
    {
        public Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken) => inner.JoinAsync(call, cancellationToken);

        public Task<SyncGroupResult> SyncAsync(GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken) =>
            inner.SyncAsync(membership, assignments, cancellationToken);

        public async Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken)
        {
            if (cluster._isWaiting)
            {
                cluster._isWaiting = false;
                await inner.LeaveAsync(membership, cancellationToken);
            }

            return await inner.HeartbeatAsync(membership, cancellationToken);
        }

        public Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken) => inner.LeaveAsync(membership, cancellationToken);

        public Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken) =>
            inner.CommitOffsetsAsync(membership, offsets, cancellationToken);

        public Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
            inner.FetchOffsetsAsync(partitions, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
