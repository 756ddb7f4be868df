using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Broker.Lite.Diagnostics;
using Broker.Lite.Metadata;
using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// Groups with the consumer protocol (KIP-848): members only heartbeat, the broker divides the partitions and moves them from member to
/// member. Offsets are kept by <see cref="GroupOffsets"/>, as for classic groups.
/// </summary>
/// <remarks>
/// Every method runs on the <see cref="BrokerLoop"/>. A change is in the journal before it is answered or counts, and all changes of one
/// heartbeat are one batch. An empty group of the other protocol is converted by the first member that comes; one with members is
/// refused. Source: KIP-848, Kafka's <c>GroupMetadataManager</c>.
/// </remarks>
internal sealed class ConsumerGroupCoordinator(
    GroupDirectory groups,
    ConsumerGroupOptions options,
    TopicCatalog catalog,
    LoopTimers timers,
    TimeProvider time,
    IGroupJournal journal,
    Func<Guid> newId,
    ILogger logger)
{
    // Patterns come from clients: without back-tracking, and with a limit, so that none can hold up the loop.
    private static readonly TimeSpan _regexLimit = TimeSpan.FromMilliseconds(100);

    // The first is for members without a wish.
    private static readonly IServerAssignor[] _assignors = [new UniformAssignor(), new RangeAssignor()];

    /// <summary>How often members of a group are to heartbeat, in milliseconds. May be read off the loop.</summary>
    public int HeartbeatIntervalMs(string groupId) => ValueOf(GroupConfigKeys.HeartbeatIntervalMs, groupId);

    /// <summary>The name of the assignor a group uses now.</summary>
    public static string AssignorOf(ConsumerGroup group) => SelectAssignor(group.Members.Values).Name;

    /// <summary>Gives restored members a session to come back in. Once, before anybody is served.</summary>
    public void Resume()
    {
        foreach (var group in groups.All)
        {
            if (group.Consumer is null)
                continue;
            group.StateTimestampMs = time.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var member in group.Consumer.Members.Values)
            {
                TouchSession(group, member.Id);
                WatchRevocation(group, member);
            }
        }
    }

    public ConsumerHeartbeatResult Heartbeat(ConsumerHeartbeat heartbeat)
    {
        if (Fault(heartbeat) is { } fault)
            return fault;
        var group = groups.Find(heartbeat.GroupId);
        if (heartbeat.MemberEpoch < ConsumerHeartbeat.Join)
            return Leave(group, heartbeat);
        if (group is not null && (group.Members.Count > 0 || group.PendingMembers.Count > 0))
            return ConsumerHeartbeatResult.Failed(ErrorCode.InconsistentGroupProtocol, "The group has members that use the classic protocol");

        var consumer = group?.Consumer ?? new ConsumerGroup();
        var memberId = heartbeat.MemberId.Length > 0 ? heartbeat.MemberId : newId().ToString("D");
        var error = FindMember(consumer, heartbeat, memberId, out var known, out var replaced);
        if (error is not null)
            return error;

        var before = known ?? (replaced is null ? new ConsumerMember { Id = memberId } : replaced with { Id = memberId, Epoch = 0, PreviousEpoch = 0 });
        var member = Update(before, heartbeat);
        var update = new ConsumerGroupUpdate(heartbeat.GroupId, consumer);
        if (group is { Consumer: null, ProtocolType: not null })
            update.Entries.Add(OffsetsTopicFormat.GroupTombstone(group.Id));
        if (replaced is not null)
            update.Replace(replaced, member);
        else
            update.Set(member);

        try
        {
            var view = catalog.View;
            var hash = consumer.ComparedView == view && member.HasSameSubscription(before) && known is not null
                ? consumer.MetadataHash
                : MetadataHash(update.Members, view);
            var isNew = known is null && replaced is null;
            if (isNew || !member.HasSameSubscription(before) || hash != consumer.MetadataHash || consumer.Epoch == 0)
                update.Bump(hash);
            update.ComparedView = view;
            if (update.Epoch > update.TargetEpoch)
                update.Retarget(Assign(update.Members, consumer, replaced, memberId, view));
        }
        catch (RegexMatchTimeoutException)
        {
            return ConsumerHeartbeatResult.Failed(ErrorCode.InvalidRegularExpression, "The regular expression takes too long");
        }

        member = ConsumerReconciliation.Step(
            member, update.TargetOf(memberId), update.TargetEpoch, heartbeat.Owned, HeldByOthers(consumer, memberId, replaced?.Id));
        update.SetProgress(known, member);

        if (update.Entries.Count > 0 && journal.Append(heartbeat.GroupId, update.Entries).Error is var written and not ErrorCode.None)
        {
            Log.GroupNotPersisted(logger, heartbeat.GroupId, written);
            return ConsumerHeartbeatResult.Failed(ErrorCode.CoordinatorNotAvailable, "The change could not be written");
        }

        group ??= groups.Create(heartbeat.GroupId, time.GetUtcNow().ToUnixTimeMilliseconds());
        Apply(group, consumer, update, replaced);
        TouchSession(group, memberId);
        WatchRevocation(group, member);
        var isNews = heartbeat.IsFull || known is null || !member.Assigned.SetEquals(known.Assigned);
        return new ConsumerHeartbeatResult(ErrorCode.None, null, memberId, member.Epoch, isNews ? member.Assigned : null);
    }

    /// <summary>Whether a member may commit, in the words of OffsetCommit v9.</summary>
    public static ErrorCode CheckMember(ConsumerGroup group, string memberId, int memberEpoch)
    {
        if (!group.Members.TryGetValue(memberId, out var member))
            return ErrorCode.UnknownMemberId;
        return member.Epoch == memberEpoch ? ErrorCode.None : ErrorCode.StaleMemberEpoch;
    }

    /// <summary>Ids of the topics a member subscribes to, by name or pattern, that exist.</summary>
    internal static HashSet<Guid> TopicsOf(ConsumerMember member, ClusterView view)
    {
        var topics = new HashSet<Guid>();
        foreach (var name in member.Topics)
        {
            if (view.Find(name) is { } topic)
                topics.Add(topic.Id);
        }

        if (string.IsNullOrEmpty(member.TopicRegex))
            return topics;
        var regex = ParseRegex(member.TopicRegex);
        topics.UnionWith(view.Topics.Values
            .Where(topic => !topic.IsInternal && regex.Match(topic.Name) is { Success: true } && MaySee(member, topic))
            .Select(topic => topic.Id));
        return topics;
    }

    /// <summary>A pattern finds only topics that the member may describe. One that has not been heard of since the broker started keeps those it has.</summary>
    private static bool MaySee(ConsumerMember member, Topic topic) =>
        member.MayDescribe is { } may ? may(topic.Name) : member.Assigned.Any(partition => partition.TopicId == topic.Id);

    private static ConsumerHeartbeatResult? Fault(ConsumerHeartbeat heartbeat)
    {
        var isJoining = heartbeat.MemberEpoch == ConsumerHeartbeat.Join;
        var message =
            heartbeat.GroupId.Length == 0 ? "The group id is empty"
            : heartbeat.InstanceId is { Length: 0 } ? "The instance id is empty"
            : heartbeat.MemberEpoch < ConsumerMember.LeftStatically ? "There is no such member epoch"
            : !isJoining && heartbeat.MemberId.Length == 0 ? "The member id is empty"
            : heartbeat.MemberEpoch == ConsumerMember.LeftStatically && heartbeat.InstanceId is null ? "Only a static member can be away"
            : isJoining && heartbeat.RebalanceTimeoutMs <= 0 ? "A member that joins has to say its rebalance time-out"
            : isJoining && heartbeat.Owned is not { Count: 0 } ? "A member that joins has no partitions"
            : isJoining && heartbeat.Topics is null && heartbeat.TopicRegex is null ? "A member that joins has to say what it subscribes to"
            // Who leaves waits for nothing more, and some clients then say 0.
            : heartbeat.MemberEpoch >= 0 && heartbeat.RebalanceTimeoutMs is < -1 or 0 ? "The rebalance time-out must be more than 0"
            : null;
        if (message is not null)
            return ConsumerHeartbeatResult.Failed(ErrorCode.InvalidRequest, message);
        if (heartbeat.ServerAssignor is { } assignor && !_assignors.Any(one => one.Name == assignor))
            return ConsumerHeartbeatResult.Failed(ErrorCode.UnsupportedAssignor, $"There are {string.Join(", ", _assignors.Select(one => one.Name))}");
        if (string.IsNullOrEmpty(heartbeat.TopicRegex))
            return null;
        try
        {
            ParseRegex(heartbeat.TopicRegex);
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return ConsumerHeartbeatResult.Failed(ErrorCode.InvalidRegularExpression, e.Message);
        }
    }

    /// <summary>The member a heartbeat comes from; null for a new one, which may come in the place of a static one that was away.</summary>
    private ConsumerHeartbeatResult? FindMember(
        ConsumerGroup group, ConsumerHeartbeat heartbeat, string memberId, out ConsumerMember? known, out ConsumerMember? replaced)
    {
        known = group.Members.GetValueOrDefault(memberId);
        replaced = null;
        if (heartbeat.InstanceId is not null)
        {
            var former = group.FindStatic(heartbeat.InstanceId);
            if (former is not null && former.Id != memberId)
            {
                known = null;
                if (heartbeat.MemberEpoch != ConsumerHeartbeat.Join)
                    return ConsumerHeartbeatResult.Failed(ErrorCode.FencedInstanceId, "Another member has this instance id");
                if (former.Epoch != ConsumerMember.LeftStatically)
                    return ConsumerHeartbeatResult.Failed(ErrorCode.UnreleasedInstanceId, "Another member has this instance id and has not left");
                replaced = former;
                return null;
            }

            // One that was away comes back under its old id.
            known = former;
        }

        if (heartbeat.MemberEpoch == ConsumerHeartbeat.Join)
        {
            return known is null && group.Members.Count >= options.MaxSize
                ? ConsumerHeartbeatResult.Failed(ErrorCode.GroupMaxSizeReached, $"The group has {group.Members.Count} members")
                : null;
        }

        if (known is null)
            return ConsumerHeartbeatResult.Failed(ErrorCode.UnknownMemberId, "The group has no such member");
        if (heartbeat.MemberEpoch == known.Epoch)
            return null;
        // It did not get its last answer, and has nothing that it was not given since.
        var isRepeated = heartbeat.MemberEpoch == known.PreviousEpoch && heartbeat.Owned is { } owned && owned.IsSubsetOf(known.Assigned);
        return isRepeated ? null : ConsumerHeartbeatResult.Failed(ErrorCode.FencedMemberEpoch, $"The member is in epoch {known.Epoch}");
    }

    private static ConsumerMember Update(ConsumerMember member, ConsumerHeartbeat heartbeat) => member with
    {
        InstanceId = heartbeat.InstanceId ?? member.InstanceId,
        RackId = heartbeat.RackId ?? member.RackId,
        ClientId = heartbeat.ClientId,
        ClientHost = heartbeat.ClientHost,
        RebalanceTimeoutMs = heartbeat.RebalanceTimeoutMs == -1 ? member.RebalanceTimeoutMs : heartbeat.RebalanceTimeoutMs,
        Topics = heartbeat.Topics is null ? member.Topics : [.. heartbeat.Topics.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        // An empty pattern is how librdkafka says "none".
        TopicRegex = heartbeat.TopicRegex is null ? member.TopicRegex : heartbeat.TopicRegex.Length == 0 ? null : heartbeat.TopicRegex,
        MayDescribe = heartbeat.MayDescribe,
        ServerAssignor = heartbeat.ServerAssignor ?? member.ServerAssignor,
        // It was away as a static member: from here on it is in the epoch of the assignment it left with.
        Epoch = member.Epoch == ConsumerMember.LeftStatically ? 0 : member.Epoch,
    };

    private ConsumerHeartbeatResult Leave(Group? group, ConsumerHeartbeat heartbeat)
    {
        var member = heartbeat.InstanceId is null
            ? group?.Consumer?.Members.GetValueOrDefault(heartbeat.MemberId)
            : group?.Consumer?.FindStatic(heartbeat.InstanceId);
        if (member is null)
            return ConsumerHeartbeatResult.Failed(ErrorCode.UnknownMemberId, "The group has no such member");
        if (member.Id != heartbeat.MemberId)
            return ConsumerHeartbeatResult.Failed(ErrorCode.FencedInstanceId, "Another member has this instance id");

        ErrorCode error;
        if (heartbeat.MemberEpoch == ConsumerMember.LeftStatically)
        {
            // Its partitions stay its own until its session ends.
            var away = member with { Epoch = ConsumerMember.LeftStatically };
            error = journal.Append(group!.Id, [ConsumerGroupFormat.CurrentMemberEntry(group.Id, away)]).Error;
            if (error == ErrorCode.None)
                group.Consumer!.Members[member.Id] = away;
        }
        else
        {
            error = Remove(group!, member, "it left");
        }

        return error == ErrorCode.None
            ? new ConsumerHeartbeatResult(ErrorCode.None, null, member.Id, heartbeat.MemberEpoch, null)
            : ConsumerHeartbeatResult.Failed(ErrorCode.CoordinatorNotAvailable, "The change could not be written");
    }

    private ErrorCode Remove(Group group, ConsumerMember member, string reason)
    {
        var consumer = group.Consumer!;
        var epoch = consumer.Epoch + 1;
        List<JournalEntry> entries = [.. ConsumerGroupFormat.MemberTombstones(group.Id, member.Id), ConsumerGroupFormat.GroupEntry(group.Id, epoch, consumer.MetadataHash)];
        if (journal.Append(group.Id, entries).Error is var error and not ErrorCode.None)
        {
            Log.GroupNotPersisted(logger, group.Id, error);
            return error;
        }

        Log.MemberLeft(logger, group.Id, member.Id, reason);
        consumer.Epoch = epoch;
        consumer.Members.Remove(member.Id);
        consumer.Targets.Remove(member.Id);
        CancelTimers(consumer, member.Id);
        if (consumer.Members.Count == 0)
            group.StateTimestampMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        return ErrorCode.None;
    }

    private static void Apply(Group group, ConsumerGroup consumer, ConsumerGroupUpdate update, ConsumerMember? replaced)
    {
        group.Consumer = consumer;
        group.ProtocolType = null;
        if (replaced is not null)
            CancelTimers(consumer, replaced.Id);
        update.Apply(consumer);
    }

    private int SessionTimeoutMs(string groupId) => ValueOf(GroupConfigKeys.SessionTimeoutMs, groupId);

    private int ValueOf(string key, string groupId)
    {
        var view = catalog.View;
        return GroupConfigKeys.ValueOf(key, view.Config, view.ConfigsOfGroup(groupId));
    }

    private void TouchSession(Group group, string memberId)
    {
        var consumer = group.Consumer!;
        if (consumer.Sessions.TryGetValue(memberId, out var timer) && timer.IsPending)
            timer.Move(SessionTimeoutMs(group.Id));
        else
            consumer.Sessions[memberId] = timers.Schedule(SessionTimeoutMs(group.Id), () => End(group, consumer, memberId, "its session timed out", consumer.Sessions));
    }

    /// <summary>A member that has to give up partitions has its rebalance time-out to do so; then others get them all the same.</summary>
    private void WatchRevocation(Group group, ConsumerMember member)
    {
        var consumer = group.Consumer!;
        if (member.State != ConsumerMemberState.UnrevokedPartitions)
        {
            if (consumer.Revocations.Remove(member.Id, out var timer))
                timer.Cancel();
        }
        else if (!consumer.Revocations.ContainsKey(member.Id))
        {
            consumer.Revocations[member.Id] = timers.Schedule(
                member.RebalanceTimeoutMs, () => End(group, consumer, member.Id, "it did not give up its partitions in time", consumer.Revocations));
        }
    }

    private void End(Group group, ConsumerGroup consumer, string memberId, string reason, Dictionary<string, LoopTimer> deadlines)
    {
        if (group.Consumer != consumer || !consumer.Members.TryGetValue(memberId, out var member))
            return;
        if (Remove(group, member, reason) != ErrorCode.None)
            deadlines[memberId] = timers.Schedule(SessionTimeoutMs(group.Id), () => End(group, consumer, memberId, reason, deadlines));
    }

    private static void CancelTimers(ConsumerGroup group, string memberId)
    {
        if (group.Sessions.Remove(memberId, out var session))
            session.Cancel();
        if (group.Revocations.Remove(memberId, out var revocation))
            revocation.Cancel();
    }

    private static HashSet<PartitionId> HeldByOthers(ConsumerGroup group, string memberId, string? replacedId)
    {
        var held = group.HeldByOthers(memberId);
        if (replacedId is not null && group.Members.TryGetValue(replacedId, out var former))
            held.ExceptWith(former.Assigned.Concat(former.PendingRevocation));
        return held;
    }

    private static Dictionary<string, ImmutableHashSet<PartitionId>> Assign(
        IReadOnlyCollection<ConsumerMember> members, ConsumerGroup group, ConsumerMember? replaced, string memberId, ClusterView view)
    {
        var assignable = members
            .Select(member => new AssignableMember(
                member.Id, member.InstanceId, TopicsOf(member, view), group.TargetOf(replaced is not null && member.Id == memberId ? replaced.Id : member.Id)))
            .ToList();
        var counts = assignable.SelectMany(member => member.Topics).Distinct().ToDictionary(topic => topic, topic => view.Find(topic)!.Partitions.Length);
        return SelectAssignor(members).Assign(assignable, counts);
    }

    private static IServerAssignor SelectAssignor(IEnumerable<ConsumerMember> members)
    {
        var wanted = members
            .Where(member => member.ServerAssignor is not null)
            .GroupBy(member => member.ServerAssignor!, StringComparer.Ordinal)
            .OrderByDescending(wish => wish.Count())
            .ThenBy(wish => wish.Key, StringComparer.Ordinal)
            .FirstOrDefault()?.Key;
        return _assignors.FirstOrDefault(assignor => assignor.Name == wanted) ?? _assignors[0];
    }

    /// <summary>The same in every run of the broker: it is compared with what the last one wrote. FNV-1a over ids and counts in order.</summary>
    private static long MetadataHash(IEnumerable<ConsumerMember> members, ClusterView view)
    {
        var hash = unchecked((long)0xcbf29ce484222325UL);
        Span<byte> bytes = stackalloc byte[20];
        foreach (var topic in members.SelectMany(member => TopicsOf(member, view)).Distinct().Order())
        {
            topic.TryWriteBytes(bytes);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes[16..], view.Find(topic)!.Partitions.Length);
            foreach (var b in bytes)
                hash = unchecked((hash ^ b) * 0x100000001b3L);
        }

        return hash;
    }

    private static Regex ParseRegex(string pattern) =>
        // The whole name has to match, as with Kafka's.
        new($"^(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, _regexLimit);
}
