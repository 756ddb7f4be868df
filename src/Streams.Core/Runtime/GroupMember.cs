using Microsoft.Extensions.Logging;

namespace Streams.Core;

/// <summary>What a group member tells the application around it.</summary>
internal interface IGroupMemberOwner
{
    /// <summary>What to tell the group's leader; the member adds the nonce.</summary>
    MemberMetadata Describe();

    /// <summary>Topics of the subscription, for group tools.</summary>
    IReadOnlyCollection<string> SubscribedTopics { get; }

    /// <summary>As leader: looks after topics and counts partitions.</summary>
    Task<PartitionCounts> PrepareTopicsAsync(CancellationToken cancellationToken);

    /// <summary>As leader: whether the topics to read, or their partitions, are others than when tasks were last divided.</summary>
    Task<bool> HaveTopicsChangedAsync(PartitionCounts known, CancellationToken cancellationToken);

    /// <summary>As leader: the tasks there are.</summary>
    IReadOnlyCollection<TaskId> AllTasks(PartitionCounts counts);

    /// <summary>The input partitions of a task.</summary>
    IReadOnlyCollection<TopicPartition> InputsOf(TaskId task, PartitionCounts counts);

    /// <summary>As leader: how far the changelogs of each task with state reach, as the sum of their end offsets.</summary>
    Task<IReadOnlyDictionary<TaskId, long>> EndPositionsAsync(PartitionCounts counts, CancellationToken cancellationToken);

    /// <summary>As leader: what each task reads and keeps.</summary>
    Task<IReadOnlyDictionary<TaskId, TaskInfo>> DescribeTasksAsync(PartitionCounts counts, bool withRacks, CancellationToken cancellationToken);

    /// <summary>The tasks are these from now on. What is not among them is committed and closed when this is done.</summary>
    /// <returns>Whether a task was let go of that another member may be waiting for: then the member joins again at once.</returns>
    Task<bool> AssignAsync(GroupMembership membership, MemberAssignment assignment);

    /// <summary>The membership is gone, and the tasks with it: give up what is not committed.</summary>
    Task LoseAsync();
}

/// <summary>
/// Keeps this instance in its consumer group: joins, computes assignments as leader, sends signs of life, rejoins. One loop; the classic protocol.
/// </summary>
/// <remarks>
/// <para>
/// Rebalances are cooperative (KIP-429): tasks go on while the member joins, and only those that the assignment takes away stop. A task that moves is given to
/// nobody in that generation; when its owner has committed and closed it, it joins again without it, and the rebalance that follows gives it to the new one.
/// </para>
/// One member per instance, not per thread: an instance's share is in proportion to its threads, and it divides its tasks among them itself.
/// A coordinator that does not answer is asked again with growing pauses (100 ms to 10 s), without end. Source: Kafka's <c>ConsumerCoordinator</c>, KIP-345.
/// </remarks>
internal sealed class GroupMember(IGroupCoordinator coordinator, StreamsConfig config, IGroupMemberOwner owner, ILogger logger)
{
    private const string ProtocolType = "consumer";
    private const string ProtocolName = "stream";
    private const double FirstRetryMs = 100;
    private const double MaxRetryMs = 10_000;

    private readonly Lock _gate = new();
    private TaskCompletionSource? _rejoin;
    private bool _rejoinAsked;
    private PartitionCounts? _divided;
    private TimeSpan? _probeAfter;
    private byte _nonce;
    private volatile bool _joining;
    private GroupMembership _membership = GroupMembership.None(config.ApplicationId, config.GroupInstanceId);

    /// <summary>Who this instance is now; read from any thread.</summary>
    public GroupMembership Membership => Volatile.Read(ref _membership);

    /// <summary>
    /// Whether a refusal of what was sent as the given membership may be due to a rebalance under way, which moves the generation before this member hears of it:
    /// then the same can be sent again later. When the membership is in truth lost, the join says so.
    /// </summary>
    public bool MayBeOutdated(GroupMembership used) => _joining || !ReferenceEquals(used, Membership);

    /// <summary>Asks for a new join: a commit was refused, or there is something to tell the leader.</summary>
    public void RequestRejoin()
    {
        lock (_gate)
        {
            _rejoinAsked = true;
            if (_rejoin is { } waiting) config.Threads.Complete(waiting);
        }
    }

    /// <summary>Runs until cancelled. Anything it throws ends the application.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var retryMs = FirstRetryMs;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                _joining = true;
                if (await JoinAsync(cancellationToken).ConfigureAwait(false))
                {
                    _joining = false;
                    await StayAsync(cancellationToken).ConfigureAwait(false);
                }

                retryMs = FirstRetryMs;
            }
            catch (ClusterUnavailableException failure)
            {
                Log.CoordinatorUnavailable(logger, config.ApplicationId, retryMs, failure);
                await config.Threads.Delay(TimeSpan.FromMilliseconds(retryMs), config.TimeProvider, cancellationToken).ConfigureAwait(false);
                retryMs = Math.Min(retryMs * 2, MaxRetryMs);
            }
        }
    }

    /// <summary>Leaves the group, so that the others need not wait for the session time-out.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        var membership = Membership;
        if (membership.MemberId.Length == 0) return;
        try
        {
            await coordinator.LeaveAsync(membership, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ClusterException or ClusterUnavailableException or OperationCanceledException)
        {
            Log.LeaveFailed(logger, config.ApplicationId, failure);
        }
    }

    private async Task<bool> JoinAsync(CancellationToken cancellationToken)
    {
        var metadata = (owner.Describe() with { Nonce = ++_nonce }).Encode(owner.SubscribedTopics);
        var joined = await coordinator.JoinAsync(
            new JoinGroupCall(Membership, config.SessionTimeout, config.RebalanceTimeout, ProtocolType, [new(ProtocolName, metadata)]), cancellationToken).ConfigureAwait(false);
        if (joined.Error != GroupError.None) return await HandleAsync(joined.Error).ConfigureAwait(false);
        Volatile.Write(ref _membership, joined.Membership);

        _divided = null;
        var isLeader = joined.LeaderId == joined.Membership.MemberId;
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments = isLeader
            ? await AssignAsync(joined, cancellationToken).ConfigureAwait(false)
            : new Dictionary<string, ReadOnlyMemory<byte>>();
        var synced = await coordinator.SyncAsync(joined.Membership, assignments, cancellationToken).ConfigureAwait(false);
        if (synced.Error != GroupError.None) return await HandleAsync(synced.Error).ConfigureAwait(false);

        var assignment = MemberAssignment.Decode(synced.Assignment.Span);
        Log.Joined(
            logger,
            config.ApplicationId,
            joined.Membership.MemberId,
            joined.Membership.GenerationId,
            isLeader ? " (leader)" : "",
            string.Join(", ", assignment.Tasks),
            string.Join(", ", assignment.StandbyTasks));

        // From here on commits of this generation are accepted, and letting go of tasks needs them.
        _joining = false;
        _probeAfter = assignment.ProbeAfterMs > 0 ? TimeSpan.FromMilliseconds(assignment.ProbeAfterMs) : null;
        if (!await AssignAliveAsync(joined.Membership, assignment, cancellationToken).ConfigureAwait(false)) return true;
        Log.FollowUp(logger, config.ApplicationId);
        return false;
    }

    // A thread hears of its assignment between records, and a slow record must not cost the instance its membership.
    private async Task<bool> AssignAliveAsync(GroupMembership membership, MemberAssignment assignment, CancellationToken cancellationToken)
    {
        var assigning = owner.AssignAsync(membership, assignment);
        while (!assigning.IsCompleted)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var first = await Task.WhenAny(assigning, config.Threads.Delay(config.HeartbeatInterval, config.TimeProvider, pause.Token)).ConfigureAwait(false);
            pause.Cancel();
            if (first == assigning || cancellationToken.IsCancellationRequested) break;
            try
            {
                // Whatever the answer is, the next one says it again when there is time to act on it.
                await coordinator.HeartbeatAsync(membership, cancellationToken).ConfigureAwait(false);
            }
            catch (ClusterUnavailableException failure)
            {
                Log.CoordinatorUnavailable(logger, config.ApplicationId, config.HeartbeatInterval.TotalMilliseconds, failure);
            }
        }

        return await assigning.ConfigureAwait(false);
    }

    private async Task<Dictionary<string, ReadOnlyMemory<byte>>> AssignAsync(JoinGroupResult joined, CancellationToken cancellationToken)
    {
        var counts = await owner.PrepareTopicsAsync(cancellationToken).ConfigureAwait(false);
        _divided = counts;
        var members = joined.Members.ToDictionary(member => member.Key, member => MemberMetadata.Decode(member.Value.Span));
        var group = new GroupSituation
        {
            Members = members,
            Tasks = owner.AllTasks(counts),
            EndPositions = await owner.EndPositionsAsync(counts, cancellationToken).ConfigureAwait(false),
            StandbyReplicas = config.NumStandbyReplicas,
            AcceptableRecoveryLag = config.AcceptableRecoveryLag,
            MaxWarmupReplicas = config.MaxWarmupReplicas,
            RackAwareTags = config.RackTags(),
            ProbingRebalanceInterval = config.ProbingRebalanceInterval,
        };
        var division = GroupDivision.Of(group, await PlanAsync(group, counts, cancellationToken).ConfigureAwait(false));
        IReadOnlyList<HostedTasks> hosts = members.Values.All(member => member.ApplicationServer.Length == 0)
            ? []
            : [.. members.Select(member => new HostedTasks(member.Value.ApplicationServer, division.Active[member.Key], division.Standby[member.Key]))];
        var errorCode = members.Values.All(member => member.ErrorCode == MemberMetadata.ShutdownRequested)
            ? MemberAssignment.ShutdownHeard
            : members.Values.Max(member => member.ErrorCode);

        // The leader looks again: it is the one whose joining always makes a rebalance.
        return members.Keys.ToDictionary(
            member => member,
            member => new MemberAssignment
            {
                Tasks = division.Active[member],
                StandbyTasks = division.Standby[member],
                PartitionCounts = counts.ByTopic,
                Hosts = hosts,
                ErrorCode = errorCode,
                ProbeAfterMs = division.FollowUpAfter is { } after && member == joined.Membership.MemberId ? Math.Max(1, (long)after.TotalMilliseconds) : 0,
            }.Encode([.. division.Active[member].SelectMany(task => owner.InputsOf(task, counts))]));
    }

    private async Task<AssignmentPlan> PlanAsync(GroupSituation group, PartitionCounts counts, CancellationToken cancellationToken)
    {
        var weighsTraffic = config.RackAwareAssignmentStrategy != RackAwareAssignmentStrategy.None;
        if (!weighsTraffic && config.TaskAssignor is null) return TaskAssignor.Plan(group);
        var tasks = await owner.DescribeTasksAsync(counts, weighsTraffic, cancellationToken).ConfigureAwait(false);
        group = group with { Traffic = RackTraffic.Of(config, group.Members.Values, tasks, out var isUnknown) };
        if (isUnknown) Log.RacksUnknown(logger, config.ApplicationId, config.RackAwareAssignmentStrategy);
        if (config.TaskAssignor is null) return TaskAssignor.Plan(group);
        var settings = new AssignmentSettings(
            config.AcceptableRecoveryLag, config.MaxWarmupReplicas, config.NumStandbyReplicas, config.ProbingRebalanceInterval, config.RackAwareAssignmentTags, config.RackAwareAssignmentStrategy);
        return AssignmentPlan.Ask(config.TaskAssignor, new ApplicationState(group, tasks, settings));
    }

    // Signs of life until the group wants something.
    private async Task StayAsync(CancellationToken cancellationToken)
    {
        var lastAnswer = config.TimeProvider.GetTimestamp();
        var lastLook = lastAnswer;
        var assignedAt = lastAnswer;
        while (true)
        {
            var asked = await WaitAsync(cancellationToken).ConfigureAwait(false);
            GroupError error;
            try
            {
                error = await coordinator.HeartbeatAsync(Membership, cancellationToken).ConfigureAwait(false);
                lastAnswer = config.TimeProvider.GetTimestamp();
            }
            catch (ClusterUnavailableException failure) when (config.TimeProvider.GetElapsedTime(lastAnswer) < config.SessionTimeout)
            {
                // The coordinator may be restarting; within the session time-out the membership holds.
                Log.CoordinatorUnavailable(logger, config.ApplicationId, config.HeartbeatInterval.TotalMilliseconds, failure);
                continue;
            }

            if (error == GroupError.None && asked) error = GroupError.RebalanceInProgress;
            if (error == GroupError.None && config.TimeProvider.GetElapsedTime(assignedAt) >= _probeAfter) error = GroupError.RebalanceInProgress;
            if (error == GroupError.None && _divided is not null && config.TimeProvider.GetElapsedTime(lastLook) >= config.MetadataMaxAge)
            {
                lastLook = config.TimeProvider.GetTimestamp();
                if (await HaveTopicsChangedAsync(_divided, cancellationToken).ConfigureAwait(false)) error = GroupError.RebalanceInProgress;
            }

            if (error == GroupError.None) continue;
            await HandleAsync(error).ConfigureAwait(false);
            return;
        }
    }

    // The leader's joining again makes the coordinator call everybody else to join too.
    private async Task<bool> HaveTopicsChangedAsync(PartitionCounts known, CancellationToken cancellationToken)
    {
        try
        {
            if (!await owner.HaveTopicsChangedAsync(known, cancellationToken).ConfigureAwait(false)) return false;
            Log.TopicsChanged(logger, config.ApplicationId);
            return true;
        }
        catch (ClusterUnavailableException failure)
        {
            Log.TopicsNotSeen(logger, config.ApplicationId, failure);
            return false;
        }
    }

    // Until the next sign of life is due, or sooner when somebody wants to join again, which the answer says.
    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var rejoin = config.Threads.CreateCompletion();
        bool asked;
        lock (_gate)
        {
            asked = _rejoinAsked;
            _rejoin = rejoin;
        }

        if (!asked)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(config.Threads.Delay(config.HeartbeatInterval, config.TimeProvider, pause.Token), rejoin.Task).ConfigureAwait(false);

            // Nothing but the delay's timer is behind it.
            pause.Cancel();
        }

        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            asked = _rejoinAsked;
            _rejoinAsked = false;
            _rejoin = null;
            return asked;
        }
    }

    private async Task<bool> HandleAsync(GroupError error)
    {
        Log.Rebalancing(logger, config.ApplicationId, error);
        switch (error)
        {
            case GroupError.RebalanceInProgress:
                // Tasks go on: the next assignment says which of them do not.
                break;
            case GroupError.IllegalGeneration:
                await owner.LoseAsync().ConfigureAwait(false);
                Volatile.Write(ref _membership, Membership with { GenerationId = -1 });
                break;
            case GroupError.UnknownMemberId:
                await owner.LoseAsync().ConfigureAwait(false);
                Volatile.Write(ref _membership, GroupMembership.None(config.ApplicationId, config.GroupInstanceId));
                break;
            case GroupError.FencedInstanceId:
                await owner.LoseAsync().ConfigureAwait(false);
                throw new TaskMigratedException(
                    $"Another process has joined group '{config.ApplicationId}' as group.instance.id '{config.GroupInstanceId}'; give each instance an id of its own.");
        }

        return false;
    }
}
