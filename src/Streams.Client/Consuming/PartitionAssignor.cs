namespace Streams.Client.Consuming;

/// <summary>Divides partitions among the members of a group. Pure; the same input gives the same answer on every leader.</summary>
internal static class PartitionAssignor
{
    /// <param name="strategy">How.</param>
    /// <param name="subscriptions">Topics of each member.</param>
    /// <param name="partitionCounts">Partitions of each topic that exists.</param>
    public static Dictionary<string, List<(string Topic, int Partition)>> Assign(
        GroupAssignment strategy, IReadOnlyDictionary<string, IReadOnlyCollection<string>> subscriptions, IReadOnlyDictionary<string, int> partitionCounts)
    {
        var assigned = subscriptions.Keys.ToDictionary(member => member, _ => new List<(string Topic, int Partition)>(), StringComparer.Ordinal);
        var topics = partitionCounts.Where(topic => subscriptions.Values.Any(wanted => wanted.Contains(topic.Key))).OrderBy(topic => topic.Key, StringComparer.Ordinal).ToList();
        var members = subscriptions.Keys.Order(StringComparer.Ordinal).ToList();
        var turn = 0;
        foreach (var (topic, count) in topics)
        {
            if (strategy == GroupAssignment.RoundRobin)
            {
                for (var partition = 0; partition < count; partition++)
                {
                    // Members that do not want the topic are passed over; somebody wants it.
                    while (!subscriptions[members[turn % members.Count]].Contains(topic)) turn++;
                    assigned[members[turn++ % members.Count]].Add((topic, partition));
                }

                continue;
            }

            var takers = members.Where(member => subscriptions[member].Contains(topic)).ToList();
            var next = 0;
            for (var index = 0; index < takers.Count; index++)
            {
                var share = count / takers.Count + (index < count % takers.Count ? 1 : 0);
                for (var taken = 0; taken < share; taken++) assigned[takers[index]].Add((topic, next++));
            }
        }

        return assigned;
    }
}
