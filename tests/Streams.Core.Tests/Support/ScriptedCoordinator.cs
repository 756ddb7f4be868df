namespace Streams.Core.Tests.Support;

/// <summary>Answers each call with the next line of a script, an exception included, and writes down who asked. At the script's end it answers no more.</summary>
internal sealed class ScriptedCoordinator(IEnumerable<object> script, Action<string> write) : IGroupCoordinator
{
    private readonly Queue<object> _script = new(script);
    private readonly TaskCompletionSource _played = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when somebody asks past the end of the script.</summary>
    public Task Played => _played.Task;

    public Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken) =>
        NextAsync<JoinGroupResult>($"join {call.Membership.MemberId}/{call.Membership.GenerationId}", cancellationToken);

    public Task<SyncGroupResult> SyncAsync(GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken) =>
        NextAsync<SyncGroupResult>(
            $"sync {membership.MemberId}/{membership.GenerationId}" +
            string.Concat(assignments.OrderBy(entry => entry.Key).Select(entry => $" {entry.Key}=[{string.Join(',', MemberAssignment.Decode(entry.Value.Span).Tasks)}]")),
            cancellationToken);

    public Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken) =>
        NextAsync<GroupError>($"heartbeat {membership.MemberId}/{membership.GenerationId}", cancellationToken);

    public async Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken) =>
        await NextAsync<GroupError>($"leave {membership.MemberId}/{membership.GenerationId}", cancellationToken);

    public Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<T> NextAsync<T>(string call, CancellationToken cancellationToken)
    {
        write(call);
        if (!_script.TryDequeue(out var answer))
        {
            _played.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return answer is Exception failure ? throw failure : (T)answer!;
    }
}
