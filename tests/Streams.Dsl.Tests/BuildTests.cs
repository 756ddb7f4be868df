using Xunit;

namespace Streams.Dsl.Tests;

/// <summary>What happens when a topology is written and built: serdes are found, names checked, operators merged, the result drawn.</summary>
public sealed class BuildTests
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

    private sealed class UriSerializer : ISerde<Uri>
    {
        public void Serialize(Uri value, System.Buffers.IBufferWriter<byte> output) => Serdes.String.Serialize(value.ToString(), output);

        public Uri Deserialize(ReadOnlySpan<byte> data) => new(Serdes.String.Deserialize(data));
    }
}
