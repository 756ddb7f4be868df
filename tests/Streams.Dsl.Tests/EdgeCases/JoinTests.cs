using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Joins at their edges: E-60 to E-84.</summary>
public sealed class JoinTests
{
    /// <summary>E-60.</summary>
    [Theory]
    [InlineData(10, "k=l+r@10")]
    [InlineData(11, "")]
    public void Window_of_a_join_includes_its_edges(long right, string expected)
    {
        using var lab = Streams("inner", within: 10, grace: 0);
        lab.Pipe("left", "k", "l", 0);
        lab.Pipe("right", "k", "r", right);
        Assert.Equal(expected, lab.Out());
    }

    /// <summary>E-61.</summary>
    [Fact]
    public void Non_match_is_sent_when_stream_time_has_passed_window_and_grace()
    {
        using var lab = Streams("left", within: 10, grace: 5);
        lab.Pipe("left", "k", "l", 0);
        lab.Pipe("right", "other", "r", 15);
        Assert.Equal("", lab.Out());
        lab.Pipe("right", "other", "r", 16);
        Assert.Equal("k=l+none@0", lab.Out());
    }

    /// <summary>E-61: the check is made at most once a second by the wall clock.</summary>
    [Fact]
    public void Non_matches_are_looked_for_once_a_second()
    {
        using var lab = Streams("left", within: 10, grace: 0, emitInterval: TimeSpan.FromSeconds(1));
        lab.Pipe("left", "a", "l", 0);
        lab.Pipe("right", "other", "r", 11);
        lab.Pipe("left", "b", "l", 12);
        lab.Pipe("right", "other", "r", 30);
        var before = lab.Out();
        lab.Driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        lab.Pipe("right", "other", "r", 31);
        var after = lab.Out();
        Assert.DoesNotContain("b=", before, StringComparison.Ordinal);
        Assert.Contains("b=l+none@12", after, StringComparison.Ordinal);
    }

    /// <summary>E-62.</summary>
    [Fact]
    public void Match_within_grace_replaces_the_non_match()
    {
        using var lab = Streams("left", within: 10, grace: 5);
        lab.Pipe("left", "k", "l", 0);
        lab.Pipe("right", "other", "r", 14);
        lab.Pipe("right", "k", "r", 9);
        Assert.Equal("k=l+r@9", lab.Out());
        lab.Pipe("right", "other", "r", 100);
        Assert.Equal("", lab.Out());
    }

    /// <summary>E-63.</summary>
    [Fact]
    public void Outer_join_sends_each_unmatched_record_once_in_order_of_time()
    {
        using var lab = Streams("outer", within: 10, grace: 0);
        lab.Pipe("left", "a", "l", 1);
        lab.Pipe("right", "b", "r", 0);
        lab.Pipe("left", "other", "x", 50);
        Assert.Equal("b=none+r@0 a=l+none@1", lab.Out());
        lab.Pipe("left", "other", "x", 51);
        Assert.Equal("", lab.Out());
    }

    /// <summary>E-64.</summary>
    [Fact]
    public void Several_unmatched_records_of_one_key_and_time_are_all_sent()
    {
        using var lab = Streams("left", within: 10, grace: 0);
        lab.Pipe("left", "k", "1", 0);
        lab.Pipe("left", "k", "2", 0);
        lab.Pipe("right", "other", "r", 11);
        Assert.Equal("k=1+none@0 k=2+none@0", lab.Out());
    }

    /// <summary>E-66.</summary>
    [Fact]
    public void Late_record_does_not_set_off_non_matches()
    {
        using var lab = Streams("left", within: 10, grace: 0, emitInterval: TimeSpan.FromSeconds(1));
        lab.Pipe("left", "a", "l", 0);
        lab.Pipe("right", "other", "r", 100);
        lab.Out();
        lab.Pipe("left", "b", "l", 101);
        lab.Pipe("right", "other", "r", 200);
        lab.Out();
        lab.Driver.AdvanceWallClockTime(TimeSpan.FromSeconds(2));
        lab.Pipe("right", "other", "r", 150);
        Assert.Equal("", lab.Out());
    }

    /// <summary>E-67.</summary>
    [Fact]
    public void Late_record_still_meets_what_is_kept_of_the_other_side()
    {
        using var lab = Streams("inner", within: 10, grace: 100);
        lab.Pipe("left", "k", "l", 0);
        lab.Pipe("left", "other", "l", 60);
        lab.Pipe("right", "k", "r", 5);
        Assert.Equal("k=l+r@5", lab.Out());
    }

    /// <summary>E-68.</summary>
    [Fact]
    public void Self_join_pairs_each_record_with_itself_too_with_one_store_as_with_two()
    {
        Assert.Equal("k=a+a@0 k=a+b@1 k=b+a@1 k=b+b@1", SelfJoin(TopologyOptimization.None, 0, 1));
        Assert.Equal("k=a+a@0 k=a+b@1 k=b+a@1 k=b+b@1", SelfJoin(TopologyOptimization.SingleStoreSelfJoin, 0, 1));
    }

    /// <summary>Retention is 20 ms: at 30 nothing up to 10 can be found any more, not even the record itself.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(5)]
    public void Record_too_late_for_the_store_is_not_joined_with_itself(long late)
    {
        Assert.Equal("k=a+a@30", SelfJoin(TopologyOptimization.None, 30, late));
        Assert.Equal("k=a+a@30", SelfJoin(TopologyOptimization.SingleStoreSelfJoin, 30, late));
    }

    /// <summary>KIP-862 is for inner joins: another kind has results without key, which one store would lose.</summary>
    [Theory]
    [InlineData(TopologyOptimization.None)]
    [InlineData(TopologyOptimization.SingleStoreSelfJoin)]
    public void Left_join_of_a_stream_with_itself_keeps_records_without_key(TopologyOptimization optimization)
    {
        using var test = DslTest.Of(
            builder =>
            {
                var stream = builder.Stream<string, string>("in");
                stream.LeftJoin(stream, (one, other) => $"{one}+{other ?? "none"}", JoinWindows.OfTimeDifferenceWithNoGrace(10.Ms())).To("out");
            },
            new StreamsBuilderOptions { Optimization = optimization });

        Assert.Equal(["-=a+none@0", "k=b+b@1"], test.Pipe(null, "a").Pipe("k", "b", 1).Out());
    }

    private static string SelfJoin(TopologyOptimization optimization, long first, long second)
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = optimization });
        var stream = builder.Stream<string, string>("in");
        stream.Join(stream, (one, other) => $"{one}+{other}", JoinWindows.OfTimeDifferenceWithNoGrace(10.Ms())).To("out");
        using var driver = new Testing.TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, string>("in");
        input.PipeInput("k", "a", first);
        input.PipeInput("k", "b", second);
        return string.Join(" ", driver.CreateOutputTopic<string, string>("out").ReadRecordsToList().Select(record => $"{record.Key}={record.Value}@{record.Timestamp}").Order(StringComparer.Ordinal));
    }

    /// <summary>E-69.</summary>
    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void Records_of_one_key_and_time_are_all_there_after_a_restart(StoreType stores)
    {
        using var lab = Streams("inner", within: 10, grace: 0, stores: stores);
        lab.Pipe("left", "k", "1", 0);
        lab.Pipe("left", "k", "2", 0);
        lab.Driver.Restart();
        lab.Pipe("left", "k", "3", 0);
        lab.Pipe("right", "k", "r", 1);
        Assert.Equal("k=1+r@1 k=2+r@1 k=3+r@1", lab.Out());
    }

    /// <summary>E-71.</summary>
    [Fact]
    public void Update_of_a_table_sends_no_earlier_stream_record_again()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in")
            .LeftJoin(builder.Table<string, string>("table"), (value, row) => $"{value}+{row ?? "none"}").To("out"));
        lab.Pipe("in", "k", "v", 1);
        lab.Pipe("table", "k", "row", 2);
        Assert.Equal("k=v+none@1", lab.Out());
    }

    /// <summary>E-72.</summary>
    [Fact]
    public void Versioned_table_gives_the_row_as_it_was_and_none_older_than_its_history()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").LeftJoin(
            builder.Table<string, string>("table", materialized: Materialized.As("versions").WithHistoryRetention(100.Ms())),
            (value, row) => $"{value}+{row ?? "none"}").To("out"));
        lab.Pipe("table", "k", "1", 10);
        lab.Pipe("table", "k", "2", 20);
        lab.Pipe("in", "k", "v", 15);
        Assert.Equal("k=v+1@15", lab.Out());
        lab.Pipe("table", "other", "x", 500);
        lab.Pipe("in", "k", "v", 15);
        Assert.Equal("k=v+none@15", lab.Out());
    }

    /// <summary>E-73.</summary>
    [Fact]
    public void Join_with_grace_waits_for_the_table_and_needs_a_versioned_one()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").LeftJoin(
            builder.Table<string, string>("table", materialized: Materialized.As("versions").WithHistoryRetention(100.Ms())),
            (value, row) => $"{value}+{row ?? "none"}",
            Joined.With(5.Ms())).To("out"));
        lab.Pipe("in", "k", "v", 15);
        lab.Pipe("in", "other", "x", 19);
        lab.Pipe("table", "k", "row", 14);
        Assert.Equal("", lab.Out());
        lab.Pipe("in", "other", "y", 20);
        Assert.Equal("k=v+row@15", lab.Out());
        lab.Pipe("in", "k", "late", 14);
        Assert.Equal("k=late+row@14", lab.Out());
    }

    /// <summary>E-74.</summary>
    [Fact]
    public void Inner_table_join_sends_a_row_with_the_later_time_and_a_tombstone_when_a_side_goes()
    {
        using var lab = Tables("inner");
        lab.Pipe("left", "k", "l", 5);
        Assert.Equal("", lab.Out());
        lab.Pipe("right", "k", "r", 3);
        Assert.Equal("k=l+r@5", lab.Out());
        lab.Pipe("left", "k", null, 7);
        Assert.Equal("k=null@7", lab.Out());
        lab.Pipe("left", "k", null, 8);
        Assert.Contains(lab.Out(), (string[])["", "k=null@8"]);
    }

    /// <summary>E-75.</summary>
    [Theory]
    [InlineData("left", "right r", "")]
    [InlineData("left", "left l", "k=l+none@1")]
    [InlineData("left", "left l,right r", "k=l+none@1 k=l+r@2")]
    [InlineData("left", "left l,right r,right -", "k=l+none@1 k=l+r@2 k=l+none@3")]
    [InlineData("left", "left l,right r,left -", "k=l+none@1 k=l+r@2 k=null@3")]
    [InlineData("left", "left l,left -", "k=l+none@1 k=null@2")]
    [InlineData("outer", "right r", "k=none+r@1")]
    [InlineData("outer", "right r,left l", "k=none+r@1 k=l+r@2")]
    [InlineData("outer", "left l,right r,left -", "k=l+none@1 k=l+r@2 k=none+r@3")]
    [InlineData("outer", "left l,right r,left -,right -", "k=l+none@1 k=l+r@2 k=none+r@3 k=null@4")]
    [InlineData("outer", "right r,right -", "k=none+r@1 k=null@2")]
    public void Left_and_outer_table_joins_through_insertions_and_deletions(string kind, string updates, string expected)
    {
        using var lab = Tables(kind);
        foreach (var (index, update) in updates.Split(',').Index())
        {
            var parts = update.Split(' ');
            lab.Pipe(parts[0], "k", parts[1] == "-" ? null : parts[1], index + 1);
        }

        Assert.Equal(expected, lab.Out());
    }

    /// <summary>E-76.</summary>
    [Fact]
    public void Late_update_is_applied_to_a_plain_table_and_not_to_the_latest_of_a_versioned_one()
    {
        using var lab = new Lab(static builder =>
        {
            builder.Table<string, string>("plain").ToStream().To("plain-out");
            builder.Table<string, string>("versioned", materialized: Materialized.As("versions").WithHistoryRetention(100.Ms()))
                .GroupBy((_, value) => KeyValue.Pair(value, value)).Count().ToStream().To("out");
        });
        foreach (var topic in (string[])["plain", "versioned"])
        {
            lab.Pipe(topic, "k", "new", 10);
            lab.Pipe(topic, "k", "old", 5);
        }

        Assert.Equal("k=new@10 k=old@5", lab.Out("plain-out"));
        Assert.Equal("new=1@10", lab.Out<long>());
    }

    /// <summary>E-77.</summary>
    [Fact]
    public void Row_that_moves_between_groups_gives_two_results_and_one_that_stays_gives_one()
    {
        using var lab = Grouped();
        lab.Pipe("in", "k", "a1", 1);
        Assert.Equal("a=+a1@1", lab.Out());
        lab.Pipe("in", "k", "a2", 2);
        Assert.Equal("a=+a1-a1+a2@2", lab.Out());
        lab.Pipe("in", "k", "b1", 3);
        Assert.Equal("a=+a1-a1+a2-a2@3 b=+b1@3", lab.Out());
    }

    /// <summary>E-78.</summary>
    [Fact]
    public void Group_whose_subtractor_gives_null_is_deleted()
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in").GroupBy((_, value) => KeyValue.Pair(value[..1], value))
            .Aggregate(() => "", (_, value, all) => all + value, (_, _, _) => null!, Materialized.As("groups")).ToStream().To("out"));
        lab.Pipe("in", "k", "a1", 1);
        lab.Pipe("in", "k", null, 2);
        Assert.Equal("a=a1@1 a=null@2", lab.Out());
        Assert.False(lab.Driver.GetTimestampedKeyValueStore<string, string>("groups").TryGet("a", out _));
    }

    /// <summary>E-79, E-79b, E-82: what the joined table holds after each change, which redundant tombstones do not alter.</summary>
    [Theory]
    [InlineData(false, "right f=1,left k=f", "k=f+1")]
    [InlineData(false, "left k=f,right f=1", "k=f+1")]
    [InlineData(false, "right f=1,left k=f,left k=g", "")]
    [InlineData(false, "right f=1,right g=2,left k=f,left k=g", "k=g+2")]
    [InlineData(false, "right f=1,left k=f,left k=none", "")]
    [InlineData(false, "right f=1,left k=f,left k", "")]
    [InlineData(false, "right f=1,left k=f,right f", "")]
    [InlineData(false, "right f=1,left k=f,left k=g,right f=3", "")]
    [InlineData(false, "left k=none,right f=1", "")]
    [InlineData(true, "left k=f", "k=f+none")]
    [InlineData(true, "left k=f,right f=1", "k=f+1")]
    [InlineData(true, "right f=1,left k=f,left k=g", "k=g+none")]
    [InlineData(true, "right f=1,left k=f,left k=none", "k=none+none")]
    [InlineData(true, "right f=1,left k=f,right f", "k=f+none")]
    [InlineData(true, "right f=1,left k=f,left k", "")]
    public void Foreign_key_join_through_changes_of_both_sides(bool isLeft, string updates, string expected)
    {
        using var lab = ForeignKeys(isLeft);
        Assert.Equal(expected, Final(lab, updates));
    }

    /// <summary>E-80.</summary>
    [Fact]
    public void Foreign_key_join_of_several_partitions_ends_at_the_last_change()
    {
        using var lab = ForeignKeys(isLeft: false, partitions: 4);
        Assert.Equal("k=c+3", Final(lab, "right a=1,right b=2,right c=3,left k=a,left k=b,left k=a,left k=c"));
    }

    /// <summary>E-83.</summary>
    [Fact]
    public void Foreign_key_that_begins_like_another_is_not_taken_for_it()
    {
        using var lab = ForeignKeys(isLeft: false);
        Assert.Equal("one=a+1 two=a+1", Final(lab, "left one=a,left two=a,left three=ab,right a=1"));
    }

    /// <summary>E-84.</summary>
    [Fact]
    public void Result_of_a_foreign_key_join_is_in_the_partition_of_its_own_key()
    {
        using var lab = ForeignKeys(isLeft: false, partitions: 4);
        Final(lab, "right f=1,left a=f,left b=f,left c=f,left d=f");
        foreach (var key in (string[])["a", "b", "c", "d"])
        {
            var partition = Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(key), 4);
            Assert.True(lab.Driver.GetTimestampedKeyValueStore<string, string>("joined", partition).TryGet(key, out _), key);
        }
    }

    private static string Final(Lab lab, string updates)
    {
        foreach (var (index, update) in updates.Split(',').Index())
        {
            var parts = update.Split(' ', '=');
            lab.Pipe(parts[0], parts[1], parts.Length > 2 ? parts[2] : null, index + 1);
        }

        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var record in lab.Driver.CreateOutputTopic<string, string>("out").ReadRecordsToList())
        {
            if (record.HasValue) rows[record.Key] = record.Value;
            else rows.Remove(record.Key);
        }

        return string.Join(" ", rows.Select(row => $"{row.Key}={row.Value}"));
    }

    private static Lab ForeignKeys(bool isLeft, int partitions = 1) => new(
        builder =>
        {
            var (left, right) = (builder.Table<string, string>("left"), builder.Table<string, string>("right"));
            Func<string, string> foreignKey = value => value == "none" ? null! : value;
            var joined = isLeft
                ? left.LeftJoin(right, foreignKey, (string value, string? row) => $"{value}+{row ?? "none"}", materialized: Materialized.As("joined"))
                : left.Join(right, foreignKey, (value, row) => $"{value}+{row}", materialized: Materialized.As("joined"));
            joined.ToStream().To("out");
        },
        partitions);

    private static Lab Grouped() => new(static builder => builder.Table<string, string>("in").GroupBy((_, value) => KeyValue.Pair(value[..1], value))
        .Aggregate(() => "", (_, value, all) => $"{all}+{value}", (_, value, all) => $"{all}-{value}").ToStream().To("out"));

    private static Lab Tables(string kind) => new(builder =>
    {
        var (left, right) = (builder.Table<string, string>("left"), builder.Table<string, string>("right"));
        (kind switch
        {
            "inner" => left.Join(right, (one, other) => $"{one}+{other}"),
            "left" => left.LeftJoin(right, (string one, string? other) => $"{one}+{other ?? "none"}"),
            _ => left.OuterJoin(right, (string? one, string? other) => $"{one ?? "none"}+{other ?? "none"}"),
        }).ToStream().To("out");
    });

    private static Lab Streams(string kind, int within, int grace, TimeSpan? emitInterval = null, StoreType stores = StoreType.InMemory) => new(
        builder =>
        {
            var (left, right) = (builder.Stream<string, string>("left"), builder.Stream<string, string>("right"));
            var windows = JoinWindows.OfTimeDifferenceAndGrace(within.Ms(), grace.Ms());
            (kind switch
            {
                "inner" => left.Join(right, (one, other) => $"{one}+{other}", windows),
                "left" => left.LeftJoin(right, (string one, string? other) => $"{one}+{other ?? "none"}", windows),
                _ => left.OuterJoin(right, (string? one, string? other) => $"{one ?? "none"}+{other ?? "none"}", windows),
            }).To("out");
        },
        emitInterval: emitInterval,
        stores: stores);
}
