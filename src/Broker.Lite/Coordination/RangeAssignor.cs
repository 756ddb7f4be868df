using System.Collections.Immutable;

namespace Broker.Lite.Coordination;

/// <summary>
/// Each topic's partitions in runs, in the order of the members: members with the same subscription get the same numbers of each topic, which
/// is what joins of co-partitioned topics ask for. Static members come by instance id, so that a restart does not change who gets what.
/// </summary>
internal sealed class RangeAssignor : IServerAssignor
{
    public string Name => "range";

    public Dictionary<string, ImmutableHashSet<PartitionId>> Assign(IReadOnlyList<AssignableMember> members, IReadOnlyDictionary<Guid, int> partitionCounts)
    {
        var assigned = members.ToDictionary(member => member.Id, _ => ImmutableHashSet.CreateBuilder<PartitionId>(), StringComparer.Ordinal);
        var ordered = members
            .OrderBy(member => member.InstanceId is null)
            .ThenBy(member => member.InstanceId ?? member.Id, StringComparer.Ordinal)
            .ToList();
        foreach (var (topic, count) in partitionCounts)
        {
            var subscribers = ordered.Where(member => member.Topics.Contains(topic)).ToList();
            if (subscribers.Count == 0)
                continue;
            var (share, extra) = Math.DivRem(count, subscribers.Count);
            var next = 0;
            for (var i = 0; i < subscribers.Count; i++)
            {
                for (var end = next + share + (i < extra ? 1 : 0); next < end; next++)
                    assigned[subscribers[i].Id].Add(new PartitionId(topic, next));
            }
        }

        return assigned.ToDictionary(entry => entry.Key, entry => entry.Value.ToImmutable(), StringComparer.Ordinal);
    }
}
