using Streams.Client.Consuming;

namespace Streams.Client.Tests;

public sealed class PartitionAssignorTests
{
    [Fact]
    public void Range_gives_each_member_a_run_of_each_topic()
    {
        var assigned = Assign(GroupAssignment.Range, [("a", ["t", "u"]), ("b", ["t", "u"])], [("t", 3), ("u", 3)]);
        Assert.Equal(["t-0", "t-1", "u-0", "u-1"], assigned["a"]);
        Assert.Equal(["t-2", "u-2"], assigned["b"]);
    }

    [Fact]
    public void Round_robin_goes_through_all_partitions()
    {
        var assigned = Assign(GroupAssignment.RoundRobin, [("a", ["t", "u"]), ("b", ["t", "u"])], [("t", 3), ("u", 3)]);
        Assert.Equal(["t-0", "t-2", "u-1"], assigned["a"]);
        Assert.Equal(["t-1", "u-0", "u-2"], assigned["b"]);
    }

    [Theory]
    [InlineData(GroupAssignment.Range)]
    [InlineData(GroupAssignment.RoundRobin)]
    public void Every_partition_goes_to_one_member_that_wants_it(GroupAssignment strategy)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var topics = Enumerable.Range(0, random.Next(1, 6)).Select(number => ($"t{number}", random.Next(1, 9))).ToArray();
            var members = Enumerable.Range(0, random.Next(1, 7)).Select(number => ($"m{number}", topics.Where(_ => random.Next(2) == 0).Select(topic => topic.Item1).ToArray())).ToArray();
            var assigned = Assign(strategy, members, topics);
            var expected = topics.Where(topic => members.Any(member => member.Item2.Contains(topic.Item1))).SelectMany(topic => Enumerable.Range(0, topic.Item2).Select(partition => $"{topic.Item1}-{partition}"));
            Assert.True(expected.Order(StringComparer.Ordinal).SequenceEqual(assigned.Values.SelectMany(list => list).Order(StringComparer.Ordinal)), $"seed {seed}");
            foreach (var (member, wanted) in members) Assert.All(assigned[member], partition => Assert.Contains(partition.Split('-')[0], wanted));
        }
    }

    private static Dictionary<string, string[]> Assign(GroupAssignment strategy, (string Member, string[] Topics)[] members, (string Topic, int Count)[] counts) =>
        PartitionAssignor.Assign(
            strategy,
            members.ToDictionary(member => member.Member, member => (IReadOnlyCollection<string>)member.Topics),
            counts.ToDictionary(topic => topic.Topic, topic => topic.Count))
        .ToDictionary(entry => entry.Key, entry => entry.Value.Select(partition => $"{partition.Topic}-{partition.Partition}").ToArray());
}
