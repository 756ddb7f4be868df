using Streams.Dsl;
using Xunit;

namespace RandomTopologies;

/// <summary>What must not matter for the results of a topology does not, whatever the topology and its input.</summary>
public sealed class RandomTopologyTests
{
    [Fact]
    public void Stores_on_disk_and_in_memory_give_the_same() => Property.Holds(9, Allowed.SameInAnyStore, static random =>
    {
        var memory = Outcome.Of(random, new RunOptions { Stores = StoreType.InMemory });
        var disk = Outcome.Of(random, new RunOptions { Stores = StoreType.RocksDb });

        // Windows in memory refuse what is older than their retention, those on disk what is older than their oldest segment: only the numbers of
        // refused records may differ, since neither shows it.
        return EachStep("in memory", memory, "on disk", disk) ?? Contents("in memory", memory, "on disk", disk);
    });

    [Fact]
    public void Caching_changes_nothing_in_the_last_value_per_key_and_commit() => Property.Holds(30, Allowed.SameWithCaching, static random =>
    {
        var commits = Points(random, oneIn: 6);
        var stores = random.Seed % 4 == 0 ? StoreType.RocksDb : StoreType.InMemory;
        var plain = Outcome.Of(random, new RunOptions { Stores = stores, Commits = commits, CommitEachRecord = false });
        var cached = Outcome.Of(random, new RunOptions { Stores = stores, Commits = commits, CommitEachRecord = false, CacheBytes = 1 << 20 });

        // So small that it lets go of records between commits too.
        var tight = Outcome.Of(random, new RunOptions { Stores = stores, Commits = commits, CommitEachRecord = false, CacheBytes = 500 });
        return LastValues("without cache", plain, "with", cached, commits) ?? LastValues("without cache", plain, "with a small one", tight, commits);
    });

    [Fact]
    public void One_and_four_partitions_give_the_same_per_key() => Property.Holds(12, Allowed.SameOnPartitions, static random =>
    {
        var one = Outcome.Of(random, new RunOptions());
        var four = Outcome.Of(random, new RunOptions { Partitions = 4 });
        return PerKey("1 partition", one, "4 partitions", four) ?? AtTheEnd("1 partition", one, "4 partitions", four);
    });

    [Fact]
    public void Restarts_change_nothing() => Property.Holds(16, Allowed.SameAfterRestart, static random =>
    {
        // To open a store on disk again costs a hundred times what one in memory does.
        var stores = random.Seed % 8 == 0 ? StoreType.RocksDb : StoreType.InMemory;
        var whole = Outcome.Of(random, new RunOptions { Stores = stores });
        var restarted = Outcome.Of(random, new RunOptions { Stores = stores, Restarts = Points(random, oneIn: stores == StoreType.RocksDb ? 15 : 4) });
        return EachStep("in one piece", whole, "with restarts", restarted) ?? AtTheEnd("in one piece", whole, "with restarts", restarted);
    });

    /// <summary>What an application writes under exactly-once on a broker, with restarts that leave it no time for a commit, is what the driver says.</summary>
    [Fact]
    public void Exactly_once_on_a_broker_with_restarts_gives_what_the_driver_gives() => Property.Holds(4, Allowed.SameOnBroker, static random =>
    {
        // How soon a global table has its update is nobody's promise.
        random = random.With([.. random.Input.Where(input => input.Topic != "g0")]);
        var stores = random.Seed % 4 == 0 ? StoreType.RocksDb : StoreType.InMemory;
        var driven = Outcome.Of(random, new RunOptions { Stores = stores });
        var expected = new Outcome([[.. driven.Steps.SelectMany(step => step).Where(written => !written.Topic.StartsWith("app-", StringComparison.Ordinal))]], [], 0);
        var outputs = expected.Steps[0].Select(written => written.Topic).Distinct().ToList();

        // A topic that is chosen by a value may have a name that no broker takes; the driver takes any.
        if (outputs.Exists(topic => topic.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '_' or '-')))) return null;
        var actual = BrokerRun.Of(random, stores, Points(random, oneIn: 6), outputs);
        return PerKey("in the driver", expected, "on a broker", new Outcome([actual], [], 0));
    });

    // Drawn per event, so that leaving other events out moves them little.
    private static HashSet<int> Points(RandomCase random, int oneIn)
    {
        var draw = new Random(random.Seed);
        return [.. random.Input.Index().Where(_ => draw.Next(oneIn) == 0).Select(entry => entry.Index)];
    }

    private static string? EachStep(string oneName, Outcome one, string otherName, Outcome other)
    {
        for (var step = 0; step < one.Steps.Count; step++)
        {
            if (!one.Steps[step].SequenceEqual(other.Steps[step]))
                return $"event {step}\n{oneName}:\n  {string.Join("\n  ", one.Steps[step])}\n{otherName}:\n  {string.Join("\n  ", other.Steps[step])}";
        }

        return null;
    }

    private static string? AtTheEnd(string oneName, Outcome one, string otherName, Outcome other) => Contents(oneName, one, otherName, other)
        ?? (one.DroppedRecords == other.DroppedRecords ? null : $"dropped {oneName}: {one.DroppedRecords}, {otherName}: {other.DroppedRecords}");

    private static string? Contents(string oneName, Outcome one, string otherName, Outcome other) => one.Stores.SequenceEqual(other.Stores)
        ? null
        : $"stores, only {oneName}:\n  {string.Join("\n  ", one.Stores.Except(other.Stores))}\nonly {otherName}:\n  {string.Join("\n  ", other.Stores.Except(one.Stores))}";

    private static string? PerKey(string oneName, Outcome one, string otherName, Outcome other)
    {
        var (ones, others) = (ByKey(one), ByKey(other));
        foreach (var key in ones.Keys.Union(others.Keys))
        {
            var (left, right) = (ones.GetValueOrDefault(key, []), others.GetValueOrDefault(key, []));
            if (!left.SequenceEqual(right))
                return $"key {key}\n{oneName}:\n  {string.Join("\n  ", left)}\n{otherName}:\n  {string.Join("\n  ", right)}";
        }

        return null;
    }

    private static Dictionary<(string Topic, string? Key), List<Written>> ByKey(Outcome outcome) =>
        outcome.Steps.SelectMany(step => step).Where(written => !written.Topic.EndsWith("-changelog", StringComparison.Ordinal)).GroupBy(written => (written.Topic, written.Key)).ToDictionary(group => group.Key, group => group.ToList());

    private static string? LastValues(string oneName, Outcome one, string otherName, Outcome other, HashSet<int> commits)
    {
        var (ones, others) = (new SortedDictionary<string, string>(StringComparer.Ordinal), new SortedDictionary<string, string>(StringComparer.Ordinal));
        for (var step = 0; step < one.Steps.Count; step++)
        {
            Compact(one.Steps[step], ones);
            Compact(other.Steps[step], others);
            if (!commits.Contains(step) && step < one.Steps.Count - 1) continue;
            if (!ones.SequenceEqual(others))
                return $"commit after event {step}, only {oneName}: {string.Join(" ", ones.Except(others))}; only {otherName}: {string.Join(" ", others.Except(ones))}";
        }

        return null;
    }

    // What a compacted topic comes to: the last value of each key. A group that was counted down to 0 and one that never counted are the same.
    private static void Compact(IReadOnlyList<Written> step, SortedDictionary<string, string> values)
    {
        foreach (var written in step.Where(written => written.Topic.StartsWith("out-", StringComparison.Ordinal)))
        {
            var key = $"{written.Topic} {written.Key ?? "null"}";

            // Where such a count goes on through "append" (the only change of it that is drawn), its end is a plus sign or several.
            if (written.Value?.TrimEnd('+') is null or "0") values.Remove(key);
            else values[key] = written.Value;
        }
    }
}
