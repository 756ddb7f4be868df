using Streams.Dsl.Tests.EdgeCases;
using Xunit;

namespace Streams.Dsl.Tests.MoreOperators;

/// <summary>Leaving duplicates out.</summary>
public sealed class DeduplicateTests
{
    [Fact]
    public void First_of_a_key_passes_and_others_within_the_interval_do_not()
    {
        using var lab = ByKey();
        lab.Pipe("in", "k", "first", 100);
        lab.Pipe("in", "k", "again", 109);
        lab.Pipe("in", "other", "first", 105);
        Assert.Equal("k=first@100 other=first@105", lab.Out());
        Assert.Equal("k=again,Duplicate,-,109,dedup,in-0:1@109", lab.Out("dropped"));
        Assert.Equal(0, lab.Driver.DroppedRecords);
    }

    [Fact]
    public void Record_an_interval_later_passes_and_duplicates_do_not_prolong_it()
    {
        using var lab = ByKey();
        foreach (var time in new[] { 100, 105, 109, 110, 119, 120 }) lab.Pipe("in", "k", "v", time);
        Assert.Equal("k=v@100 k=v@110 k=v@120", lab.Out());
    }

    [Fact]
    public void Earlier_record_that_comes_later_is_the_duplicate()
    {
        using var lab = ByKey(grace: 50);
        lab.Pipe("in", "k", "v", 100);
        lab.Pipe("in", "k", "v", 91);
        lab.Pipe("in", "k", "v", 90);
        Assert.Equal("k=v@100 k=v@90", lab.Out());
    }

    [Fact]
    public void Record_older_than_the_grace_period_is_late()
    {
        using var lab = ByKey(grace: 5);
        lab.Pipe("in", "k", "v", 100);
        lab.Pipe("in", "other", "v", 95);
        lab.Pipe("in", "third", "v", 94);
        Assert.Equal("k=v@100 other=v@95", lab.Out());
        Assert.Equal("third=v,Late,-,100,dedup,in-0:2@94", lab.Out("dropped"));
        Assert.Equal(1, lab.Driver.DroppedRecordsBecause(DropReason.Late));
    }

    [Fact]
    public void Same_id_under_another_key_passes_and_so_does_no_id_at_all()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .Deduplicate((_, value) => value is null || value == "none" ? null : value[..1], 10.Ms())
            .To("out"));
        lab.Pipe("in", "k", "a1", 1);
        lab.Pipe("in", "k", "a2", 2);
        lab.Pipe("in", "k", "b1", 3);
        lab.Pipe("in", "l", "a3", 4);
        lab.Pipe("in", "k", "none", 5);
        lab.Pipe("in", "k", "none", 6);
        lab.Pipe("in", "k", null, 7);
        lab.Pipe("in", null, "a4", 8);
        lab.Pipe("in", null, "a5", 9);
        Assert.Equal("k=a1@1 k=b1@3 l=a3@4 k=none@5 k=none@6 k=null@7 null=a4@8 null=a5@9", lab.Out());
    }

    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void What_passed_and_how_far_time_had_come_is_known_after_a_restart(StoreType stores)
    {
        using var lab = ByKey(grace: 5, stores: stores);
        lab.Pipe("in", "k", "v", 100);
        lab.Driver.Restart();
        lab.Pipe("in", "k", "v", 101);
        lab.Driver.Restart();
        lab.Pipe("in", "other", "v", 90);
        Assert.Equal("k=v@100", lab.Out());
        Assert.Equal("k=v,Duplicate,-,101,dedup,in-0:1@101 other=v,Late,-,101,dedup,in-0:2@90", lab.Out("dropped"));
    }

    [Fact]
    public void Many_records_made_of_one_are_duplicates_of_each_other()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in").FlatMapValues(value => value.Split(' ')).Deduplicate((_, word) => word, 10.Ms()).To("out"));
        lab.Pipe("in", "k", "a b a", 1);
        Assert.Equal("k=a@1 k=b@1", lab.Out());
    }

    [Fact]
    public void Changed_key_is_repartitioned_first()
    {
        using var lab = new Lab(
            builder => builder.Stream<string, string>("in").SelectKey((_, value) => value).Deduplicate(10.Ms(), Deduplicated.As("unique")).To("out"), partitions: 4);
        lab.Pipe("in", "a", "id", 1);
        lab.Pipe("in", "b", "id", 2);
        lab.Pipe("in", "c", "id", 3);
        Assert.Equal("id=id@1", lab.Out());
        var description = lab.Topology.Describe().ToString();
        Assert.Contains("topic: unique-repartition", description, StringComparison.Ordinal);
        Assert.Contains("Processor: unique (stores: [unique-store])", description, StringComparison.Ordinal);
    }

    [Fact]
    public void Interval_and_grace_must_be_times()
    {
        var stream = new StreamsBuilder().Stream<string, string>("in");
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Deduplicate(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Deduplicate((-1).Ms()));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Deduplicated<string, string> { GracePeriod = (-1).Ms() });
        Assert.Throws<ArgumentNullException>(() => stream.Deduplicate((Func<string, string, string>)null!, 1.Ms()));
    }

    /// <summary>Times as large as can be must not wrap round.</summary>
    [Fact]
    public void Interval_without_end_lets_each_key_pass_once()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in").Deduplicate(TimeSpan.FromDays(10_000_000)).To("out"));
        lab.Pipe("in", "k", "v", 0);
        lab.Pipe("in", "k", "v", 1_000_000_000_000);
        Assert.Equal("k=v@0", lab.Out());
    }

    /// <summary>The operator against a list of all records that passed; the seed is in the failure's name.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_records_pass_as_a_naive_model_says(int seed)
    {
        var random = new Random(seed);
        var (interval, grace) = (random.Next(1, 30), random.Next(0, 60));
        using var lab = ByKey(interval, grace, random.Next(2) == 0 ? StoreType.InMemory : StoreType.RocksDb);
        var passed = new List<(string Key, long Time)>();
        var expected = new List<string>();
        var streamTime = 0L;
        for (var step = 0; step < 400; step++)
        {
            if (random.Next(150) == 0) lab.Driver.Restart();
            var key = "k" + random.Next(4);
            var time = Math.Max(0, streamTime + random.Next(-80, 12));
            streamTime = Math.Max(streamTime, time);
            lab.Pipe("in", key, "v", time);
            if (time < streamTime - grace || passed.Exists(one => one.Key == key && Math.Abs(one.Time - time) < interval)) continue;
            passed.Add((key, time));
            expected.Add($"{key}=v@{time}");
        }

        Assert.Equal(string.Join(" ", expected), lab.Out());
    }

    private static Lab ByKey(int interval = 10, int? grace = null, StoreType stores = StoreType.InMemory) => new(
        builder => builder.Stream<string, string>("in")
            .Deduplicate(interval.Ms(), new Deduplicated<string, string> { Name = "dedup", GracePeriod = grace?.Ms() }.WithDropped(dropped => dropped.ToTopic()))
            .To("out"),
        stores: stores);
}
