using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Streams.Core;

namespace Streams.Embedded;

/// <summary>The coordinator of a group on a broker in this process.</summary>
internal sealed class EmbeddedGroupCoordinator(BrokerConnection connection, string groupId) : IGroupCoordinator
{
    private static readonly TimeSpan _unstableRetry = TimeSpan.FromMilliseconds(20);

    public async Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken)
    {
        var memberId = call.Membership.MemberId;
        while (true)
        {
            var response = await connection.AskAsync(
                new JoinGroupRequest
                {
                    GroupId = groupId,
                    SessionTimeoutMs = (int)call.SessionTimeout.TotalMilliseconds,
                    RebalanceTimeoutMs = (int)call.RebalanceTimeout.TotalMilliseconds,
                    MemberId = memberId,
                    GroupInstanceId = call.Membership.GroupInstanceId,
                    ProtocolType = call.ProtocolType,
                    Protocols = [.. call.Protocols.Select(protocol => new JoinGroupRequest.JoinGroupRequestProtocol { Name = protocol.Key, Metadata = protocol.Value })],
                },
                cancellationToken).ConfigureAwait(false);

            // The coordinator wants a member to come back with the id it gives, so that a lost answer leaves no ghost behind (KIP-394).
            if (response.ErrorCode == ErrorCode.MemberIdRequired && memberId.Length == 0)
            {
                memberId = response.MemberId;
                continue;
            }

            return new JoinGroupResult(
                BrokerErrors.ToGroupError(response.ErrorCode, $"Joining group '{groupId}'"),
                call.Membership with { GenerationId = response.GenerationId, MemberId = response.MemberId },
                response.ProtocolName ?? "",
                response.Leader,
                [.. response.Members.Select(member => new KeyValuePair<string, ReadOnlyMemory<byte>>(member.MemberId, member.Metadata))]);
        }
    }

    public async Task<SyncGroupResult> SyncAsync(GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken)
    {
        var response = await connection.AskAsync(
            new SyncGroupRequest
            {
                GroupId = groupId,
                GenerationId = membership.GenerationId,
                MemberId = membership.MemberId,
                GroupInstanceId = membership.GroupInstanceId,
                Assignments = [.. assignments.Select(assignment => new SyncGroupRequest.SyncGroupRequestAssignment { MemberId = assignment.Key, Assignment = assignment.Value })],
            },
            cancellationToken).ConfigureAwait(false);
        return new SyncGroupResult(BrokerErrors.ToGroupError(response.ErrorCode, $"Syncing group '{groupId}'"), response.Assignment);
    }

    public async Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken)
    {
        var response = await connection.AskAsync(
            new HeartbeatRequest
            {
                GroupId = groupId,
                GenerationId = membership.GenerationId,
                MemberId = membership.MemberId,
                GroupInstanceId = membership.GroupInstanceId,
            },
            cancellationToken).ConfigureAwait(false);
        return BrokerErrors.ToGroupError(response.ErrorCode, $"A heartbeat to group '{groupId}'");
    }

    public async Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken)
    {
        var response = await connection.AskAsync(
            new LeaveGroupRequest
            {
                GroupId = groupId,
                Members = [new LeaveGroupRequest.MemberIdentity { MemberId = membership.MemberId, GroupInstanceId = membership.GroupInstanceId }],
            },
            cancellationToken).ConfigureAwait(false);

        // A member that the group has dropped already has what it wants.
        if (response.ErrorCode is not (ErrorCode.None or ErrorCode.UnknownMemberId)) BrokerErrors.ThrowIfError(response.ErrorCode, $"Leaving group '{groupId}'");
    }

    public async Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken)
    {
        var request = new OffsetCommitRequest
        {
            GroupId = groupId,
            GenerationIdOrMemberEpoch = membership.GenerationId,
            MemberId = membership.MemberId,
            GroupInstanceId = membership.GroupInstanceId,
        };
        foreach (var topic in offsets.GroupBy(offset => offset.Partition.Topic))
        {
            request.Topics.Add(new OffsetCommitRequest.OffsetCommitRequestTopic
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(offset => new OffsetCommitRequest.OffsetCommitRequestPartition
                {
                    PartitionIndex = offset.Partition.Partition,
                    CommittedOffset = offset.Offset,
                    CommittedMetadata = offset.Metadata,
                })],
            });
        }

        var response = await connection.AskAsync(request, cancellationToken).ConfigureAwait(false);
        foreach (var topic in response.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                var error = BrokerErrors.ToGroupError(partition.ErrorCode, $"Committing offset of {topic.Name}-{partition.PartitionIndex} in group '{groupId}'");
                if (error != GroupError.None) return error;
            }
        }

        return GroupError.None;
    }

    public async Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        var committed = new Dictionary<TopicPartition, OffsetCommit>();
        if (partitions.Count == 0) return committed;
        var group = new OffsetFetchRequest.OffsetFetchRequestGroup
        {
            GroupId = groupId,
            Topics = [.. partitions.GroupBy(partition => partition.Topic).Select(topic => new OffsetFetchRequest.OffsetFetchRequestTopics
            {
                Name = topic.Key,
                PartitionIndexes = [.. topic.Select(partition => partition.Partition)],
            })],
        };
        while (true)
        {
            var response = await connection.AskAsync(new OffsetFetchRequest { Groups = [group], RequireStable = true }, cancellationToken).ConfigureAwait(false);
            var answer = response.Groups[0];
            BrokerErrors.ThrowIfError(answer.ErrorCode, $"Committed offsets of group '{groupId}'");
            var unstable = false;
            foreach (var topic in answer.Topics)
            {
                foreach (var partition in topic.Partitions)
                {
                    if (partition.ErrorCode == ErrorCode.UnstableOffsetCommit)
                    {
                        unstable = true;
                        continue;
                    }

                    BrokerErrors.ThrowIfError(partition.ErrorCode, $"Committed offset of {topic.Name}-{partition.PartitionIndex} in group '{groupId}'");
                    if (partition.CommittedOffset < 0) continue;
                    var key = new TopicPartition(topic.Name, partition.PartitionIndex);
                    committed[key] = new OffsetCommit(key, partition.CommittedOffset, partition.Metadata ?? "");
                }
            }

            if (!unstable) return committed;

            // A transaction with offsets of this group is about to end; its outcome decides what the offset is.
            await connection.PauseAsync(_unstableRetry, cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
