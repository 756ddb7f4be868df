using Streams.Core;

namespace Streams.Embedded.Tests;

/// <summary>A cluster whose group members wait for a test before they join and before they ask for their assignment, and tell it of their signs of life.</summary>
internal sealed class CoordinatedCluster(ICluster inner, Func<Task> beforeJoin, Func<Task> beforeSync, Action? beforeHeartbeat = null) : ICluster
{
    public string Description => inner.Description;

    public IRecordConsumer CreateConsumer(ConsumerOptions options) => inner.CreateConsumer(options);

    public IRecordProducer CreateProducer(ProducerOptions options) => inner.CreateProducer(options);

    public IClusterAdmin CreateAdmin(string clientId) => inner.CreateAdmin(clientId);

    public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => new Coordinator(inner.CreateGroupCoordinator(clientId, groupId), beforeJoin, beforeSync, beforeHeartbeat);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Coordinator(IGroupCoordinator inner, Func<Task> beforeJoin, Func<Task> beforeSync, Action? beforeHeartbeat) : IGroupCoordinator
    {
        public async Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken)
        {
            await beforeJoin();
            return await inner.JoinAsync(call, cancellationToken);
        }

        public async Task<SyncGroupResult> SyncAsync(GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken)
        {
            await beforeSync();
            return await inner.SyncAsync(membership, assignments, cancellationToken);
        }

        public Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken)
        {
            beforeHeartbeat?.Invoke();
            return inner.HeartbeatAsync(membership, cancellationToken);
        }

        public Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken) => inner.LeaveAsync(membership, cancellationToken);

        public Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken) =>
            inner.CommitOffsetsAsync(membership, offsets, cancellationToken);

        public Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
            inner.FetchOffsetsAsync(partitions, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
