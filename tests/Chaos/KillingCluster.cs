using System.Diagnostics;
using Streams.Core;

namespace Chaos;

/// <summary>A step of a commit, at which a process may kill itself.</summary>
internal enum CommitStep
{
    /// <summary>Outputs and changelogs are written by the application, not yet acknowledged.</summary>
    BeforeFlush,

    /// <summary>They are acknowledged.</summary>
    AfterFlush,

    /// <summary>The source offsets are about to become part of the transaction.</summary>
    BeforeOffsets,

    /// <summary>They are.</summary>
    AfterOffsets,

    /// <summary>The transaction is about to be committed.</summary>
    BeforeEnd,

    /// <summary>The cluster has committed it, and the state does not know.</summary>
    AfterEnd,

    /// <summary>Without transactions: the offsets are about to be committed.</summary>
    BeforeOffsetCommit,

    /// <summary>Without transactions: they are committed, and the state does not know.</summary>
    AfterOffsetCommit,

    /// <summary>The state is committed too.</summary>
    AfterState,
}

/// <summary>A cluster at whose so-manieth call at a step the process kills itself, with the signal that cannot be handled.</summary>
internal sealed class KillingCluster(ICluster inner, CommitStep fatal, int number, TextWriter log) : ICluster
{
    [ThreadStatic]
    private static bool _hasCommitted;

    private int _calls;

    public string Description => inner.Description;

    public IRecordConsumer CreateConsumer(ConsumerOptions options) => new Consumer(this, inner.CreateConsumer(options));

    public IRecordProducer CreateProducer(ProducerOptions options) => new Producer(this, inner.CreateProducer(options));

    public IClusterAdmin CreateAdmin(string clientId) => inner.CreateAdmin(clientId);

    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => new Coordinator(this, inner.CreateGroupCoordinator(clientId, groupId));

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private void At(CommitStep step)
    {
        if (step != fatal || Interlocked.Increment(ref _calls) != number) return;
        log.WriteLine($"KILLED {step} {number}");
        log.Flush();
        using var self = Process.GetCurrentProcess();
        self.Kill();

        // The signal is on its way, and nothing may happen until it is here.
        Thread.CurrentThread.Join();
    }

    private sealed class Producer(KillingCluster cluster, IRecordProducer inner) : IRecordProducer
    {
        public ProducerTopic GetTopic(string name, bool trackOffsets = false) => inner.GetTopic(name, trackOffsets);

        public void Send(ProducerTopic topic, int partition, in OutgoingRecord record) => inner.Send(topic, partition, in record);

        public void SendPending() => inner.SendPending();

        public void Flush(CancellationToken cancellationToken)
        {
            cluster.At(CommitStep.BeforeFlush);
            inner.Flush(cancellationToken);
            cluster.At(CommitStep.AfterFlush);
        }

        public long? AcknowledgedOffset(ProducerTopic topic, int partition) => inner.AcknowledgedOffset(topic, partition);

        public void InitTransactions(CancellationToken cancellationToken) => inner.InitTransactions(cancellationToken);

        public void BeginTransaction() => inner.BeginTransaction();

        public void SendOffsetsToTransaction(IReadOnlyCollection<OffsetCommit> offsets, GroupMembership membership, CancellationToken cancellationToken)
        {
            cluster.At(CommitStep.BeforeOffsets);
            inner.SendOffsetsToTransaction(offsets, membership, cancellationToken);
            cluster.At(CommitStep.AfterOffsets);
        }

        public void CommitTransaction(CancellationToken cancellationToken)
        {
            cluster.At(CommitStep.BeforeEnd);
            inner.CommitTransaction(cancellationToken);
            cluster.At(CommitStep.AfterEnd);
            _hasCommitted = true;
        }

        public void AbortTransaction(CancellationToken cancellationToken) => inner.AbortTransaction(cancellationToken);

        public void Dispose() => inner.Dispose();
    }

    private sealed class Consumer(KillingCluster cluster, IRecordConsumer inner) : IRecordConsumer
    {
        public void Assign(IReadOnlyCollection<TopicPartitionOffset> partitions) => inner.Assign(partitions);

        public void Unassign(IReadOnlyCollection<TopicPartition> partitions) => inner.Unassign(partitions);

        public void Pause(IReadOnlyCollection<TopicPartition> partitions) => inner.Pause(partitions);

        public void Resume(IReadOnlyCollection<TopicPartition> partitions) => inner.Resume(partitions);

        // A thread that polls again has taken its commit to the end.
        public RecordBatch? Poll(TimeSpan timeout)
        {
            if (_hasCommitted) cluster.At(CommitStep.AfterState);
            _hasCommitted = false;
            return inner.Poll(timeout);
        }

        public void Wake() => inner.Wake();

        public long? CachedEndOffset(TopicPartition partition) => inner.CachedEndOffset(partition);

        public void Dispose() => inner.Dispose();
    }

    private sealed class Coordinator(KillingCluster cluster, IGroupCoordinator inner) : IGroupCoordinator
    {
        public Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken) => inner.JoinAsync(call, cancellationToken);

        public Task<SyncGroupResult> SyncAsync(GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken) =>
            inner.SyncAsync(membership, assignments, cancellationToken);

        public Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken) => inner.HeartbeatAsync(membership, cancellationToken);

        public Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken) => inner.LeaveAsync(membership, cancellationToken);

        // Called by a stream thread, which waits for it: the steps are that thread's.
        public Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken)
        {
            cluster.At(CommitStep.BeforeOffsetCommit);
            var error = inner.CommitOffsetsAsync(membership, offsets, cancellationToken).GetAwaiter().GetResult();
            if (error == GroupError.None)
            {
                cluster.At(CommitStep.AfterOffsetCommit);
                _hasCommitted = true;
            }

            return Task.FromResult(error);
        }

        public Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
            inner.FetchOffsetsAsync(partitions, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
