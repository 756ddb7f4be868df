using System.Collections.Immutable;

namespace Broker.Lite.Coordination;

/// <summary>
/// As even as the subscriptions allow, and moving as little as that takes: members keep what they have, what is free goes to whoever has
/// least, and then partitions move from those with more to those with less as long as the difference is more than one.
/// </summary>
internal sealed class UniformAssignor : IServerAssignor
{
    public string Name => "uniform";

    public Dictionary<string, ImmutableHashSet<PartitionId>> Assign(IReadOnlyList<AssignableMember> members, IReadOnlyDictionary<Guid, int> partitionCounts)
    {
        // By id, so that the outcome depends on nothing but the input.
        var ordered = members.OrderBy(member => member.Id, StringComparer.Ordinal).ToList();
        var assigned = ordered.ToDictionary(member => member.Id, _ => new SortedSet<PartitionId>(_byTopicAndNumber), StringComparer.Ordinal);
        var subscribers = partitionCounts.Keys.ToDictionary(topic => topic, topic => ordered.Where(member => member.Topics.Contains(topic)).ToList());

        var taken = new HashSet<PartitionId>();
        foreach (var member in ordered)
        {
            foreach (var partition in member.Current)
            {
                if (member.Topics.Contains(partition.TopicId) && partition.Partition < partitionCounts.GetValueOrDefault(partition.TopicId) && taken.Add(partition))
                    assigned[member.Id].Add(partition);
            }
        }

        foreach (var (topic, count) in partitionCounts.OrderBy(topic => topic.Key))
        {
            for (var number = 0; number < count && subscribers[topic].Count > 0; number++)
            {
                var partition = new PartitionId(topic, number);
                if (!taken.Contains(partition))
                    assigned[Poorest(subscribers[topic], assigned).Id].Add(partition);
            }
        }

        Balance(ordered, subscribers, assigned);
        return assigned.ToDictionary(entry => entry.Key, entry => entry.Value.ToImmutableHashSet(), StringComparer.Ordinal);
    }

    private static readonly Comparer<PartitionId> _byTopicAndNumber =
        Comparer<PartitionId>.Create((one, other) => (one.TopicId, one.Partition).CompareTo((other.TopicId, other.Partition)));

    /// <summary>Each move makes the sum of the squares of the counts smaller, so there is an end.</summary>
    private static void Balance(
        List<AssignableMember> members, Dictionary<Guid, List<AssignableMember>> subscribers, Dictionary<string, SortedSet<PartitionId>> assigned)
    {
        bool moved;
        do
        {
            moved = false;
            foreach (var member in members.OrderByDescending(member => assigned[member.Id].Count))
            {
                var own = assigned[member.Id];
                // Topic by topic: all partitions of one have the same takers.
                foreach (var topic in own.Select(partition => partition.TopicId).Distinct().ToList())
                {
                    while (Poorest(subscribers[topic], assigned) is var poorest && assigned[poorest.Id].Count + 1 < own.Count)
                    {
                        if (own.GetViewBetween(new PartitionId(topic, 0), new PartitionId(topic, int.MaxValue)) is not { Count: > 0 } ofTopic)
                            break;
                        var partition = ofTopic.Max;
                        own.Remove(partition);
                        assigned[poorest.Id].Add(partition);
                        moved = true;
                    }
                }
            }
        }
        while (moved);
    }

    private static AssignableMember Poorest(List<AssignableMember> members, Dictionary<string, SortedSet<PartitionId>> assigned)
    {
        var poorest = members[0];
        foreach (var member in members)
        {
            if (assigned[member.Id].Count < assigned[poorest.Id].Count)
                poorest = member;
        }

        return poorest;
    }
}
