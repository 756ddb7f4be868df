using Streams.Dsl.Tests.EdgeCases;
using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests.MoreOperators;

/// <summary>Side outputs of what operators leave out.</summary>
public sealed class DroppedRecordTests
{
    [Fact]
    public void Late_record_comes_out_with_its_window_the_stream_time_and_its_origin()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()))
            .WithDropped(dropped => dropped.ToTopic())
            .Count(named: "count")
            .ToOut());
        lab.Pipe("in", "k", "a", 3);
        lab.Pipe("in", "k", "b", 25);
        lab.Pipe("in", "k", "late", 9);
        Assert.Equal("k[0,10]=1@3 k[20,30]=1@25", lab.Out<long>());
        Assert.Equal("k=late,Late,0/10,25,count,in-0:2@9", lab.Out("dropped"));
        Assert.Equal(1, lab.Driver.DroppedRecordsBecause(DropReason.Late));
    }

    [Fact]
    public void Record_late_for_two_windows_comes_out_twice_and_counts_in_the_third()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(30.Ms()).AdvanceBy(10.Ms()))
            .WithDropped(dropped => dropped.ToTopic())
            .Count(named: "count")
            .ToOut());
        lab.Pipe("in", "k", "a", 45);
        lab.Out<long>();
        lab.Pipe("in", "k", "b", 25);
        Assert.Equal("k[20,50]=2@45", lab.Out<long>());
        Assert.Equal("k=b,Late,0/30,45,count,in-0:1@25 k=b,Late,10/40,45,count,in-0:1@25", lab.Out("dropped"));
    }

    [Fact]
    public void Late_record_of_a_session_comes_out_with_the_session_it_would_have_been()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(10.Ms()))
            .WithDropped(dropped => dropped.ToTopic())
            .Count(named: "count")
            .ToOut());
        lab.Pipe("in", "k", "a", 50);
        lab.Pipe("in", "k", "b", 5);
        Assert.Equal("k=b,Late,5/5,50,count,in-0:1@5", lab.Out("dropped"));
    }

    [Fact]
    public void Late_record_of_sliding_windows_comes_out()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(SlidingWindows.OfTimeDifferenceWithNoGrace(10.Ms()))
            .WithDropped(dropped => dropped.ToTopic())
            .Count(named: "count")
            .ToOut());
        lab.Pipe("in", "k", "a", 50);
        lab.Pipe("in", "k", "b", 30);
        Assert.Equal("k=b,Late,20/30,50,count,in-0:1@30", lab.Out("dropped"));
    }

    [Fact]
    public void Records_without_key_or_value_come_out_of_an_aggregation()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in").GroupByKey().WithDropped(dropped => dropped.ToTopic()).Count(named: "count").ToStream().To("out"));
        lab.Pipe("in", null, "a", 1);
        lab.Pipe("in", "k", null, 2);
        lab.Pipe("in", "k", "b", 3);
        Assert.Equal("k=1@3", lab.Out<long>());
        Assert.Equal("null=a,AbsentKey,-,1,count,in-0:0@1 k=-,AbsentValue,-,2,count,in-0:1@2", lab.Out("dropped"));
        Assert.Equal(2, lab.Driver.DroppedRecordsBecause(DropReason.AbsentKeyOrValue));
    }

    [Fact]
    public void Records_whose_group_is_null_come_out_behind_the_repartition_topic()
    {
        using var lab = new Lab(
            builder => builder.Stream<string, string>("in")
                .GroupBy((_, value) => value == "nobody" ? null! : value, Grouped.As("by-value"))
                .WithDropped(dropped => dropped.ToTopic())
                .Count(named: "count")
                .ToStream()
                .To("out"),
            partitions: 3);
        lab.Pipe("in", "k", "nobody", 1);
        lab.Pipe("in", "k", "a", 2);
        Assert.Equal("a=1@2", lab.Out<long>());
        Assert.StartsWith("null=nobody,AbsentKey,-,", lab.Out("dropped"), StringComparison.Ordinal);
    }

    [Fact]
    public void Reduce_and_aggregate_give_what_they_drop()
    {
        using var lab = new Lab(builder =>
        {
            var grouped = builder.Stream<string, string>("in").GroupByKey().WithDropped(dropped => dropped.ToTopic());
            grouped.Reduce((_, next) => next, named: "reduce").ToStream().To("out");
            grouped.Aggregate(() => "", (_, value, all) => all + value, named: "aggregate").ToStream().To("out");
        });
        lab.Pipe("in", null, "a", 1);
        Assert.Equal("null=a,AbsentKey,-,1,reduce,in-0:0@1 null=a,AbsentKey,-,1,aggregate,in-0:0@1", lab.Out("dropped"));
    }

    [Fact]
    public void Cogroup_gives_what_each_input_drops()
    {
        using var lab = new Lab(builder =>
        {
            var one = builder.Stream<string, string>("in").GroupByKey().WithDropped(dropped => dropped.ToTopic());
            var two = builder.Stream<string, string>("other").GroupByKey();
            one.Cogroup<string>((_, value, all) => all + value).Cogroup(two, (_, value, all) => all + value).Aggregate(() => "", named: "all").ToStream().To("out");
        });
        lab.Pipe("in", null, "a", 1);
        lab.Pipe("other", null, "b", 2);
        Assert.Equal("null=a,AbsentKey,-,1,all-cogroup-agg-0,in-0:0@1", lab.Out("dropped"));
    }

    [Fact]
    public void Stream_table_join_gives_what_it_drops()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .Join(builder.Table<string, string>("table"), (one, other) => one + other, new Joined<string, string, string> { Name = "join" }.WithDropped(dropped => dropped.ToTopic()))
            .To("out"));
        lab.Pipe("in", null, "a", 1);
        lab.Pipe("in", "k", null, 2);
        Assert.Equal("null=a,AbsentKey,-,1,join,in-0:0@1 k=-,AbsentValue,-,2,join,in-0:1@2", lab.Out("dropped"));
    }

    [Fact]
    public void Stream_stream_join_gives_what_either_side_drops_and_what_its_window_refuses()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .Join(
                builder.Stream<string, string>("other"),
                (one, other) => one + other,
                JoinWindows.OfTimeDifferenceWithNoGrace(10.Ms()),
                new StreamJoined<string, string, string> { Name = "join" }.WithDropped(dropped => dropped.ToTopic()).WithOtherDropped(dropped => dropped.ToTopic()))
            .To("out"));
        lab.Pipe("in", null, "a", 1);
        lab.Pipe("other", "k", null, 2);
        Assert.Equal("null=a,AbsentKey,-,1,join-this-join,in-0:0@1 k=-,AbsentValue,-,2,join-other-join,other-0:0@2", lab.Out("dropped"));
        lab.Pipe("in", "k", "new", 1_000_000);
        lab.Pipe("in", "k", "old", 3);
        Assert.Equal("k=old,Expired,-,1000000,join-this-windowed,in-0:2@3", lab.Out("dropped"));
    }

    [Fact]
    public void Stream_joined_with_itself_keeps_its_sides_when_their_dropped_records_are_wanted()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = TopologyOptimization.All, DefaultStoreType = StoreType.InMemory });
        var stream = builder.Stream<string, string>("in");
        stream.Join(
                stream,
                (one, other) => one + other,
                JoinWindows.OfTimeDifferenceWithNoGrace(10.Ms()),
                new StreamJoined<string, string, string> { Name = "join" }.WithDropped(dropped => dropped.ToTopic()))
            .To("out");
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, string>("in");
        input.PipeInput("k", "a", 1);
        input.PipeInput(null!, "b", 2);
        Assert.Equal("aa", Assert.Single(driver.CreateOutputTopic<string, string>("out").ReadRecordsToList()).Value);
        Assert.StartsWith("b,AbsentKey", Assert.Single(driver.CreateOutputTopic<string, string>("dropped").ReadRecordsToList()).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_goes_to_a_dead_letter_topic_as_it_was_with_its_fate_in_headers()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()))
            .WithDropped(dropped => dropped.ToRecords().To("dead"))
            .Count(named: "count"));
        lab.Pipe("in", "k", "a", 25);
        lab.Driver.CreateInputTopic<string, string>("in").PipeInput(new TestRecord<string, string>("k", "late", 9, Headers.Empty.Add("mine", "yes")));
        var record = Assert.Single(lab.Driver.CreateOutputTopic<string, string>("dead").ReadRecordsToList());
        Assert.Equal(("k", "late", 9), (record.Key, record.Value, record.Timestamp));
        Assert.Equal(
            "[mine=yes, __streams.dropped.reason=Late, __streams.dropped.operator=count, __streams.dropped.stream-time=25, __streams.dropped.window.start=0, " +
            "__streams.dropped.window.end=10, __streams.dropped.topic=in, __streams.dropped.partition=0, __streams.dropped.offset=1]",
            record.Headers.ToString());
    }

    [Fact]
    public void Record_that_only_the_store_knows_to_be_old_comes_out_after_a_restart()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()))
            .WithDropped(dropped => dropped.ToTopic())
            .Count(named: "count")
            .ToOut());
        lab.Pipe("in", "k", "a", 1_000_000);
        lab.Driver.Restart();
        lab.Pipe("in", "k", "old", 3);
        Assert.Equal("k=old,Expired,0/10,3,count,in-0:1@3", lab.Out("dropped"));
    }

    [Fact]
    public void Side_output_has_a_name_of_its_own_and_describes_itself()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").GroupByKey().WithDropped(dropped => dropped.ToRecords("as-they-were").To("dead"), "left-out").Count(Materialized.As("counts"), "count");
        var description = builder.Build().Describe().ToString();
        Assert.Contains("--> left-out", description, StringComparison.Ordinal);
        Assert.Contains("Processor: left-out", description, StringComparison.Ordinal);
        Assert.Contains("Processor: as-they-were", description, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_side_output_nothing_changes_in_the_description()
    {
        static string Describe(bool mention)
        {
            var builder = new StreamsBuilder();
            var grouped = builder.Stream<string, string>("in").GroupByKey();
            if (mention) grouped.WithDropped(_ => { });
            grouped.Count().ToStream().To("out");
            return builder.Build().Describe().ToString()!;
        }

        Assert.Equal(Describe(mention: false), Describe(mention: true));
    }
}
