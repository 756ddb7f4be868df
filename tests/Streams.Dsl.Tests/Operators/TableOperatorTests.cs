using Xunit;

namespace Streams.Dsl.Tests.Operators;

public sealed class TableTests
{
    /// <summary>E-04.</summary>
    [Fact]
    public void Null_key_is_dropped_and_deletion_of_an_unknown_key_goes_on()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("in", materialized: Materialized.As("t").WithCachingDisabled()).ToStream().To("out"));
        Assert.Equal(["a=-@1"], test.Pipe(null, "x").Pipe("a", null, 1).Out());
        Assert.Equal(1, test.Driver.DroppedRecords);
    }

    /// <summary>E-12.</summary>
    [Fact]
    public void Deleted_row_of_a_struct_is_absent_and_not_zero()
    {
        using var test = DslTest.Of(builder =>
        {
            var table = builder.Table<string, long>("in");
            builder.Stream<string, string>("s").LeftJoin(table, (value, count) => $"{value}:{(count is null ? "none" : count)}").To("out");
        });
        test.Put("a", 0).Pipe("a", "x", topic: "s").Delete("a").Pipe("a", "y", topic: "s");
        Assert.Equal(["a=x:0@0", "a=y:none@0"], test.Out());
    }

    /// <summary>E-05 and E-06.</summary>
    [Fact]
    public void Mapper_and_predicate_are_not_called_for_deletions()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("in")
            .MapValues(value => value.Length.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .Filter((_, value) => value.Length > 0)
            .ToStream().To("out"));
        Assert.Equal(["a=2@0", "a=-@1"], test.Pipe("a", "xx").Pipe("a", null, 1).Out());
    }

    /// <summary>A row that a filter leaves out is absent for joins too, whether the filter has a store or looks through to its parent.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Row_that_a_filter_leaves_out_is_absent_for_joins(bool stored)
    {
        using var test = DslTest.Of(builder =>
        {
            var others = builder.Table<string, string>("others").Filter((_, value) => value != "hidden", stored ? Materialized.As("kept") : null);
            builder.Stream<string, string>("in").LeftJoin(others, (one, other) => $"{one}+{other ?? "none"}").To("out");
            builder.Table<string, string>("table").LeftJoin(others, (one, other) => $"{one}+{other ?? "none"}").ToStream().To("joined");
            builder.Table<string, string>("left").LeftJoin(others, value => value, (one, other) => $"{one}+{other ?? "none"}").ToStream().To("foreign");
        });

        test.Pipe("k", "hidden", 7, "others").Pipe("k", "a", 1).Pipe("k", "b", 2, "table").Pipe("l", "k", 3, "left");

        Assert.Equal(["k=a+none@1"], test.Out());
        Assert.Equal(["k=b+none@2"], test.Out<string, string>("joined"));
        Assert.Equal(["l=k+none@3"], test.Out<string, string>("foreign"));
    }

    /// <summary>The other way round: the row that is left out comes with its value, which nobody behind the filter may see.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Row_that_a_filter_leaves_out_is_absent_for_what_follows(bool stored)
    {
        using var test = DslTest.Of(builder =>
        {
            var rows = builder.Table<string, string>("in");
            var kept = rows.Filter((_, value) => value != "hidden", stored ? Materialized.As("kept").WithCachingDisabled() : null);
            kept.ToStream().MapValues(value => value ?? "none").To("out");
            builder.Table<string, string>("left", materialized: Materialized.As("left")).LeftJoin(kept, (one, other) => $"{one}+{other ?? "none"}").ToStream().To("joined");
        });

        test.Pipe("k", "left", 1, "left").Pipe("k", "seen", 2).Pipe("k", "hidden", 3);

        Assert.Equal(["k=seen@2", "k=none@3"], test.Out());
        Assert.Equal(["k=left+none@1", "k=left+seen@2", "k=left+none@3"], test.Out<string, string>("joined"));
    }

    /// <summary>KIP-914: a table in a store without versions takes what its versioned parent calls out of order; for what follows, that is the row now.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Update_out_of_order_is_the_latest_for_a_store_without_versions(bool filters)
    {
        using var test = DslTest.Of(builder =>
        {
            var versioned = builder.Table<string, string>("in", materialized: Materialized.As("versions").WithHistoryRetention(TimeSpan.FromSeconds(1)));
            var stored = filters
                ? versioned.Filter((_, _) => true, Materialized.As("stored").WithCachingDisabled())
                : versioned.MapValues(value => value, Materialized.As("stored").WithCachingDisabled());
            stored.GroupBy((_, value) => new KeyValuePair<string, string>("g", value))
                .Reduce((one, other) => one + other, (one, other) => $"{one}-{other}", Materialized.As("reduced").WithCachingDisabled())
                .ToStream().To("out");
        });

        Assert.Equal(["g=b@20", "g=b-ba@20"], test.Pipe("k", "b", 20).Pipe("k", "a", 10).Out());
        Assert.Equal(0, test.Driver.DroppedRecords);
    }

    [Fact]
    public void Row_that_stops_matching_is_deleted()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("in").Filter((_, value) => value == "x").ToStream().To("out"));
        Assert.Equal(["a=x@0", "a=-@1"], test.Pipe("a", "x").Pipe("a", "y", 1).Out());
    }
}

public sealed class AggregateTests
{
    /// <summary>E-02.</summary>
    [Fact]
    public void Null_key_or_value_is_dropped_and_counted()
    {
        using var test = DslTest.Stream(stream => stream.GroupByKey().Count().ToStream());
        Assert.Equal(["a=1@5"], test.Pipe(null, "x").Pipe("a", null).Pipe("a", "x", 5).Out<string, long>());
        Assert.Equal(2, test.Driver.DroppedRecords);
    }

    [Fact]
    public void Result_is_from_the_latest_of_what_went_in()
    {
        using var test = DslTest.Stream(stream => stream.GroupByKey().Reduce((one, other) => one + other).ToStream());
        Assert.Equal(["a=x@10", "a=xy@10"], test.Pipe("a", "x", 10).Pipe("a", "y", 4).Out());
    }

    [Fact]
    public void Aggregate_of_null_deletes_the_row_and_the_next_value_starts_anew()
    {
        using var test = DslTest.Stream(stream => stream.GroupByKey()
            .Aggregate(() => "", (_, value, sum) => value == "!" ? null! : sum + value, Materialized.As("sums")).ToStream());
        Assert.Equal(["a=x@0", "a=-@0", "a=y@0"], test.Pipe("a", "x").Pipe("a", "!").Pipe("a", "y").Out());
    }

    /// <summary>E-77.</summary>
    [Fact]
    public void Row_that_changes_its_group_is_subtracted_there_and_added_here()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("in")
            .GroupBy((key, value) => KeyValue.Pair(value, key)).Count().ToStream().To("out"));
        Assert.Equal(["x=1@0", "x=0@1", "y=1@1"], test.Pipe("a", "x").Pipe("a", "y", 1).Out<string, long>());
    }

    [Fact]
    public void Cogroup_folds_streams_of_different_types_into_one_table()
    {
        using var test = DslTest.Of(builder =>
        {
            var texts = builder.Stream<string, string>("in").GroupByKey();
            var numbers = builder.Stream<string, long>("numbers").GroupByKey();
            texts.Cogroup<long>((_, text, sum) => sum + text.Length).Cogroup(numbers, (_, number, sum) => sum + number).Aggregate(() => 0).ToStream().To("out");
        });
        Assert.Equal(["a=2@0", "a=12@0"], test.Pipe("a", "xx").Put("a", 10, topic: "numbers").Out<string, long>());
    }
}

public sealed class TableJoinTests
{
    /// <summary>E-74 and E-75: every transition of both sides.</summary>
    [Theory]
    [InlineData("inner", "l=-,r=-;l=x,r=-;l=x,r=y:x+y@3;l=-,r=y:-@4;l=-,r=-")]
    [InlineData("left", "l=-,r=-;l=x,r=-:x+none@2;l=x,r=y:x+y@3;l=-,r=y:-@4;l=-,r=-")]
    [InlineData("outer", "l=-,r=-;l=x,r=-:x+none@2;l=x,r=y:x+y@3;l=-,r=y:none+y@4;l=-,r=-:-@5")]
    public void Sides_come_and_go(string kind, string states)
    {
        using var test = DslTest.Of(builder =>
        {
            var left = builder.Table<string, string>("l");
            var right = builder.Table<string, string>("r");
            var joined = kind switch
            {
                "inner" => left.Join(right, (one, other) => $"{one}+{other}"),
                "left" => left.LeftJoin(right, (one, other) => $"{one}+{other ?? "none"}"),
                _ => left.OuterJoin(right, (one, other) => $"{one ?? "none"}+{other ?? "none"}"),
            };
            joined.ToStream().To("out");
        });
        var (oldLeft, oldRight, time) = ("-", "-", 0);
        foreach (var state in states.Split(';'))
        {
            time++;
            var expected = state.Split(':') is [_, var result] ? [$"k={result}"] : Array.Empty<string>();
            var sides = state.Split(':')[0].Split(',').Select(side => side[2..]).ToArray();
            if (sides[0] != oldLeft) test.Pipe("k", sides[0] == "-" ? null : sides[0], time, "l");
            if (sides[1] != oldRight) test.Pipe("k", sides[1] == "-" ? null : sides[1], time, "r");
            (oldLeft, oldRight) = (sides[0], sides[1]);
            Assert.Equal(expected, test.Out());
        }
    }

    [Fact]
    public void Missing_structs_are_null_on_both_sides_of_an_outer_join()
    {
        using var test = DslTest.Of(builder => builder.Table<string, long>("l")
            .OuterJoin(builder.Table<string, long>("r"), (left, right) => $"{left?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}+{(right.HasValue ? "some" : "none")}")
            .ToStream().To("out"));
        test.Put("k", 0, topic: "l").Put("k", 0, topic: "r").Delete("k", topic: "l");
        Assert.Equal(["k=0+none@0", "k=0+some@0", "k=none+some@0"], test.Out());
    }

    /// <summary>E-83: a foreign key that is a prefix of another one's bytes is another key.</summary>
    [Fact]
    public void Foreign_key_join_matches_whole_keys_only()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("l")
            .Join(builder.Table<string, string>("r"), value => value, (left, right) => $"{left}|{right}").ToStream().To("out"));
        test.Pipe("1", "a", topic: "l").Pipe("2", "ab", topic: "l").Pipe("a", "A", topic: "r");
        Assert.Equal(["1=a|A@0"], test.Out());
    }

    /// <summary>E-79: a foreign key that becomes null unsets the result (KAFKA-18713).</summary>
    [Fact]
    public void Foreign_key_that_goes_unsets_the_result()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("l")
            .Join(builder.Table<string, string>("r"), value => value == "none" ? null! : value, (left, right) => $"{left}|{right}").ToStream().To("out"));
        test.Pipe("a", "A", topic: "r").Pipe("1", "a", topic: "l").Pipe("1", "none", topic: "l");
        Assert.Equal(["1=a|A@0", "1=-@0"], test.Out());
        Assert.Equal(1, test.Driver.DroppedRecords);
    }
}
