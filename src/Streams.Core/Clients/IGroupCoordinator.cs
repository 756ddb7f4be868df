namespace Streams.Core;

/// <summary>
/// Speaks to the coordinator of one consumer group: the classic protocol's calls, one by one. The membership state machine and the assignor are the engine's.
/// </summary>
/// <remarks>
/// Finds the coordinator by itself, again when it moves. Broker errors come back as <see cref="GroupError"/> where the protocol has an answer to
/// them; no answer in time is a <see cref="ClusterUnavailableException"/>. Safe from several threads.
/// </remarks>
public interface IGroupCoordinator : IAsyncDisposable
{
    /// <summary>Joins the group, or joins again; returns when the group's join phase is over.</summary>
    Task<JoinGroupResult> JoinAsync(JoinGroupCall call, CancellationToken cancellationToken);

    /// <summary>Hands the leader's assignments over (others give none) and returns this member's.</summary>
    Task<SyncGroupResult> SyncAsync(GroupMembership membership, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, CancellationToken cancellationToken);

    /// <summary>Says that the member is alive.</summary>
    Task<GroupError> HeartbeatAsync(GroupMembership membership, CancellationToken cancellationToken);

    /// <summary>Leaves the group.</summary>
    Task LeaveAsync(GroupMembership membership, CancellationToken cancellationToken);

    /// <summary>Commits consumed offsets as this member.</summary>
    Task<GroupError> CommitOffsetsAsync(GroupMembership membership, IReadOnlyCollection<OffsetCommit> offsets, CancellationToken cancellationToken);

    /// <summary>Committed offsets; partitions without one are left out. Waits while offsets of an open transaction are pending.</summary>
    Task<IReadOnlyDictionary<TopicPartition, OffsetCommit>> FetchOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken);
}

/// <summary>What the coordinator said, as far as a member acts on it.</summary>
public enum GroupError
{
    /// <summary>All is well.</summary>
    None,

    /// <summary>Join again: the group is rebalancing.</summary>
    RebalanceInProgress,

    /// <summary>The generation is over; join again with the same member id.</summary>
    IllegalGeneration,

    /// <summary>The member is not in the group any more; join again without a member id.</summary>
    UnknownMemberId,

    /// <summary>Another process has taken over this static member; stop.</summary>
    FencedInstanceId,
}

/// <summary>Who this instance is in its group.</summary>
/// <param name="GroupId">The group.</param>
/// <param name="GenerationId">Generation; -1 before the first join.</param>
/// <param name="MemberId">Id that the coordinator gave; empty before the first join.</param>
/// <param name="GroupInstanceId">Static member's id, or <c>null</c>.</param>
public sealed record GroupMembership(string GroupId, int GenerationId, string MemberId, string? GroupInstanceId)
{
    /// <summary>Not a member yet.</summary>
    public static GroupMembership None(string groupId, string? groupInstanceId = null) => new(groupId, -1, "", groupInstanceId);
}

/// <summary>A request to join.</summary>
/// <param name="Membership">Who asks.</param>
/// <param name="SessionTimeout">How long the member may be silent.</param>
/// <param name="RebalanceTimeout">How long the group waits for the member to join again.</param>
/// <param name="ProtocolType">Kind of group; <c>consumer</c>, so that tools understand the subscription.</param>
/// <param name="Protocols">Assignment protocols with the member's metadata, preferred first.</param>
public sealed record JoinGroupCall(
    GroupMembership Membership,
    TimeSpan SessionTimeout,
    TimeSpan RebalanceTimeout,
    string ProtocolType,
    IReadOnlyList<KeyValuePair<string, ReadOnlyMemory<byte>>> Protocols);

/// <summary>The answer to a join.</summary>
/// <param name="Error">What went wrong, if anything.</param>
/// <param name="Membership">Generation and member id from now on.</param>
/// <param name="Protocol">Protocol the group chose.</param>
/// <param name="LeaderId">Member id of the leader.</param>
/// <param name="Members">Every member and its metadata; for the leader only.</param>
public sealed record JoinGroupResult(
    GroupError Error,
    GroupMembership Membership,
    string Protocol,
    string LeaderId,
    IReadOnlyList<KeyValuePair<string, ReadOnlyMemory<byte>>> Members);

/// <summary>The answer to a sync.</summary>
/// <param name="Error">What went wrong, if anything.</param>
/// <param name="Assignment">This member's assignment, as the leader wrote it.</param>
public sealed record SyncGroupResult(GroupError Error, ReadOnlyMemory<byte> Assignment);
