using Broker.Lite.Diagnostics;
using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// Membership of classic consumer groups: join, sync, heartbeat, leave and everything that happens when time passes. Offsets are kept by
/// <see cref="GroupOffsets"/> on the same groups.
/// </summary>
/// <remarks>
/// Every method runs on the <see cref="BrokerLoop"/>; there is no other synchronisation. Parked requests are completed with
/// continuations elsewhere, never inside a transition. Protocols and assignments are opaque, which is why cooperative
/// rebalancing needs nothing here. Source: the Kafka protocol guide's group membership section, KIP-62, KIP-345, KIP-394, KIP-814.
/// </remarks>
internal sealed class GroupCoordinator
{
    // Kafka gives a member that joined but cannot heartbeat yet five minutes, whatever its session time-out.
    private const int NewMemberTimeoutMs = 5 * 60 * 1000;

    private readonly GroupDirectory _groups;
    private readonly GroupOptions _options;
    private readonly LoopTimers _timers;
    private readonly TimeProvider _time;
    private readonly IGroupJournal _journal;
    private readonly Func<Guid> _newId;
    private readonly ILogger _logger;

    public GroupCoordinator(
        GroupDirectory groups, GroupOptions options, LoopTimers timers, TimeProvider time, IGroupJournal journal, Func<Guid> newId, ILogger logger)
    {
        _groups = groups;
        _options = options;
        _timers = timers;
        _time = time;
        _journal = journal;
        _newId = newId;
        _logger = logger;
    }

    /// <summary>Joins a member; completes when the generation has formed or the join failed.</summary>
    public Task<JoinResult> Join(JoinCall call)
    {
        if (call.GroupId.Length == 0)
            return Rejected(ErrorCode.InvalidGroupId, call.MemberId);
        if (call.SessionTimeoutMs < _options.MinSessionTimeoutMs || call.SessionTimeoutMs > _options.MaxSessionTimeoutMs)
            return Rejected(ErrorCode.InvalidSessionTimeout, call.MemberId);

        var group = _groups.Find(call.GroupId);
        if (group is null)
        {
            if (call.MemberId.Length > 0)
                return Rejected(ErrorCode.UnknownMemberId, call.MemberId);
            if (call.ProtocolType.Length == 0 || call.Protocols.Count == 0)
                return Rejected(ErrorCode.InconsistentGroupProtocol, call.MemberId);
            group = _groups.Create(call.GroupId, _time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        else if (group.Consumer is not null && LeaveConsumerProtocol(group) is var refused and not ErrorCode.None)
        {
            return Rejected(refused, call.MemberId);
        }

        return call.MemberId.Length == 0 ? JoinWithoutId(group, call) : JoinWithId(group, call);
    }

    /// <summary>Hands a member its assignment; completes when the leader has sent it.</summary>
    public Task<SyncResult> Sync(SyncCall call)
    {
        if (call.GroupId.Length == 0)
            return Task.FromResult(SyncResult.Failed(ErrorCode.InvalidGroupId));
        var error = Check(call.GroupId, call.MemberId, call.InstanceId, call.GenerationId, out var group, out var member);
        if (error != ErrorCode.None)
            return Task.FromResult(SyncResult.Failed(error));
        if ((call.ProtocolType is not null && call.ProtocolType != group!.ProtocolType)
            || (call.ProtocolName is not null && call.ProtocolName != group!.ProtocolName))
            return Task.FromResult(SyncResult.Failed(ErrorCode.InconsistentGroupProtocol));

        switch (group!.State)
        {
            case GroupState.PreparingRebalance:
                return Task.FromResult(SyncResult.Failed(ErrorCode.RebalanceInProgress));

            case GroupState.Stable:
                member!.OwesSync = false;
                TouchSession(group, member);
                return Task.FromResult(AssignmentOf(group, member));

            case GroupState.CompletingRebalance:
                member!.OwesSync = false;
                // A client that lost its connection asks again: only the newest request is answered with the assignment.
                member.PendingSync?.TrySetResult(SyncResult.Failed(ErrorCode.RebalanceInProgress));
                member.PendingSync = NewCompletion<SyncResult>();
                var task = member.PendingSync.Task;
                if (group.IsLeader(member))
                    CompleteGeneration(group, call.Assignments);
                return task;

            default:
                return Task.FromResult(SyncResult.Failed(ErrorCode.UnknownMemberId));
        }
    }

    /// <summary>Keeps a member alive and tells it whether to join again.</summary>
    public ErrorCode Heartbeat(string groupId, string memberId, string? instanceId, int generationId)
    {
        if (groupId.Length == 0)
            return ErrorCode.InvalidGroupId;
        var error = Check(groupId, memberId, instanceId, generationId, out var group, out var member);
        if (error != ErrorCode.None)
            return error;
        TouchSession(group!, member!);
        // While the assignment is being made members hold a generation but no partitions: their heartbeat is fine.
        return group!.State == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }

    /// <summary>
    /// Removes one member at its own or an administrator's wish. An empty member id with an instance id removes the static instance.
    /// </summary>
    public ErrorCode Leave(string groupId, string memberId, string? instanceId)
    {
        if (groupId.Length == 0)
            return ErrorCode.InvalidGroupId;
        if (_groups.Find(groupId) is not { } group)
            return ErrorCode.UnknownMemberId;

        if (instanceId is null && group.PendingMembers.Remove(memberId, out var timer))
        {
            timer.Cancel();
            TryCompleteJoin(group);
            return ErrorCode.None;
        }

        GroupMember? member;
        if (instanceId is not null)
        {
            member = group.FindStatic(instanceId);
            if (member is not null && memberId.Length > 0 && member.Id != memberId)
                return ErrorCode.FencedInstanceId;
        }
        else
        {
            member = group.Find(memberId);
        }

        if (member is null)
            return ErrorCode.UnknownMemberId;
        Log.MemberLeft(_logger, group.Id, member.Id, "it left");
        RemoveMember(group, member);
        return ErrorCode.None;
    }

    /// <summary>Checks that a request comes from a current member of the current generation.</summary>
    internal ErrorCode Check(string groupId, string memberId, string? instanceId, int generationId, out Group? group, out GroupMember? member)
    {
        member = null;
        group = _groups.Find(groupId);
        if (group is null)
            return ErrorCode.UnknownMemberId;
        var error = CheckIdentity(group, memberId, instanceId, out member);
        if (error != ErrorCode.None)
            return error;
        return generationId == group.GenerationId ? ErrorCode.None : ErrorCode.IllegalGeneration;
    }

    internal void TouchSession(Group group, GroupMember member)
    {
        if (member.SessionTimer is { IsPending: true } timer)
            timer.Move(member.SessionTimeoutMs);
        else
            StartSession(group, member, member.SessionTimeoutMs);
    }

    /// <summary>A classic member comes to a group that used the consumer protocol: possible once that has no members any more.</summary>
    private ErrorCode LeaveConsumerProtocol(Group group)
    {
        if (group.Consumer!.Members.Count > 0)
            return ErrorCode.InconsistentGroupProtocol;
        if (_journal.Append(group.Id, [.. ConsumerGroupFormat.GroupTombstones(group.Id)]).Error != ErrorCode.None)
            return ErrorCode.CoordinatorNotAvailable;
        group.Consumer = null;
        return ErrorCode.None;
    }

    private static ErrorCode CheckIdentity(Group group, string memberId, string? instanceId, out GroupMember? member)
    {
        member = null;
        if (instanceId is not null)
        {
            var current = group.FindStatic(instanceId);
            if (current is null)
                return ErrorCode.UnknownMemberId;
            if (current.Id != memberId)
                return ErrorCode.FencedInstanceId;
        }

        member = group.Find(memberId);
        return member is null ? ErrorCode.UnknownMemberId : ErrorCode.None;
    }

    private Task<JoinResult> JoinWithoutId(Group group, JoinCall call)
    {
        if (call.InstanceId is not null)
        {
            if (group.FindStatic(call.InstanceId) is { } former)
                return ReplaceStaticMember(group, former, call);
            return AddMember(group, $"{call.InstanceId}-{_newId():D}", call);
        }

        if (!group.Supports(call.ProtocolType, call.Protocols))
            return Rejected(ErrorCode.InconsistentGroupProtocol, call.MemberId);
        if (IsFull(group))
            return Rejected(ErrorCode.GroupMaxSizeReached, call.MemberId);

        var memberId = $"{call.ClientId}-{_newId():D}";
        if (!call.RequiresKnownMemberId)
            return AddMember(group, memberId, call);

        // A client that dies between its two joins must not leave a member behind that a rebalance waits for.
        group.PendingMembers.Add(memberId, _timers.Schedule(call.SessionTimeoutMs, () =>
        {
            group.PendingMembers.Remove(memberId);
            TryCompleteJoin(group);
        }));
        return Rejected(ErrorCode.MemberIdRequired, memberId);
    }

    private Task<JoinResult> JoinWithId(Group group, JoinCall call)
    {
        if (call.InstanceId is null && group.PendingMembers.Remove(call.MemberId, out var pending))
        {
            pending.Cancel();
            return AddMember(group, call.MemberId, call);
        }

        var error = CheckIdentity(group, call.MemberId, call.InstanceId, out var member);
        if (error != ErrorCode.None)
            return Rejected(error, call.MemberId);
        if (!group.Supports(call.ProtocolType, call.Protocols, except: member))
            return Rejected(ErrorCode.InconsistentGroupProtocol, call.MemberId);

        switch (group.State)
        {
            case GroupState.CompletingRebalance when member!.HasSameProtocols(call.Protocols):
                // It missed the answer to its join; the generation stands.
                return Task.FromResult(CurrentGeneration(group, member));

            case GroupState.Stable when !group.IsLeader(member!) && member!.HasSameProtocols(call.Protocols):
                // A follower asking again changes nothing. A leader asking again does: that is how it requests a new assignment.
                return Task.FromResult(CurrentGeneration(group, member));

            default:
                return Rejoin(group, member!, call);
        }
    }

    private Task<JoinResult> AddMember(Group group, string memberId, JoinCall call)
    {
        if (!group.Supports(call.ProtocolType, call.Protocols))
            return Rejected(ErrorCode.InconsistentGroupProtocol, call.MemberId);
        if (IsFull(group))
            return Rejected(ErrorCode.GroupMaxSizeReached, call.MemberId);

        var member = new GroupMember(memberId, call) { PendingJoin = NewCompletion<JoinResult>() };
        var task = member.PendingJoin.Task;
        group.Add(member);
        group.ProtocolType = call.ProtocolType;
        group.MemberJoinedInInitialDelay = group.InitialDelayRemainingMs > 0;
        StartSession(group, member, NewMemberTimeoutMs);
        PrepareRebalance(group);
        return task;
    }

    private Task<JoinResult> Rejoin(Group group, GroupMember member, JoinCall call)
    {
        member.Update(call);
        // As with sync, a repeated request takes the place of the parked one, whose connection is gone.
        member.PendingJoin?.TrySetResult(JoinResult.Failed(ErrorCode.RebalanceInProgress, member.Id));
        member.PendingJoin = NewCompletion<JoinResult>();
        var task = member.PendingJoin.Task;
        PrepareRebalance(group);
        return task;
    }

    /// <summary>A static member came back without its member id: it takes over, and its former self is fenced.</summary>
    private Task<JoinResult> ReplaceStaticMember(Group group, GroupMember former, JoinCall call)
    {
        if (!group.Supports(call.ProtocolType, call.Protocols, except: former))
            return Rejected(ErrorCode.InconsistentGroupProtocol, call.MemberId);

        var member = new GroupMember($"{call.InstanceId}-{_newId():D}", call)
        {
            Assignment = former.Assignment,
            IsNew = false,
            OwesSync = former.OwesSync,
        };
        var formerWasLeader = group.IsLeader(former);
        former.SessionTimer?.Cancel();
        former.PendingJoin?.TrySetResult(JoinResult.Failed(ErrorCode.FencedInstanceId, former.Id));
        former.PendingSync?.TrySetResult(SyncResult.Failed(ErrorCode.FencedInstanceId));
        group.Replace(former, member);
        StartSession(group, member, member.SessionTimeoutMs);

        if (group.State == GroupState.Stable && group.SelectProtocol() == group.ProtocolName)
        {
            // Nobody else needs to know: same generation, same assignment, and Kafka does the same when the subscription changed (KIP-345).
            var error = PersistGeneration(group);
            if (error != ErrorCode.None)
                return Rejected(error, member.Id);
            var skip = formerWasLeader && call.SupportsSkippingAssignment;
            return Task.FromResult(CurrentGeneration(group, member) with
            {
                // A returning leader that cannot be told to skip the assignment must not believe that it leads, or it would send one.
                LeaderId = formerWasLeader && !skip ? former.Id : group.LeaderId!,
                SkipAssignment = skip,
                Members = skip ? group.JoinedMembers() : [],
            });
        }

        member.PendingJoin = NewCompletion<JoinResult>();
        var task = member.PendingJoin.Task;
        PrepareRebalance(group);
        return task;
    }

    /// <summary>Starts a join phase unless one is running, and ends it if everybody is there already.</summary>
    private void PrepareRebalance(Group group)
    {
        if (group.State != GroupState.PreparingRebalance)
        {
            if (group.State == GroupState.CompletingRebalance)
                FailSyncs(group, ErrorCode.RebalanceInProgress);
            group.SyncTimer?.Cancel();
            var isInitial = group.State == GroupState.Empty && _options.InitialRebalanceDelayMs > 0;
            SetState(group, GroupState.PreparingRebalance);
            group.JoinTimer?.Cancel();
            if (isInitial)
                StartInitialDelay(group, Math.Max(0, group.MaxRebalanceTimeoutMs() - _options.InitialRebalanceDelayMs));
            else
                group.JoinTimer = _timers.Schedule(group.MaxRebalanceTimeoutMs(), () => EndJoinPhase(group));
        }

        TryCompleteJoin(group);
    }

    /// <summary>Waits for more members of a group that just appeared, in steps, as long as they keep coming (KIP-134).</summary>
    private void StartInitialDelay(Group group, int remainingMs)
    {
        group.InitialDelayRemainingMs = Math.Max(1, remainingMs);
        group.MemberJoinedInInitialDelay = false;
        group.JoinTimer = _timers.Schedule(_options.InitialRebalanceDelayMs, () =>
        {
            if (group.MemberJoinedInInitialDelay && remainingMs > 0)
            {
                StartInitialDelay(group, Math.Max(0, remainingMs - _options.InitialRebalanceDelayMs));
                return;
            }

            group.InitialDelayRemainingMs = 0;
            EndJoinPhase(group);
        });
    }

    private void TryCompleteJoin(Group group)
    {
        if (group.State != GroupState.PreparingRebalance || group.InitialDelayRemainingMs > 0)
            return;
        if (group.PendingMembers.Count == 0 && group.Members.All(member => member.PendingJoin is not null))
            EndJoinPhase(group);
    }

    /// <summary>
    /// Forms the next generation of the members that have joined; the others are out, except static ones, which may come back.
    /// </summary>
    private void EndJoinPhase(Group group)
    {
        if (group.State != GroupState.PreparingRebalance)
            return;
        group.JoinTimer?.Cancel();
        foreach (var member in group.Members.Where(member => member.PendingJoin is null && member.InstanceId is null).ToList())
        {
            Log.MemberLeft(_logger, group.Id, member.Id, "it did not rejoin in time");
            member.SessionTimer?.Cancel();
            group.Remove(member);
        }

        if (group.Members.Count > 0 && group.Find(group.LeaderId!)!.PendingJoin is null)
        {
            if (group.Members.FirstOrDefault(member => member.PendingJoin is not null) is not { } leader)
            {
                // Only static members, none of them back: nobody could make the assignment. Wait on; their sessions will end it.
                group.JoinTimer = _timers.Schedule(group.MaxRebalanceTimeoutMs(), () => EndJoinPhase(group));
                return;
            }

            group.LeaderId = leader.Id;
        }

        group.GenerationId = group.GenerationId == int.MaxValue ? 0 : group.GenerationId + 1;
        if (group.Members.Count == 0)
        {
            group.ProtocolName = null;
            SetState(group, GroupState.Empty);
            // Without the record a restart would bring back an older generation; the next write carries it anyway.
            var error = PersistGeneration(group);
            if (error != ErrorCode.None)
                Log.GroupNotPersisted(_logger, group.Id, error);
            return;
        }

        group.ProtocolName = group.SelectProtocol();
        SetState(group, GroupState.CompletingRebalance);
        Log.GenerationFormed(_logger, group.Id, group.GenerationId, group.Members.Count, group.ProtocolName);
        foreach (var member in group.Members)
        {
            member.Assignment = ReadOnlyMemory<byte>.Empty;
            member.OwesSync = true;
            member.IsNew = false;
            TouchSession(group, member);
            member.PendingJoin?.TrySetResult(CurrentGeneration(group, member));
            member.PendingJoin = null;
        }

        group.SyncTimer = _timers.Schedule(group.MaxRebalanceTimeoutMs(), () => RemoveMembersWithoutSync(group, group.GenerationId));
    }

    /// <summary>The leader's assignment arrived: make it durable, then let everybody have its part.</summary>
    private void CompleteGeneration(Group group, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments)
    {
        foreach (var member in group.Members)
            member.Assignment = assignments.TryGetValue(member.Id, out var assignment) ? assignment : ReadOnlyMemory<byte>.Empty;

        var error = PersistGeneration(group);
        if (error != ErrorCode.None)
        {
            Log.GroupNotPersisted(_logger, group.Id, error);
            foreach (var member in group.Members)
                member.Assignment = ReadOnlyMemory<byte>.Empty;
            FailSyncs(group, error);
            PrepareRebalance(group);
            return;
        }

        SetState(group, GroupState.Stable);
        foreach (var member in group.Members)
        {
            if (member.PendingSync is null)
                continue;
            member.PendingSync.TrySetResult(AssignmentOf(group, member));
            member.PendingSync = null;
            TouchSession(group, member);
        }
    }

    private void RemoveMembersWithoutSync(Group group, int generationId)
    {
        if (group.GenerationId != generationId || group.State is not (GroupState.CompletingRebalance or GroupState.Stable))
            return;
        foreach (var member in group.Members.Where(member => member.OwesSync).ToList())
        {
            Log.MemberLeft(_logger, group.Id, member.Id, "it did not sync in time");
            RemoveMember(group, member);
        }
    }

    private void RemoveMember(Group group, GroupMember member)
    {
        member.SessionTimer?.Cancel();
        member.PendingJoin?.TrySetResult(JoinResult.Failed(ErrorCode.UnknownMemberId, member.Id));
        member.PendingSync?.TrySetResult(SyncResult.Failed(ErrorCode.UnknownMemberId));
        member.PendingJoin = null;
        member.PendingSync = null;
        group.Remove(member);
        if (group.State is GroupState.Stable or GroupState.CompletingRebalance)
            PrepareRebalance(group);
        else
            TryCompleteJoin(group);
    }

    private void StartSession(Group group, GroupMember member, int timeoutMs)
    {
        member.SessionTimer?.Cancel();
        member.SessionTimer = _timers.Schedule(timeoutMs, () =>
        {
            if (group.Find(member.Id) != member)
                return;
            if (member.IsWaiting && !member.IsNew)
            {
                // Its own request is parked here until the phase ends, whose length the rebalance time-out bounds.
                StartSession(group, member, member.SessionTimeoutMs);
                return;
            }

            Log.MemberLeft(_logger, group.Id, member.Id, "its session timed out");
            RemoveMember(group, member);
        });
    }

    private ErrorCode PersistGeneration(Group group) =>
        _journal.Append(group.Id, [OffsetsTopicFormat.GroupEntry(group)]).Error == ErrorCode.None
            ? ErrorCode.None
            // The clients' retriable answer to a coordinator that cannot do its work right now.
            : ErrorCode.CoordinatorNotAvailable;

    private void SetState(Group group, GroupState state)
    {
        group.State = state;
        group.StateTimestampMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    private static void FailSyncs(Group group, ErrorCode error)
    {
        foreach (var member in group.Members)
        {
            member.PendingSync?.TrySetResult(SyncResult.Failed(error));
            member.PendingSync = null;
        }
    }

    private bool IsFull(Group group) => group.Members.Count + group.PendingMembers.Count >= _options.MaxSize;

    private static JoinResult CurrentGeneration(Group group, GroupMember member) => new()
    {
        GenerationId = group.GenerationId,
        ProtocolType = group.ProtocolType,
        ProtocolName = group.ProtocolName,
        LeaderId = group.LeaderId!,
        MemberId = member.Id,
        Members = group.IsLeader(member) ? group.JoinedMembers() : [],
    };

    private static SyncResult AssignmentOf(Group group, GroupMember member) =>
        new(ErrorCode.None, group.ProtocolType, group.ProtocolName, member.Assignment);

    private static Task<JoinResult> Rejected(ErrorCode error, string memberId) => Task.FromResult(JoinResult.Failed(error, memberId));

    private TaskCompletionSource<T> NewCompletion<T>() => new(_options.AnswersInside ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
}
