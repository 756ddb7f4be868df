using Xunit;

namespace Streams.Dsl.Tests;

/// <summary>What is wrong is refused when the topology is written or built, with a message that says what and where.</summary>
public sealed class MisuseTests
{
    [Fact]
    public void Missing_serde_names_operator_type_and_remedy()
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>("in").MapValues(value => new Uri("http://" + value));
        var failure = Assert.Throws<TopologyException>(() => stream.To("out", Produced.As("my-sink")));
        Assert.Contains("'my-sink'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("value type Uri", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Produced.With", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Registered_serde_is_found_by_type()
    {
        var registry = new SerdeRegistry().Add(Serdes.From(new UriSerializer(), new UriSerializer()));
        using var test = DslTest.Of(
            builder => builder.Stream<string, string>("in").MapValues(value => new Uri("http://" + value)).To("out"),
            new StreamsBuilderOptions { Serdes = registry });
        Assert.Equal(["a=http://x/@0"], test.Pipe("a", "x").Out());
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void Names_that_are_none_are_refused(string name)
    {
        Assert.Throws<TopologyException>(() => Named.As(name));
        Assert.Throws<TopologyException>(() => Materialized.As(name));
        Assert.Throws<TopologyException>(() => new Grouped<string, string> { Name = name });
    }

    [Fact]
    public void One_topic_read_in_two_ways_is_refused()
    {
        AssertRefused("offset reset", builder =>
        {
            builder.Stream<string, string>("in");
            builder.Stream<string, string>("in", Consumed.With(AutoOffsetReset.Latest));
        });
        AssertRefused("other types", builder =>
        {
            builder.Stream<string, string>("in");
            builder.Stream<string, long>("in");
        });
        AssertRefused("share all of their topics or none", builder =>
        {
            builder.Stream<string, string>("in");
            builder.Stream<string, string>(["in", "more"]);
        });
        AssertRefused("'in'", builder =>
        {
            builder.Stream<string, string>("in");
            builder.Table<string, string>("in");
        });
    }

    [Fact]
    public void Names_used_twice_are_refused()
    {
        AssertRefused("'n'", builder => builder.Stream<string, string>("in", Consumed.As("n")).Filter(_ => true, "n").To("out"));
        AssertRefused("'s'", builder =>
        {
            var group = builder.Stream<string, string>("in").GroupByKey();
            group.Count(Materialized.As("s"));
            group.Reduce((one, _) => one, Materialized.As("s"));
        });
    }

    [Fact]
    public void Unknown_store_is_refused() => AssertRefused("'nowhere'", builder => builder.Stream<string, string>("in")
        .Process(() => new Idle(), storeNames: "nowhere").To("out"));

    [Fact]
    public void Streams_of_two_builders_cannot_be_combined()
    {
        var one = new StreamsBuilder().Stream<string, string>("in");
        var other = new StreamsBuilder().Stream<string, string>("in");
        Assert.Throws<TopologyException>(() => one.Merge(other));
    }

    [Fact]
    public void Operators_cannot_be_added_after_Build_which_gives_the_same_topology_again()
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>("in");
        stream.To("out");
        var topology = builder.Build();
        Assert.Same(topology, builder.Build());
        Assert.Throws<TopologyException>(() => stream.To("more"));
    }

    [Fact]
    public void Grace_join_needs_a_versioned_table_with_enough_history()
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>("in");
        var plain = builder.Table<string, string>("plain");
        var versioned = builder.Table<string, string>("versioned", materialized: Materialized.As("v").WithHistoryRetention(TimeSpan.FromSeconds(1)));
        var joined = Joined.With(TimeSpan.FromSeconds(2));
        Assert.Contains("must be versioned", Assert.Throws<ArgumentException>(() => stream.Join(plain, (one, _) => one, joined)).Message, StringComparison.Ordinal);
        Assert.Contains("at least grace", Assert.Throws<ArgumentException>(() => stream.Join(versioned, (one, _) => one, joined)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Versioned_table_cannot_be_suppressed()
    {
        var table = new StreamsBuilder().Table<string, string>("t", materialized: Materialized.As("v").WithHistoryRetention(TimeSpan.FromSeconds(1)));
        Assert.Throws<TopologyException>(() => table.Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromSeconds(1), BufferConfig.Unbounded())));
    }

    [Fact]
    public void Aggregation_cannot_be_versioned()
    {
        var group = new StreamsBuilder().Stream<string, string>("in").GroupByKey();
        var versioned = Materialized.As("v").WithHistoryRetention(TimeSpan.FromSeconds(1));
        Assert.Contains("'v'", Assert.Throws<TopologyException>(() => group.Count(versioned)).Message, StringComparison.Ordinal);
        Assert.Throws<TopologyException>(() => group.WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(1))).Count(versioned));
    }

    [Fact]
    public void Generated_names_are_refused_when_told_to()
    {
        var options = new StreamsBuilderOptions { EnsureExplicitInternalResourceNaming = true };
        var generated = new StreamsBuilder(options);
        generated.Stream<string, string>("in").GroupBy((_, value) => value).Count();
        var message = Assert.Throws<TopologyException>(generated.Build).Message;
        Assert.Contains("KSTREAM-AGGREGATE-STATE-STORE-0000000003", message, StringComparison.Ordinal);
        Assert.Contains("KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition", message, StringComparison.Ordinal);

        var named = new StreamsBuilder(options);
        named.Stream<string, string>("in").GroupBy((_, value) => value, Grouped.As("by-value")).Count(Materialized.As("counts")).ToStream().To("out");
        Assert.NotNull(named.Build());
    }

    [Fact]
    public void Windows_that_make_no_sense_are_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => TimeWindows.OfSizeWithNoGrace(TimeSpan.Zero));
        Assert.ThrowsAny<ArgumentException>(() => TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMilliseconds(5)).AdvanceBy(TimeSpan.FromMilliseconds(6)));
        Assert.ThrowsAny<ArgumentException>(() => TimeWindows.OfSizeWithNoGrace(TimeSpan.FromTicks(1)));
        Assert.ThrowsAny<ArgumentException>(() => TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(-1)));
        Assert.ThrowsAny<ArgumentException>(() => SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.Zero));
        Assert.ThrowsAny<ArgumentException>(() => JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(1)).Before(TimeSpan.FromSeconds(-2)));
        Assert.ThrowsAny<ArgumentException>(() => Repartitioned.With(0));
    }

    /// <summary>Two aggregations behind one operator behind a key change: the merged topic serves both.</summary>
    [Fact]
    public void Repartitions_behind_a_shared_operator_are_merged()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = TopologyOptimization.All });
        var filtered = builder.Stream<string, string>("in").SelectKey((_, value) => value).Filter(_ => true);
        filtered.GroupByKey().Count(Materialized.As("one")).ToStream().To("out1");
        filtered.GroupByKey().Reduce((one, _) => one, Materialized.As("two")).ToStream().To("out2");
        var description = builder.Build().Describe();
        Assert.Equal(2, description.Subtopologies.Count);
        Assert.Contains("one-repartition-source", description.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("two-repartition", description.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Topology_is_drawn_with_its_topics_and_stores()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").GroupBy((_, value) => value).Count(Materialized.As("counts")).ToStream().To("out");
        var description = builder.Build().Describe();
        Assert.Contains("[(\"counts\")]", description.ToMermaid(), StringComparison.Ordinal);
        Assert.Contains("([\"counts-repartition\"])", description.ToMermaid(), StringComparison.Ordinal);
        Assert.Contains("\"topic in\" -> \"KSTREAM-SOURCE-0000000000\";", description.ToDot(), StringComparison.Ordinal);
        Assert.Contains("\"store counts\" [label=\"counts\", shape=cylinder];", description.ToDot(), StringComparison.Ordinal);
    }

    private static void AssertRefused(string part, Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        var failure = Assert.Throws<TopologyException>(() =>
        {
            write(builder);
            builder.Build();
        });
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }

    private sealed class Idle : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
        }
    }

    private sealed class UriSerializer : ISerde<Uri>
    {
        public void Serialize(Uri value, System.Buffers.IBufferWriter<byte> output) => Serdes.String.Serialize(value.ToString(), output);

        public Uri Deserialize(ReadOnlySpan<byte> data) => new(Serdes.String.Deserialize(data));
    }
}
