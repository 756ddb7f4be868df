using Xunit;

namespace Streams.Dsl.Tests.Operators;

public sealed class FilterTests
{
    [Fact]
    public void Filter_keeps_what_matches_and_FilterNot_the_rest()
    {
        using var filter = DslTest.Stream(stream => stream.Filter((key, value) => value == "x"));
        using var filterNot = DslTest.Stream(stream => stream.FilterNot(value => value == "x"));
        foreach (var test in new[] { filter, filterNot }) test.Pipe("a", "x").Pipe("a", "y");
        Assert.Equal(["a=x@0"], filter.Out());
        Assert.Equal(["a=y@0"], filterNot.Out());
    }

    /// <summary>E-01.</summary>
    [Fact]
    public void Predicate_sees_null_keys_and_values()
    {
        var seen = new List<string>();
        using var test = DslTest.Stream(stream => stream.Filter((key, value) =>
        {
            seen.Add($"{key ?? "null"},{value ?? "null"}");
            return true;
        }));
        test.Pipe(null, "x").Pipe("a", null);
        Assert.Equal(["null,x", "a,null"], seen);
        Assert.Equal(["-=x@0", "a=-@0"], test.Out());
    }

    [Fact]
    public void Absent_struct_does_not_match()
    {
        using var filter = DslTest.Changes(stream => stream.Filter((_, _) => true));
        using var filterNot = DslTest.Changes(stream => stream.FilterNot(_ => throw new InvalidOperationException("must not be called")));
        Assert.Empty(filter.Delete("a").Out<string, long>());
        Assert.Equal(["a=-@0"], filterNot.Delete("a").Out<string, long>());
    }
}

public sealed class MapValuesTests
{
    [Fact]
    public void Mapper_gives_the_new_value_and_may_delete()
    {
        using var test = DslTest.Stream(stream => stream.MapValues((key, value) => value == "x" ? null! : key + value));
        Assert.Equal(["a=ay@3", "a=-@4"], test.Pipe("a", "y", 3).Pipe("a", "x", 4).Out());
    }

    [Fact]
    public void Absent_struct_stays_absent_without_a_call()
    {
        using var test = DslTest.Changes(stream => stream.MapValues(value => value + 1));
        Assert.Equal(["a=2@0", "a=-@0"], test.Put("a", 1).Delete("a").Out<string, long>());
    }

    [Fact]
    public void Nothing_is_repartitioned_by_grouping_afterwards()
    {
        using var test = DslTest.Stream(stream => stream.MapValues(value => value).GroupByKey().Count().ToStream());
        test.Pipe("a", "x");
        Assert.DoesNotContain(test.Driver.ProducedTopicNames, topic => topic.EndsWith("-repartition", StringComparison.Ordinal));
    }
}

public sealed class MapTests
{
    [Fact]
    public void Key_and_value_change()
    {
        using var test = DslTest.Stream(stream => stream.Map((key, value) => KeyValue.Pair(value, key)));
        Assert.Equal(["x=a@0", "-=b@0"], test.Pipe("a", "x").Pipe("b", null).Out());
    }

    [Fact]
    public void Absent_struct_is_dropped_and_counted()
    {
        using var test = DslTest.Changes(stream => stream.Map((key, value) => KeyValue.Pair(key, value)));
        Assert.Empty(test.Delete("a").Out<string, long>());
        Assert.Equal(1, test.Driver.DroppedRecords);
    }
}

public sealed class SelectKeyTests
{
    [Fact]
    public void Key_changes_and_the_value_stays()
    {
        using var test = DslTest.Stream(stream => stream.SelectKey((key, value) => key + value));
        Assert.Equal(["ax=x@0"], test.Pipe("a", "x").Out());
    }

    [Fact]
    public void Selector_of_the_key_alone_keeps_deletions_of_structs()
    {
        using var test = DslTest.Changes(stream => stream.SelectKey(key => key + "!"));
        Assert.Equal(["a!=1@0", "a!=-@0"], test.Put("a", 1).Delete("a").Out<string, long>());
    }

    [Fact]
    public void Selector_of_key_and_value_drops_deletions_of_structs()
    {
        using var test = DslTest.Changes(stream => stream.SelectKey((key, value) => $"{key}{value}"));
        Assert.Equal(["a1=1@0"], test.Put("a", 1).Delete("a").Out<string, long>());
        Assert.Equal(1, test.Driver.DroppedRecords);
    }

    /// <summary>E-90.</summary>
    [Fact]
    public void Grouping_afterwards_repartitions_once()
    {
        using var test = DslTest.Stream(stream => stream.SelectKey((_, value) => value).GroupByKey().Count().ToStream());
        test.Pipe("a", "x");
        Assert.Single(test.Driver.ProducedTopicNames, topic => topic.EndsWith("-repartition", StringComparison.Ordinal));
    }
}

public sealed class FlatMapTests
{
    [Fact]
    public void Every_pair_becomes_a_record_at_the_same_time()
    {
        using var test = DslTest.Stream(stream => stream.FlatMap((key, value) => value.Split(',').Select(part => KeyValue.Pair(part, key))));
        Assert.Equal(["x=a@7", "y=a@7"], test.Pipe("a", "x,y", 7).Out());
    }

    [Fact]
    public void Values_in_an_array_or_a_lazy_sequence_come_out_in_order()
    {
        using var array = DslTest.Stream(stream => stream.FlatMapValues(value => value.Split(',')));
        using var lazy = DslTest.Stream(stream => stream.FlatMapValues((_, value) => value.Split(',').Reverse()));
        Assert.Equal(["a=x@0", "a=y@0"], array.Pipe("a", "x,y").Out());
        Assert.Equal(["a=y@0", "a=x@0"], lazy.Pipe("a", "x,y").Out());
    }

    [Fact]
    public void Absent_struct_gives_no_values()
    {
        using var test = DslTest.Changes(stream => stream.FlatMapValues(value => new[] { value, value }));
        Assert.Empty(test.Delete("a").Out<string, long>());
    }
}

public sealed class PeekAndForEachTests
{
    [Fact]
    public void Peek_shows_and_sends_on()
    {
        var seen = new List<string>();
        using var test = DslTest.Stream(stream => stream.Peek((key, value) => seen.Add($"{key}={value}")));
        Assert.Equal(["a=x@0"], test.Pipe("a", "x").Out());
        Assert.Equal(["a=x"], seen);
    }

    [Fact]
    public void Neither_is_called_for_an_absent_struct()
    {
        var calls = 0;
        using var test = DslTest.Of(builder =>
        {
            var stream = builder.Table<string, long>("in").ToStream();
            stream.ForEach((_, _) => calls++);
            stream.Peek((_, _) => calls++).To("out");
        });
        Assert.Equal(["a=-@0"], test.Delete("a").Out<string, long>());
        Assert.Equal(0, calls);
    }

    [Fact]
    public void Print_writes_lines_with_the_label()
    {
        using var output = new StringWriter();
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").Print(Printed.To<string, string>(output).WithLabel("L")));
        test.Pipe("a", "x").Pipe(null, null);
        Assert.Equal($"[L]: a, x{Environment.NewLine}[L]: null, null{Environment.NewLine}", output.ToString());
    }
}

public sealed class SplitTests
{
    [Fact]
    public void First_match_wins_and_the_rest_goes_to_the_default_branch()
    {
        using var test = DslTest.Of(builder =>
        {
            var branches = builder.Stream<string, string>("in").Split("s-")
                .Branch((_, value) => value.StartsWith('x'), Branched.As("x"))
                .Branch((_, value) => value.Length > 1)
                .DefaultBranch();
            Assert.Equal(["s-x", "s-2", "s-0"], branches.Keys);
            branches["s-x"].To("x");
            branches["s-2"].To("two");
            branches["s-0"].To("rest");
        });
        test.Pipe("a", "xx").Pipe("a", "yy").Pipe("a", "z");
        Assert.Equal(["a=xx@0"], test.Out<string, string>("x"));
        Assert.Equal(["a=yy@0"], test.Out<string, string>("two"));
        Assert.Equal(["a=z@0"], test.Out<string, string>("rest"));
    }

    [Fact]
    public void Without_default_branch_the_rest_is_dropped_silently()
    {
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").Split()
            .Branch((_, value) => value == "x", Branched.WithConsumer<string, string>(stream => stream.To("out")))
            .NoDefaultBranch());
        Assert.Equal(["a=x@0"], test.Pipe("a", "x").Pipe("a", "y").Out());
        Assert.Equal(0, test.Driver.DroppedRecords);
    }

    [Fact]
    public void Two_branches_of_one_name_and_a_branch_after_the_end_are_refused()
    {
        var split = new StreamsBuilder().Stream<string, string>("in").Split("s-").Branch((_, _) => true, Branched.As("one"));
        Assert.Contains("s-one", Assert.Throws<TopologyException>(() => split.Branch((_, _) => true, Branched.As("one"))).Message, StringComparison.Ordinal);
        split.NoDefaultBranch();
        Assert.Throws<TopologyException>(() => split.Branch((_, _) => true));
    }
}

public sealed class ProcessTests
{
    [Fact]
    public void Fixed_key_processor_changes_values_only_and_needs_no_repartition()
    {
        using var test = DslTest.Stream(stream => stream.ProcessValues(() => new Upper()));
        Assert.Equal(["a=X@0"], test.Pipe("a", "x").Out());
    }

    [Fact]
    public void Supplier_that_gives_one_instance_twice_is_refused()
    {
        var builder = new StreamsBuilder();
        var shared = new Upper();
        builder.Stream<string, string>("in").ProcessValues(() => shared).To("out");
        var topology = builder.Build();
        var failure = Assert.Throws<TopologyException>(() =>
            new Streams.Testing.TopologyTestDriver(topology, options: new Streams.Testing.TopologyTestDriverOptions { PartitionsPerTopic = 2 }));
        Assert.Contains("same instance twice", failure.Message, StringComparison.Ordinal);
    }

    private sealed class Upper : FixedKeyProcessor<string, string, string>
    {
        public override void Process(in FixedKeyRecord<string, string> record) => Forward(record.WithValue(record.Value.ToUpperInvariant()));
    }
}
