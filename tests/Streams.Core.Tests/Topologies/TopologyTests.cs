using System.Text.RegularExpressions;
using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Topologies;

public class TopologyTests
{
    [Fact]
    public void Mistakes_are_named() => Assert.Multiple(
        () => Refused(t => t.AddSource("s", Options.Texts, "in"), "'s'"),
        () => Refused(t => t.AddSource("s2", Options.Texts, "taken"), "'taken'", "'s'", "'s2'"),
        () => Refused(t => t.AddSource("s2", Options.Texts), "'s2'"),
        () => Refused(t => t.AddSource("s2", Options.Texts, "x", "x"), "'s2'", "x, x"),
        () => Refused(t => t.AddSource("s2", Options.Texts, "bad topic"), "'bad topic'"),
        () => Refused(t => t.AddSource("s2", Options.Texts, ".."), "'..'"),
        () => Refused(t => t.AddSource("s2", Options.Texts, new string('x', 250)), "1 to 249"),
        () => Refused(t => t.AddSource("s2", Options.Texts, new Regex("ta.*")), "'taken'", "'s'"),
        () => Refused(t => t.AddProcessor("p", () => new PassOn<string, string>()), "'p'"),
        () => Refused(t => t.AddProcessor("p", () => new PassOn<string, string>(), "nobody"), "'nobody'", "Nodes so far: s"),
        () => Refused(t => t.AddProcessor("p", () => new PassOn<string, string>(), "p"), "'p'", "cycle"),
        () => Refused(t => t.AddSink("k", "out", Options.TextSink), "'k'"),
        () => Refused(t => t.AddSink("k", Options.TextSink, "s"), "'k'", "TopicExtractor"),
        () => Refused(t => t.AddSink("k", "out", Options.TextSink, "s").AddProcessor("p", () => new PassOn<string, string>(), "k"), "'k'", "'p'"),
        () => Refused(t => t.ConnectProcessorAndStateStores("s", "store"), "'s'"),
        () => Refused(t => t.AddProcessor("p", () => new PassOn<string, string>(), "s").ConnectProcessorAndStateStores("p", "store"), "'p'", "'store'"));

    [Fact]
    public void Supplier_that_gives_nothing_is_named()
    {
        var topology = new Topology().AddSource("s", Options.Texts, "in").AddProcessor<string, string>("p", () => null!, "s");

        Assert.Contains("'p'", Assert.Throws<TopologyException>(() => new TaskHarness(topology)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Subtopologies_are_numbered_as_their_sources_are_added_patterns_last()
    {
        var topology = new Topology()
            .AddSource("pattern", Options.Texts, new Regex("x.*"))
            .AddSource("z", Options.Texts, "first")
            .AddSource("a", Options.Texts, "second")
            .AddProcessor("with-z", () => new PassOn<string, string>(), "z");

        var plan = new TopologyPlan(topology, "app");

        Assert.Equal(["z,with-z", "a", "pattern"], plan.Subtopologies.Select(each => string.Join(",", each.Nodes.Select(node => node.Name))));
        Assert.Equal([0, 1, 2], plan.Subtopologies.Select(each => each.Id));
    }

    [Fact]
    public void Pattern_is_matched_against_the_whole_name()
    {
        var plan = new TopologyPlan(new Topology().AddSource("s", Options.Texts, new Regex("in-[0-9]+")), "app");

        Assert.Equal(["in-1", "in-22"], plan.Subtopologies[0].SourceTopics(["in-1", "in-22", "in-x", "my-in-1", "in-1-old"]));
        Assert.Null(plan.Subtopologies[0].SourceOf("my-in-1"));
    }

    [Fact]
    public void Internal_topics_carry_the_applications_name()
    {
        var topology = new Topology().AddSource("s", Options.Texts, "in").AddSink("k", "middle", Options.TextSink, "s").AddSource("m", Options.Texts, "middle");
        topology.AddInternalTopic("middle", 3);
        var plan = new TopologyPlan(topology, "app");

        Assert.Equal("app-middle", plan.ResolveTopic("middle"));
        Assert.Equal("in", plan.ResolveTopic("in"));
        Assert.Equal(3, plan.InternalTopicOf("app-middle")!.PartitionCount);
        Assert.Null(plan.InternalTopicOf("middle"));
        Assert.Equal(["app-middle"], plan.Subtopologies[0].InternalSinkTopics());
    }

    [Fact]
    public void Description_is_Kafka_Streams_text()
    {
        var topology = new Topology()
            .AddSource("source", Options.Texts, "in", "more")
            .AddProcessor("work", () => new PassOn<string, string>(), "source")
            .AddSink("out", "out", Options.TextSink, "work");

        Assert.Equal(
            "Topologies:\n   Sub-topology: 0\n    Source: source (topics: [in, more])\n      --> work\n" +
            "    Processor: work (stores: [])\n      --> out\n      <-- source\n" +
            "    Sink: out (topic: out)\n      <-- work\n\n",
            topology.Describe().ToString());
    }

    /// <summary>Computed by hand from the definition of Java's String.hashCode and HashMap's spreading: "a" to "e" are 97 to 101, buckets 1 to 5 of 16.</summary>
    [Fact]
    public void Java_order_of_single_letters_is_their_own() => Assert.Equal(["a", "b", "c", "d", "e"], JavaHashOrder.Of(["e", "c", "a", "d", "b"]));

    [Fact]
    public void Java_order_of_colliding_texts_is_that_of_insertion() => Assert.Equal(["Aa", "BB"], JavaHashOrder.Of(["Aa", "BB"]));

    private static void Refused(Action<Topology> mistake, params string[] parts)
    {
        var failure = Assert.Throws<TopologyException>(() => mistake(new Topology().AddSource("s", Options.Texts, "taken")));
        foreach (var part in parts) Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }
}
