using System.Collections.Immutable;
using Broker.Lite.Coordination;

namespace Broker.Lite.Tests.Coordination;

public sealed class ServerAssignorTests
{
    private static readonly Guid[] _topics = [.. Enumerable.Range(1, 5).Select(i => new Guid(i, 0, 0, new byte[8]))];

    [Fact]
    public void Range_gives_runs_and_the_first_members_one_more()
    {
        var members = new[] { Member("c", 0), Member("a", 0), Member("b", 0, 1) };
        var assigned = new RangeAssignor().Assign(members, new Dictionary<Guid, int> { [_topics[0]] = 7, [_topics[1]] = 2 });
        Assert.Equal([0, 1, 2], Numbers(assigned["a"], 0));
        Assert.Equal([3, 4], Numbers(assigned["b"], 0));
        Assert.Equal([5, 6], Numbers(assigned["c"], 0));
        Assert.Equal([0, 1], Numbers(assigned["b"], 1));
        Assert.Empty(Numbers(assigned["a"], 1));
    }

    [Fact]
    public void Uniform_moves_no_more_than_evenness_takes()
    {
        var counts = new Dictionary<Guid, int> { [_topics[0]] = 10 };
        var one = new UniformAssignor().Assign([Member("a", 0)], counts);
        var two = new UniformAssignor().Assign([Member("a", 0) with { Current = one["a"] }, Member("b", 0)], counts);
        Assert.Equal((5, 5), (two["a"].Count, two["b"].Count));
        Assert.Subset(one["a"].ToHashSet(), two["a"].ToHashSet());
        var three = new UniformAssignor().Assign([Member("a", 0) with { Current = two["a"] }, Member("b", 0) with { Current = two["b"] }, Member("c", 0)], counts);
        Assert.Equal([3, 3, 4], three.Values.Select(partitions => partitions.Count).Order());
        Assert.Equal(7, three["a"].Intersect(two["a"]).Count + three["b"].Intersect(two["b"]).Count);
    }

    [Fact]
    public void Every_assignor_gives_each_partition_one_subscriber_and_uniform_is_even_and_stable()
    {
        for (var seed = 1; seed <= 500; seed++)
        {
            var random = new Random(seed);
            var counts = _topics.Take(random.Next(0, _topics.Length + 1)).ToDictionary(topic => topic, _ => random.Next(0, 12));
            var members = Enumerable.Range(0, random.Next(1, 7))
                .Select(i => Member($"m{i}", [.. Enumerable.Range(0, _topics.Length).Where(topic => counts.ContainsKey(_topics[topic]) && random.Next(3) > 0)]))
                .Select(member => member with { Current = [.. Enumerable.Range(0, random.Next(5)).Select(_ => new PartitionId(_topics[random.Next(_topics.Length)], random.Next(14)))] })
                .ToList();
            foreach (var assignor in new IServerAssignor[] { new RangeAssignor(), new UniformAssignor() })
            {
                var assigned = assignor.Assign(members, counts);
                Assert.Equal(members.Select(member => member.Id).Order(), assigned.Keys.Order());
                var all = assigned.SelectMany(entry => entry.Value).ToList();
                Assert.True(all.Count == all.Distinct().Count(), $"seed {seed}: a partition has two owners");
                var expected = counts.Where(topic => members.Exists(member => member.Topics.Contains(topic.Key))).Sum(topic => topic.Value);
                Assert.True(all.Count == expected, $"seed {seed}: {all.Count} of {expected} partitions are assigned by {assignor.Name}");
                foreach (var member in members)
                    Assert.All(assigned[member.Id], partition => Assert.True(member.Topics.Contains(partition.TopicId) && partition.Partition < counts[partition.TopicId], $"seed {seed}"));
                if (assignor is not UniformAssignor)
                    continue;

                // Even: nobody has a partition that a member with two fewer could take.
                foreach (var (id, partitions) in assigned)
                {
                    foreach (var other in members.Where(other => assigned[other.Id].Count + 1 < partitions.Count))
                        Assert.True(!partitions.Any(partition => other.Topics.Contains(partition.TopicId)), $"seed {seed}: {id} could give to {other.Id}");
                }

                var again = assignor.Assign([.. members.Select(member => member with { Current = assigned[member.Id] })], counts);
                Assert.All(assigned, entry => Assert.True(entry.Value.SetEquals(again[entry.Key]), $"seed {seed}: what is even is changed"));
            }
        }
    }

    private static AssignableMember Member(string id, params int[] topics) => new(id, null, topics.Select(topic => _topics[topic]).ToHashSet(), []);

    private static IEnumerable<int> Numbers(ImmutableHashSet<PartitionId> partitions, int topic) =>
        partitions.Where(partition => partition.TopicId == _topics[topic]).Select(partition => partition.Partition).Order();
}
