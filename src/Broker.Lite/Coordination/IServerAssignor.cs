using System.Collections.Immutable;

namespace Broker.Lite.Coordination;

/// <summary>A member as an assignor sees it.</summary>
/// <param name="Id">The member's id.</param>
/// <param name="InstanceId">Its instance id, or null.</param>
/// <param name="Topics">Ids of the topics it subscribes to that exist.</param>
/// <param name="Current">What it was to have so far.</param>
internal sealed record AssignableMember(string Id, string? InstanceId, IReadOnlySet<Guid> Topics, ImmutableHashSet<PartitionId> Current);

/// <summary>Divides partitions among the members of a group, in the broker (KIP-848).</summary>
internal interface IServerAssignor
{
    /// <summary>The name members ask for it by.</summary>
    string Name { get; }

    /// <summary>Gives every partition that somebody subscribes to one owner among its subscribers.</summary>
    /// <param name="members">The members.</param>
    /// <param name="partitionCounts">Number of partitions by topic id.</param>
    /// <returns>By member id, an entry for each member.</returns>
    Dictionary<string, ImmutableHashSet<PartitionId>> Assign(IReadOnlyList<AssignableMember> members, IReadOnlyDictionary<Guid, int> partitionCounts);
}
