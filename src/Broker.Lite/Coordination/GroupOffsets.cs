using System.Text;
using Broker.Lite.Diagnostics;
using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Coordination;

/// <summary>
/// The committed offsets of groups: commit, fetch, delete and expiry. A commit is in the journal before it is visible and acknowledged.
/// Runs on the <see cref="BrokerLoop"/>.
/// </summary>
internal sealed class GroupOffsets(
    GroupDirectory groups, GroupCoordinator coordinator, GroupOptions options, TimeProvider time, IGroupJournal journal, ILogger logger)
{
    /// <summary>A producer in one epoch.</summary>
    private readonly record struct ProducerIdentity(long Id, short Epoch);

    /// <summary>One partition's commit. It fails, alone, if the partition does not exist.</summary>
    internal readonly record struct Commit(OffsetPartition Partition, long Offset, int LeaderEpoch, string? Metadata, bool Exists);

    /// <summary>
    /// Commits offsets, for a member of the current generation or, with generation -1, for a client that manages partitions by itself.
    /// Returns one error per commit, in their order.
    /// </summary>
    /// <param name="groupId">The group.</param>
    /// <param name="memberId">The member, or empty.</param>
    /// <param name="instanceId">The member's instance id, or null.</param>
    /// <param name="generationId">The classic generation or the consumer protocol's member epoch, or -1.</param>
    /// <param name="knowsEpochs">Whether the client knows the errors of the consumer protocol.</param>
    /// <param name="commits">What to commit.</param>
    public ErrorCode[] CommitAll(
        string groupId, string memberId, string? instanceId, int generationId, bool knowsEpochs, IReadOnlyList<Commit> commits)
    {
        var error = CheckCommit(groupId, memberId, instanceId, generationId, knowsEpochs, out var group);
        return error == ErrorCode.None ? Store(groupId, group, commits, null) : FailAll(commits, error);
    }

    /// <summary>
    /// Commits offsets as part of a transaction: they count, and can be seen, once it is committed (KIP-98). A consumer that says who it
    /// is must be a member of the current generation (KIP-447); without generation and member id nothing is checked, as producers before
    /// that had it. That the group is part of the transaction is the transaction coordinator's to check, before.
    /// </summary>
    public ErrorCode[] CommitInTransaction(
        string groupId, string memberId, string? instanceId, int generationId, long producerId, short producerEpoch, IReadOnlyList<Commit> commits)
    {
        var group = groups.Find(groupId);
        if (groupId.Length == 0)
            return FailAll(commits, ErrorCode.InvalidGroupId);
        var isOutsider = generationId < 0 && (group is null || group.IsEmpty);
        if (!isOutsider && (generationId >= 0 || memberId.Length > 0 || instanceId is not null))
        {
            if (group is null)
                return FailAll(commits, ErrorCode.IllegalGeneration);
            if (group.Consumer is { Members.Count: > 0 } consumer)
            {
                var fault = ConsumerGroupCoordinator.CheckMember(consumer, memberId, generationId);
                return fault == ErrorCode.None
                    ? Store(groupId, group, commits, new ProducerIdentity(producerId, producerEpoch))
                    : FailAll(commits, fault == ErrorCode.StaleMemberEpoch ? ErrorCode.IllegalGeneration : fault);
            }

            var error = coordinator.Check(groupId, memberId, instanceId, generationId, out _, out var member);
            if (error != ErrorCode.None)
                return FailAll(commits, error);
            coordinator.TouchSession(group, member!);
        }

        return Store(groupId, group, commits, new ProducerIdentity(producerId, producerEpoch));
    }

    /// <summary>A producer's transaction has ended in a partition of the journal.</summary>
    public void CompleteTransaction(long producerId, bool isCommit, int journalPartition) =>
        groups.CompleteTransaction(producerId, isCommit, groupId => journal.PartitionOf(groupId) == journalPartition);

    /// <summary>Whether a partition has a commit in a transaction that has not ended, which may change what is committed (KIP-447).</summary>
    public bool IsUnstable(string groupId, OffsetPartition partition) => groups.Find(groupId)?.HasPendingOffset(partition) ?? false;

    private ErrorCode[] Store(string groupId, Group? group, IReadOnlyList<Commit> commits, ProducerIdentity? producer)
    {
        var errors = new ErrorCode[commits.Count];
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var entries = new List<JournalEntry>(commits.Count);
        for (var i = 0; i < commits.Count; i++)
        {
            var commit = commits[i];
            errors[i] = !commit.Exists ? ErrorCode.UnknownTopicOrPartition
                : Encoding.UTF8.GetByteCount(commit.Metadata ?? "") > options.OffsetMetadataMaxBytes ? ErrorCode.OffsetMetadataTooLarge
                : ErrorCode.None;
            if (errors[i] == ErrorCode.None)
                entries.Add(OffsetsTopicFormat.OffsetEntry(groupId, commit.Partition, ToCommitted(commit, now)));
        }

        if (entries.Count == 0)
            return errors;

        var written = producer is { } writer
            ? journal.AppendInTransaction(groupId, writer.Id, writer.Epoch, entries)
            : journal.Append(groupId, entries);
        if (written.Error != ErrorCode.None)
        {
            Log.GroupNotPersisted(logger, groupId, written.Error);
            for (var i = 0; i < errors.Length; i++)
                errors[i] = errors[i] == ErrorCode.None ? ErrorCode.CoordinatorNotAvailable : errors[i];
            return errors;
        }

        group ??= groups.Create(groupId, now);
        var journalOffset = written.BaseOffset;
        for (var i = 0; i < commits.Count; i++)
        {
            if (errors[i] != ErrorCode.None)
                continue;
            var committed = ToCommitted(commits[i], now) with { JournalOffset = journalOffset++ };
            if (producer is { } owner)
                groups.AddPending(group, owner.Id, commits[i].Partition, committed);
            else
                group.Offsets[commits[i].Partition] = committed;
        }

        return errors;
    }

    /// <summary>The committed offset of a partition, or null if there is none.</summary>
    public CommittedOffset? Find(string groupId, OffsetPartition partition) =>
        groups.Find(groupId) is { } group && group.Offsets.TryGetValue(partition, out var offset) ? offset : null;

    /// <summary>
    /// Forgets committed offsets of partitions that no member subscribes to. Returns one error per partition, or one for the whole group.
    /// </summary>
    public (ErrorCode GroupError, ErrorCode[] Errors) Delete(string groupId, IReadOnlyList<OffsetPartition> partitions)
    {
        var errors = new ErrorCode[partitions.Count];
        if (groupId.Length == 0)
            return (ErrorCode.InvalidGroupId, errors);
        if (groups.Find(groupId) is not { } group)
            return (ErrorCode.GroupIdNotFound, errors);
        if (group.State != GroupState.Empty && group.ProtocolType != ConsumerSubscription.ProtocolType)
            return (ErrorCode.NonEmptyGroup, errors);

        var subscribed = group.IsEmpty ? [] : ConsumerSubscription.TopicsOf(group);
        for (var i = 0; i < partitions.Count; i++)
            errors[i] = subscribed.Contains(partitions[i].Topic) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None;

        var doomed = partitions.Where((partition, i) => errors[i] == ErrorCode.None && group.Offsets.ContainsKey(partition)).ToList();
        var error = Forget(group, doomed);
        return (error, errors);
    }

    /// <summary>Deletes a group without members, and its offsets.</summary>
    public ErrorCode DeleteGroup(string groupId)
    {
        if (groupId.Length == 0)
            return ErrorCode.InvalidGroupId;
        if (groups.Find(groupId) is not { } group)
            return ErrorCode.GroupIdNotFound;
        if (!group.IsEmpty)
            return ErrorCode.NonEmptyGroup;
        return Remove(group);
    }

    /// <summary>Forgets all offsets in a topic that was deleted, so that a new topic of that name starts afresh.</summary>
    public void OnTopicDeleted(string topic)
    {
        foreach (var group in groups.All.ToList())
        {
            var doomed = AllPartitions(group).Where(partition => partition.Topic == topic).ToList();
            if (Forget(group, doomed) is var error and not ErrorCode.None)
                Log.GroupNotPersisted(logger, group.Id, error);
        }
    }

    /// <summary>
    /// Forgets offsets that nobody came back for: of a group that is empty, committed and left longer ago than offsets.retention.minutes
    /// (KIP-211). Groups with nothing left go too.
    /// </summary>
    public void Expire()
    {
        var oldest = time.GetUtcNow().ToUnixTimeMilliseconds() - options.OffsetRetentionMs;
        foreach (var group in groups.All.Where(group => group.IsEmpty && group.PendingMembers.Count == 0).ToList())
        {
            // A group that only stored offsets never had members to leave: there each commit counts for itself.
            var emptySince = group.ProtocolType is null && group.Consumer is null ? long.MinValue : group.StateTimestampMs;
            var doomed = group.Offsets
                .Where(entry => Math.Max(emptySince, entry.Value.CommitTimestampMs) <= oldest && !group.HasPendingOffset(entry.Key))
                .Select(entry => entry.Key)
                .ToList();
            var error = doomed.Count == group.Offsets.Count && group.PendingOffsets.Count == 0 ? Remove(group) : Forget(group, doomed);
            if (error != ErrorCode.None)
                Log.GroupNotPersisted(logger, group.Id, error);
        }
    }

    private ErrorCode CheckCommit(string groupId, string memberId, string? instanceId, int generationId, bool knowsEpochs, out Group? group)
    {
        group = groups.Find(groupId);
        // Kafka lets old clients commit to the group "" but nothing can be kept under it; the newer rule for everybody.
        if (groupId.Length == 0)
            return ErrorCode.InvalidGroupId;
        // Whatever member id comes along: members of the consumer protocol make up their own (KIP-848), and send it also when they assign partitions themselves.
        if (generationId < 0 && (group is null || group.IsEmpty))
            return ErrorCode.None;
        if (group is null)
            return knowsEpochs ? ErrorCode.GroupIdNotFound : ErrorCode.IllegalGeneration;
        if (group.Consumer is { Members.Count: > 0 } consumer)
        {
            var fault = ConsumerGroupCoordinator.CheckMember(consumer, memberId, generationId);
            return fault == ErrorCode.StaleMemberEpoch && !knowsEpochs ? ErrorCode.UnsupportedVersion : fault;
        }

        var error = coordinator.Check(groupId, memberId, instanceId, generationId, out _, out var member);
        if (error != ErrorCode.None)
            return error;
        coordinator.TouchSession(group, member!);
        // The member has no partitions yet in this generation, and whatever it had belongs to the last one.
        return group.State == GroupState.CompletingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }

    private ErrorCode Forget(Group group, List<OffsetPartition> doomed)
    {
        if (doomed.Count == 0)
            return ErrorCode.None;
        var written = journal.Append(group.Id, [.. doomed.Select(partition => OffsetsTopicFormat.OffsetTombstone(group.Id, partition))]);
        if (written.Error != ErrorCode.None)
            return ErrorCode.CoordinatorNotAvailable;
        foreach (var partition in doomed)
            group.RemoveOffset(partition);
        return ErrorCode.None;
    }

    private ErrorCode Remove(Group group)
    {
        var entries = AllPartitions(group).Select(partition => OffsetsTopicFormat.OffsetTombstone(group.Id, partition)).ToList();
        entries.Add(OffsetsTopicFormat.GroupTombstone(group.Id));
        if (group.Consumer is not null)
            entries.AddRange(ConsumerGroupFormat.GroupTombstones(group.Id));
        if (journal.Append(group.Id, entries).Error != ErrorCode.None)
            return ErrorCode.CoordinatorNotAvailable;
        groups.Remove(group);
        return ErrorCode.None;
    }

    private static IEnumerable<OffsetPartition> AllPartitions(Group group) =>
        group.Offsets.Keys.Concat(group.PendingOffsets.Values.SelectMany(pending => pending.Keys)).Distinct();

    // A partition that does not exist says so whatever else is wrong, as in Kafka, which looks for it before it asks the group.
    private static ErrorCode[] FailAll(IReadOnlyList<Commit> commits, ErrorCode error)
    {
        var errors = new ErrorCode[commits.Count];
        for (var i = 0; i < errors.Length; i++)
            errors[i] = commits[i].Exists ? error : ErrorCode.UnknownTopicOrPartition;
        return errors;
    }

    private static CommittedOffset ToCommitted(in Commit commit, long now) => new(commit.Offset, commit.LeaderEpoch, commit.Metadata ?? "", now);
}
