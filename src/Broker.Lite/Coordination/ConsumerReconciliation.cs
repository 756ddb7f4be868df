using System.Collections.Immutable;

namespace Broker.Lite.Coordination;

/// <summary>
/// Takes a member one step towards its target: first it gives up what is not its own any more, then it gets what others have given up, so
/// that a partition never has two owners.
/// </summary>
/// <remarks>Source: KIP-848, "Assignment reconciliation".</remarks>
internal static class ConsumerReconciliation
{
    /// <summary>The member after the step.</summary>
    /// <param name="member">The member.</param>
    /// <param name="target">What it is to have.</param>
    /// <param name="targetEpoch">The epoch in which it is to have that.</param>
    /// <param name="owned">What it says it has; null when that is what it said last.</param>
    /// <param name="heldByOthers">What it cannot get yet.</param>
    public static ConsumerMember Step(
        ConsumerMember member, ImmutableHashSet<PartitionId> target, int targetEpoch, IReadOnlySet<PartitionId>? owned, IReadOnlySet<PartitionId> heldByOthers)
    {
        switch (member.State)
        {
            case ConsumerMemberState.Stable when member.Epoch == targetEpoch:
                return member;
            case ConsumerMemberState.UnrevokedPartitions when StillOwns(owned, member.PendingRevocation):
                return member;
            default:
                return Next(member, target, targetEpoch, owned, heldByOthers);
        }
    }

    private static ConsumerMember Next(
        ConsumerMember member, ImmutableHashSet<PartitionId> target, int targetEpoch, IReadOnlySet<PartitionId>? owned, IReadOnlySet<PartitionId> heldByOthers)
    {
        var kept = member.Assigned.Intersect(target);
        var revoked = member.Assigned.Except(target);
        if (!revoked.IsEmpty && StillOwns(owned, revoked))
        {
            // It stays in its epoch, in which its commits for these partitions count, until it has given them up.
            return member with { State = ConsumerMemberState.UnrevokedPartitions, Assigned = kept, PendingRevocation = revoked };
        }

        var available = target.Except(heldByOthers);
        return member with
        {
            State = available.Count == target.Count ? ConsumerMemberState.Stable : ConsumerMemberState.UnreleasedPartitions,
            PreviousEpoch = member.Epoch == targetEpoch ? member.PreviousEpoch : member.Epoch,
            Epoch = targetEpoch,
            Assigned = available.Union(kept),
            PendingRevocation = [],
        };
    }

    private static bool StillOwns(IReadOnlySet<PartitionId>? owned, ImmutableHashSet<PartitionId> partitions) => owned is null || partitions.Overlaps(owned);
}
