using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Absent keys and values, operator by operator: E-01 to E-13.</summary>
public sealed class AbsenceTests
{
    /// <summary>E-01.</summary>
    [Fact]
    public void Stateless_operators_call_the_function_with_null_and_drop_nothing()
    {
        var seen = new List<string>();
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .Filter((key, value) => { seen.Add($"filter {key ?? "-"} {value ?? "-"}"); return true; })
            .MapValues((key, value) => { seen.Add($"mapValues {key ?? "-"} {value ?? "-"}"); return value; })
            .Map((key, value) => { seen.Add($"map {key ?? "-"} {value ?? "-"}"); return KeyValue.Pair(key, value); })
            .Peek((key, value) => seen.Add($"peek {key ?? "-"} {value ?? "-"}"))
            .To("out"));

        lab.Pipe("in", null, "v", 1);
        lab.Pipe("in", "k", null, 2);

        Assert.Equal("null=v@1 k=null@2", lab.Out());
        Assert.Equal(["filter - v", "mapValues - v", "map - v", "peek - v", "filter k -", "mapValues k -", "map k -", "peek k -"], seen);
        Assert.Equal(0, lab.Driver.DroppedRecords);
    }

    /// <summary>E-02.</summary>
    [Theory]
    [InlineData(null, "v")]
    [InlineData("k", null)]
    public void Aggregation_drops_a_record_without_key_or_value_but_time_goes_on(string? key, string? value)
    {
        using var lab = new Lab(static builder =>
        {
            var grouped = builder.Stream<string, string>("in").GroupByKey();
            grouped.Count().ToStream().To("counts");
            grouped.Reduce((one, other) => one + other).ToStream().To("out");
            grouped.Aggregate(() => "", (_, each, all) => all + each).ToStream().To("out");
        });

        lab.Pipe("in", key, value, 50);

        Assert.Equal("", lab.Out<long>("counts") + lab.Out());
        Assert.Equal(3, lab.Driver.DroppedRecords);
        Assert.Equal(50, lab.Driver.StreamTimeMs());
    }

    /// <summary>E-03: a null value is passed to the aggregator of time and session windows, as Kafka Streams does, and not to that of sliding ones.</summary>
    [Fact]
    public void Windowed_aggregation_drops_null_keys_and_counts_null_values_except_in_sliding_windows()
    {
        using var lab = new Lab(static builder =>
        {
            var grouped = builder.Stream<string, string>("in").GroupByKey();
            grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).Count().ToStream(window => "time " + window.Key).To("time");
            grouped.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(10.Ms())).Count().ToStream(window => "session " + window.Key).To("session");
            grouped.WindowedBy(SlidingWindows.OfTimeDifferenceWithNoGrace(10.Ms())).Count().ToStream(window => "sliding " + window.Key).To("sliding");
        });

        lab.Pipe("in", null, "v", 1);
        Assert.Equal(3, lab.Driver.DroppedRecords);
        Assert.Equal("", lab.Out<long>("time") + lab.Out<long>("session") + lab.Out<long>("sliding"));

        lab.Pipe("in", "k", null, 2);
        Assert.Equal("time k=1@2", lab.Out<long>("time"));
        Assert.Equal("session k=1@2", lab.Out<long>("session"));
        Assert.Equal("", lab.Out<long>("sliding"));
        Assert.Equal(4, lab.Driver.DroppedRecords);
    }

    /// <summary>E-04.</summary>
    [Fact]
    public void Table_drops_null_keys_and_forwards_the_tombstone_of_an_unknown_key()
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in", materialized: Materialized.As("store")).ToStream().To("out"));

        lab.Pipe("in", null, "v", 1);
        lab.Pipe("in", "k", null, 2);

        Assert.Equal("k=null@2", lab.Out());
        Assert.Equal(1, lab.Driver.DroppedRecords);
    }

    /// <summary>E-05.</summary>
    [Fact]
    public void MapValues_of_a_table_is_not_called_for_a_tombstone()
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in")
            .MapValues(value => value is null ? throw new InvalidOperationException("called for a tombstone") : value + "!").ToStream().To("out"));

        lab.Pipe("in", "k", "v", 1);
        lab.Pipe("in", "k", null, 2);

        Assert.Equal("k=v!@1 k=null@2", lab.Out());
    }

    /// <summary>E-06.</summary>
    [Fact]
    public void First_record_that_a_table_filter_refuses_is_a_tombstone_unless_old_values_are_known()
    {
        using var plain = new Lab(static builder => builder.Table<string, string>("in").Filter((_, value) => value != "no").ToStream().To("out"));
        plain.Pipe("in", "k", "no", 1);
        Assert.Equal("k=null@1", plain.Out());

        using var materialised = new Lab(static builder =>
        {
            var filtered = builder.Table<string, string>("in").Filter((_, value) => value != "no", Materialized.As("filtered"));
            filtered.ToStream().To("out");
            filtered.GroupBy((key, value) => KeyValue.Pair(key, value)).Count().ToStream().To("counts");
        });
        materialised.Pipe("in", "k", "no", 1);
        Assert.Equal("", materialised.Out());
    }

    /// <summary>E-07.</summary>
    [Fact]
    public void Half_of_a_table_regrouping_without_key_or_value_is_left_out()
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in")
            .GroupBy((_, value) => KeyValue.Pair(value == "none" ? null! : value[..1], value == "empty" ? null! : value)).Count().ToStream().To("out"));

        lab.Pipe("in", "k", "a1", 1);
        Assert.Equal("a=1@1", lab.Out<long>());
        lab.Pipe("in", "k", "none", 2);
        Assert.Equal("a=0@2", lab.Out<long>());
        lab.Pipe("in", "k", "b1", 3);
        Assert.Equal("b=1@3", lab.Out<long>());
        lab.Pipe("in", "k", "empty", 4);
        Assert.Equal("b=0@4", lab.Out<long>());
    }

    /// <summary>E-08.</summary>
    [Fact]
    public void Stream_join_drops_null_values_and_joins_a_null_key_with_nothing_where_non_matches_are_wanted()
    {
        using var lab = new Lab(static builder =>
        {
            var (left, right, windows) = (builder.Stream<string, string>("left"), builder.Stream<string, string>("right"), JoinWindows.OfTimeDifferenceWithNoGrace(10.Ms()));
            left.Join(right, (one, other) => $"{one}+{other}", windows).To("inner");
            left.LeftJoin(right, (one, other) => $"{one}+{other ?? "none"}", windows).To("leftwards");
            left.OuterJoin(right, (one, other) => $"{one ?? "none"}+{other ?? "none"}", windows).To("outer");
        });

        lab.Pipe("left", "k", null, 1);
        lab.Pipe("right", "k", "r", 1);
        Assert.Equal("", lab.Out("inner") + lab.Out("leftwards") + lab.Out("outer"));

        lab.Pipe("left", null, "l", 2);
        lab.Pipe("right", null, "r2", 2);
        Assert.Equal("", lab.Out("inner"));
        Assert.Equal("null=l+none@2", lab.Out("leftwards"));
        Assert.Equal("null=l+none@2 null=none+r2@2", lab.Out("outer"));
    }

    /// <summary>E-09.</summary>
    [Fact]
    public void Stream_table_join_drops_null_values_and_only_the_left_join_keeps_null_keys()
    {
        using var lab = new Lab(static builder =>
        {
            var (stream, table) = (builder.Stream<string, string>("in"), builder.Table<string, string>("table"));
            stream.Join(table, (value, row) => $"{value}+{row}").To("inner");
            stream.LeftJoin(table, (value, row) => $"{value}+{row ?? "none"}").To("out");
        });
        lab.Pipe("table", "k", "row", 0);

        lab.Pipe("in", null, "v", 1);
        lab.Pipe("in", "k", null, 2);
        lab.Pipe("in", "k", "v", 3);

        Assert.Equal("k=v+row@3", lab.Out("inner"));
        Assert.Equal("null=v+none@1 k=v+row@3", lab.Out());
    }

    /// <summary>E-10.</summary>
    [Fact]
    public void Global_join_whose_selector_gives_null_drops_or_joins_with_nothing()
    {
        using var lab = new Lab(static builder =>
        {
            var (stream, table) = (builder.Stream<string, string>("in"), builder.GlobalTable<string, string>("table"));
            stream.Join(table, (_, _) => (string)null!, (value, row) => $"{value}+{row}").To("inner");
            stream.LeftJoin(table, (_, _) => (string)null!, (value, row) => $"{value}+{row ?? "none"}").To("out");
        });

        lab.Pipe("in", "k", "v", 1);

        Assert.Equal("", lab.Out("inner"));
        Assert.Equal("k=v+none@1", lab.Out());
    }

    /// <summary>E-11.</summary>
    [Fact]
    public void Null_keys_are_left_out_before_a_repartition_topic_unless_a_left_join_wants_them()
    {
        using var grouped = new Lab(static builder => builder.Stream<string, string>("in").SelectKey((_, _) => (string)null!).GroupByKey().Count(Materialized.As("c")).ToStream().To("out"));
        grouped.Pipe("in", "k", "v", 1);
        Assert.DoesNotContain("app-c-repartition", grouped.Driver.ProducedTopicNames);

        using var joined = new Lab(static builder => builder.Stream<string, string>("in").SelectKey((_, _) => (string)null!)
            .LeftJoin(builder.Table<string, string>("table"), (value, row) => $"{value}+{row ?? "none"}").To("out"));
        joined.Pipe("in", "k", "v", 1);
        Assert.Equal("null=v+none@1", joined.Out());
    }

    /// <summary>E-12.</summary>
    [Fact]
    public void Deleted_row_of_a_struct_is_absent_and_not_its_default()
    {
        using var lab = new Lab(static builder =>
        {
            var table = builder.Table<string, int>("table", materialized: Materialized.As("store"));
            builder.Stream<string, string>("in").LeftJoin(table, (string value, int? row) => $"{value}+{(row is { } number ? $"{number}" : "none")}").To("out");
            table.Filter((_, row) => row >= 0).ToStream().To("filtered");
        });
        var rows = lab.Driver.CreateInputTopic<string, int>("table");

        rows.PipeInput("k", 0, 1);
        lab.Pipe("in", "k", "v", 2);
        rows.PipeTombstone("k", 3);
        lab.Pipe("in", "k", "w", 4);

        Assert.Equal("k=v+0@2 k=w+none@4", lab.Out());
        Assert.Equal("k=0@1 k=null@3", lab.Out<int>("filtered"));
        Assert.False(lab.Driver.GetTimestampedKeyValueStore<string, int>("store").TryGet("k", out _));
    }

    /// <summary>E-13.</summary>
    [Fact]
    public void Serializer_is_never_called_for_an_absent_value()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").To("out", Produced.With(Serdes.String, new RefusingNulls())));

        lab.Pipe("in", "k", null, 1);

        Assert.Equal("k=null@1", lab.Out());
    }

    private sealed class RefusingNulls : ISerde<string>
    {
        public void Serialize(string value, System.Buffers.IBufferWriter<byte> output)
        {
            ArgumentNullException.ThrowIfNull(value);
            Serdes.String.Serialize(value, output);
        }

        public string Deserialize(ReadOnlySpan<byte> data) => Serdes.String.Deserialize(data);
    }
}
