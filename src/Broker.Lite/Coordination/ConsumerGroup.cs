using System.Collections.Immutable;
using Broker.Lite.Metadata;

namespace Broker.Lite.Coordination;

/// <summary>
/// The members of a group that uses the consumer protocol (KIP-848), and what each is to have. Pure state;
/// <see cref="ConsumerGroupCoordinator"/> makes the moves. Owned by the loop.
/// </summary>
internal sealed class ConsumerGroup
{
    /// <summary>Raised by everything that asks for a new target assignment.</summary>
    public int Epoch { get; set; }

    /// <summary>The epoch for which <see cref="Targets"/> was made.</summary>
    public int TargetEpoch { get; set; }

    /// <summary>Stands for the topics subscribed to and their numbers of partitions, at <see cref="Epoch"/>.</summary>
    public long MetadataHash { get; set; }

    /// <summary>The picture of the topics for which the hash was last compared, to compare once per picture.</summary>
    public ClusterView? ComparedView { get; set; }

    public Dictionary<string, ConsumerMember> Members { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, ImmutableHashSet<PartitionId>> Targets { get; } = new(StringComparer.Ordinal);

    /// <summary>By member id: removes the member when it is not heard of in time.</summary>
    public Dictionary<string, LoopTimer> Sessions { get; } = new(StringComparer.Ordinal);

    /// <summary>By member id: removes the member when it does not give up its partitions in time.</summary>
    public Dictionary<string, LoopTimer> Revocations { get; } = new(StringComparer.Ordinal);

    /// <summary>The state as ListGroups and ConsumerGroupDescribe name it.</summary>
    public string State =>
        Members.Count == 0 ? "Empty"
        : Epoch > TargetEpoch ? "Assigning"
        : Members.Values.Any(member => member.State != ConsumerMemberState.Stable || member.Epoch != TargetEpoch) ? "Reconciling"
        : "Stable";

    public ConsumerMember? FindStatic(string instanceId) => Members.Values.FirstOrDefault(member => member.InstanceId == instanceId);

    public ImmutableHashSet<PartitionId> TargetOf(string memberId) => Targets.GetValueOrDefault(memberId) ?? [];

    /// <summary>What the other members have, and those they have not given up yet.</summary>
    public HashSet<PartitionId> HeldByOthers(string memberId) =>
        [.. Members.Values.Where(member => member.Id != memberId).SelectMany(member => member.Assigned.Concat(member.PendingRevocation))];
}
