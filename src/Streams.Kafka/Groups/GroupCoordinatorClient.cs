using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Kafka.Wire;

namespace Streams.Kafka.Groups;

/// <summary>The classic group protocol's calls over the managed connections.</summary>
/// <remarks>
/// Joins and syncs, which the coordinator may hold back for minutes, have connections of their own, so that heartbeats and commits never wait behind them. Errors that
/// pass (the coordinator moves, loads or is away) are retried with growing pauses until the call's time limit.
/// </remarks>
internal sealed class GroupCoordinatorClient : IGroupCoordinator
{
    private readonly string _groupId;
    private readonly BrokerPool _membershipBrokers;
    private readonly BrokerPool _brokers;
    private readonly Retry _retry;
    private readonly CoordinatorAddress _coordinator;

    public GroupCoordinatorClient(WireSettings settings, string groupId, TimeProvider time, Random random, ILogger? logger = null)
    {
        _groupId = groupId;
        _membershipBrokers = new BrokerPool(settings, time);
        _brokers = new BrokerPool(settings, time);
        _coordinator = new CoordinatorAddress(_brokers, CoordinatorAddress.GroupKeyType, groupId);
        _retry = new Retry(settings, time, random, logger);
    }

    private WireSettings Settings => _brokers.Settings;

    public Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);

        // The coordinator may hold the answer back for the whole rebalance timeout, and up to its initial delay before that.
        var requestTimeout = call.RebalanceTimeout + Settings.RequestTimeout;
        var memberId = call.Membership.MemberId;
        return _retry.RunAsync($"Joining group {_groupId}", requestTimeout + Settings.ApiTimeout, async token =>
        {
            var answer = await SendAsync<JoinGroupResponse>(_membershipBrokers, version => JoinRequest(call, memberId, version), requestTimeout, token).ConfigureAwait(false);

            // KIP-394: the coordinator hands an id out first, so that a client which loses the answer does not leave a phantom member behind.
            if (answer.ErrorCode == ErrorCode.MemberIdRequired)
            {
                memberId = answer.MemberId;
                answer = await SendAsync<JoinGroupResponse>(_membershipBrokers, version => JoinRequest(call, memberId, version), requestTimeout, token).ConfigureAwait(false);
            }

            var error = Classify(answer.ErrorCode, $"Joining group {_groupId}");
            if (error != GroupError.None) return new JoinGroupResult(error, call.Membership with { MemberId = memberId }, "", "", []);
            return new JoinGroupResult(
                GroupError.None,
                call.Membership with { GenerationId = answer.GenerationId, MemberId = answer.MemberId },
                answer.ProtocolName ?? "",
                answer.Leader,
                [.. answer.Members.Select(member => KeyValuePair.Create(member.MemberId, member.Metadata))]);
        }, cancellationToken);
    }

    public Task<SyncGroupResult> SyncAsync(
        GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(membership);
        ArgumentNullException.ThrowIfNull(assignments);
        return RunAsync($"Syncing group {_groupId}", async token =>
        {
            var answer = await SendAsync<SyncGroupResponse>(_membershipBrokers, version => new SyncGroupRequest
            {
                GroupId = _groupId,
                GenerationId = membership.GenerationId,
                MemberId = membership.MemberId,
                GroupInstanceId = version >= 3 ? membership.GroupInstanceId : null,
                Assignments = [.. assignments.Select(pair => new SyncGroupRequest.SyncGroupRequestAssignment { MemberId = pair.Key, Assignment = pair.Value })],
            }, Settings.ApiTimeout, token).ConfigureAwait(false);
            return new SyncGroupResult(Classify(answer.ErrorCode, $"Syncing group {_groupId}"), answer.Assignment);
        }, cancellationToken);
    }

    public Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(membership);
        return RunAsync($"Heartbeat in group {_groupId}", async token =>
        {
            var answer = await SendAsync<HeartbeatResponse>(_brokers, version => new HeartbeatRequest
            {
                GroupId = _groupId,
                GenerationId = membership.GenerationId,
                MemberId = membership.MemberId,
                GroupInstanceId = version >= 3 ? membership.GroupInstanceId : null,
            }, Settings.RequestTimeout, token).ConfigureAwait(false);
            return Classify(answer.ErrorCode, $"Heartbeat in group {_groupId}");
        }, cancellationToken);
    }

    public Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(membership);
        return RunAsync($"Leaving group {_groupId}", async token =>
        {
            const short BatchedFrom = 3;
            var answer = await SendAsync<LeaveGroupResponse>(_brokers, version => version < BatchedFrom
                ? new LeaveGroupRequest { GroupId = _groupId, MemberId = membership.MemberId }
                : new LeaveGroupRequest
                {
                    GroupId = _groupId,
                    Members = [new LeaveGroupRequest.MemberIdentity { MemberId = membership.MemberId, GroupInstanceId = membership.GroupInstanceId }],
                }, Settings.RequestTimeout, token).ConfigureAwait(false);

            // A member that the group has forgotten already has left all the same.
            Classify(answer.ErrorCode, $"Leaving group {_groupId}");
            foreach (var member in answer.Members) Classify(member.ErrorCode, $"Leaving group {_groupId}");
            return true;
        }, cancellationToken);
    }

    public Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(membership);
        ArgumentNullException.ThrowIfNull(offsets);
        return RunAsync($"Committing offsets of group {_groupId}", async token =>
        {
            var answer = await SendAsync<OffsetCommitResponse>(_brokers, version => CommitRequest(membership, offsets, version), Settings.RequestTimeout, token).ConfigureAwait(false);
            foreach (var topic in answer.Topics)
            {
                foreach (var partition in topic.Partitions)
                {
                    var error = Classify(partition.ErrorCode, $"Committing the offset of {topic.Name}-{partition.PartitionIndex} in group {_groupId}");
                    if (error != GroupError.None) return error;
                }
            }

            return GroupError.None;
        }, cancellationToken);
    }

    public Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        return RunAsync<IReadOnlyDictionary<TopicPartition, OffsetCommit>>($"Fetching offsets of group {_groupId}", async token =>
        {
            var committed = new Dictionary<TopicPartition, OffsetCommit>();
            if (partitions.Count == 0) return committed;
            var answer = await SendAsync<OffsetFetchResponse>(_brokers, version => FetchRequest(partitions, version), Settings.RequestTimeout, token).ConfigureAwait(false);
            var what = $"Fetching offsets of group {_groupId}";
            WireErrors.Check(Remember(answer.ErrorCode), what);
            foreach (var topic in answer.Topics)
            {
                foreach (var partition in topic.Partitions)
                    Add(committed, new TopicPartition(topic.Name, partition.PartitionIndex), partition.ErrorCode, partition.CommittedOffset, partition.Metadata);
            }

            foreach (var group in answer.Groups)
            {
                WireErrors.Check(Remember(group.ErrorCode), what);
                foreach (var topic in group.Topics)
                {
                    foreach (var partition in topic.Partitions)
                        Add(committed, new TopicPartition(topic.Name, partition.PartitionIndex), partition.ErrorCode, partition.CommittedOffset, partition.Metadata);
                }
            }

            return committed;
        }, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _membershipBrokers.DisposeAsync().ConfigureAwait(false);
        await _brokers.DisposeAsync().ConfigureAwait(false);
    }

    private Task<T> RunAsync<T>(string what, Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken) =>
        _retry.RunAsync(what, Settings.ApiTimeout, operation, cancellationToken);

    private async Task<TResponse> SendAsync<TResponse>(
        BrokerPool brokers, Func<short, IRequest<TResponse>> build, TimeSpan timeout, CancellationToken cancellationToken)
        where TResponse : IApiMessage, IApiSchema, new()
    {
        var coordinator = await _coordinator.FindAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await brokers.SendAsync(coordinator, build, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectionLostException)
        {
            // Its broker may be gone for good: the next attempt asks where the coordinator is now.
            _coordinator.Forget();
            throw;
        }
    }

    private GroupError Classify(ErrorCode code, string what)
    {
        switch (Remember(code))
        {
            case ErrorCode.None: return GroupError.None;
            case ErrorCode.RebalanceInProgress: return GroupError.RebalanceInProgress;
            // OffsetCommit v9 has the latter for a group that is gone, where older versions have the former.
            case ErrorCode.IllegalGeneration or ErrorCode.GroupIdNotFound: return GroupError.IllegalGeneration;
            case ErrorCode.UnknownMemberId: return GroupError.UnknownMemberId;
            case ErrorCode.FencedInstanceId: return GroupError.FencedInstanceId;
            default: throw WireErrors.ToException(code, what);
        }
    }

    // Forgets the coordinator when the answer says that it is another broker now.
    private ErrorCode Remember(ErrorCode code)
    {
        if (code is ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable) _coordinator.Forget();
        return code;
    }

    private void Add(Dictionary<TopicPartition, OffsetCommit> committed, TopicPartition partition, ErrorCode code, long offset, string? metadata)
    {
        WireErrors.Check(Remember(code), $"Fetching the offset of {partition} in group {_groupId}");
        if (offset >= 0) committed[partition] = new OffsetCommit(partition, offset, metadata ?? "");
    }

    private JoinGroupRequest JoinRequest(JoinGroupCall call, string memberId, short version) => new()
    {
        GroupId = _groupId,
        SessionTimeoutMs = Milliseconds(call.SessionTimeout),
        RebalanceTimeoutMs = version >= 1 ? Milliseconds(call.RebalanceTimeout) : -1,
        MemberId = memberId,
        GroupInstanceId = version >= 5 ? call.Membership.GroupInstanceId : null,
        ProtocolType = call.ProtocolType,
        Protocols = [.. call.Protocols.Select(pair => new JoinGroupRequest.JoinGroupRequestProtocol { Name = pair.Key, Metadata = pair.Value })],
    };

    private OffsetCommitRequest CommitRequest(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, short version) => new()
    {
        GroupId = _groupId,
        GenerationIdOrMemberEpoch = membership.GenerationId,
        MemberId = membership.MemberId,
        GroupInstanceId = version >= 7 ? membership.GroupInstanceId : null,
        Topics =
        [
            .. offsets.GroupBy(offset => offset.Partition.Topic).Select(topic => new OffsetCommitRequest.OffsetCommitRequestTopic
            {
                Name = topic.Key,
                Partitions =
                [
                    .. topic.Select(offset => new OffsetCommitRequest.OffsetCommitRequestPartition
                    {
                        PartitionIndex = offset.Partition.Partition,
                        CommittedOffset = offset.Offset,
                        CommittedMetadata = offset.Metadata,
                    }),
                ],
            }),
        ],
    };

    private OffsetFetchRequest FetchRequest(IReadOnlyCollection<TopicPartition> partitions, short version)
    {
        const short ManyGroupsFrom = 8;
        const short StableFrom = 7;
        var byTopic = partitions.GroupBy(partition => partition.Topic, partition => partition.Partition);
        return version >= ManyGroupsFrom
            ? new OffsetFetchRequest
            {
                RequireStable = true,
                Groups =
                [
                    new OffsetFetchRequest.OffsetFetchRequestGroup
                    {
                        GroupId = _groupId,
                        Topics = [.. byTopic.Select(topic => new OffsetFetchRequest.OffsetFetchRequestTopics { Name = topic.Key, PartitionIndexes = [.. topic] })],
                    },
                ],
            }
            : new OffsetFetchRequest
            {
                RequireStable = version >= StableFrom,
                GroupId = _groupId,
                Topics = [.. byTopic.Select(topic => new OffsetFetchRequest.OffsetFetchRequestTopic { Name = topic.Key, PartitionIndexes = [.. topic] })],
            };
    }

    private static int Milliseconds(TimeSpan time) => (int)Math.Clamp(time.TotalMilliseconds, 0, int.MaxValue);
}
