using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Topologies;

public class PartitionCountsTests
{
    /// <summary>E-94.</summary>
    [Fact]
    public void Repartition_topic_takes_the_count_of_what_feeds_it_through_others_too()
    {
        var topology = new Topology()
            .AddSource("s1", Options.Texts, "three", "five")
            .AddSink("k1", "first", Options.TextSink, "s1")
            .AddSource("s2", Options.Texts, "first")
            .AddSink("k2", "second", Options.TextSink, "s2")
            .AddSource("s3", Options.Texts, "second");
        topology.AddInternalTopic("second");
        topology.AddInternalTopic("first");

        var counts = Resolve(topology, ("three", 3), ("five", 5));

        Assert.Equal(5, counts.ByTopic["app-first"]);
        Assert.Equal(5, counts.ByTopic["app-second"]);
    }

    [Fact]
    public void Count_that_was_asked_for_is_heeded_and_passed_on()
    {
        var topology = Chain();
        topology.AddInternalTopic("first", 7);
        topology.AddInternalTopic("second");

        var counts = Resolve(topology, ("in", 3));

        Assert.Equal(7, counts.ByTopic["app-first"]);
        Assert.Equal(7, counts.ByTopic["app-second"]);
    }

    [Fact]
    public void Topic_that_feeds_itself_takes_the_count_of_what_comes_from_outside()
    {
        var topology = new Topology()
            .AddSource("outside", Options.Texts, "in")
            .AddSource("loop", Options.Texts, "again")
            .AddProcessor("both", () => new PassOn<string, string>(), "outside", "loop")
            .AddSink("back", "again", Options.TextSink, "both");
        topology.AddInternalTopic("again");

        Assert.Equal(4, Resolve(topology, ("in", 4)).ByTopic["app-again"]);
    }

    [Fact]
    public void Topic_that_nothing_feeds_has_no_count()
    {
        var topology = new Topology()
            .AddSource("loop", Options.Texts, "again")
            .AddSink("back", "again", Options.TextSink, "loop");
        topology.AddInternalTopic("again");

        Assert.Contains("app-again", Assert.Throws<TopologyException>(() => Resolve(topology)).Message, StringComparison.Ordinal);
    }

    /// <summary>E-92.</summary>
    [Fact]
    public void Joined_topics_that_differ_are_named_with_their_counts()
    {
        var topology = Joined();

        var failure = Assert.Throws<TopologyException>(() => Resolve(topology, ("left", 3), ("right", 4)));

        Assert.Contains("'left' has 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'right' has 4", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>E-93.</summary>
    [Fact]
    public void Repartitioned_side_takes_the_count_of_the_other()
    {
        var topology = new Topology()
            .AddSource("outer", Options.Texts, "in")
            .AddSink("to-left", "left", Options.TextSink, "outer")
            .AddSource("l", Options.Texts, "left")
            .AddSource("r", Options.Texts, "right")
            .AddProcessor("join", () => new PassOn<string, string>(), "l", "r");
        topology.AddInternalTopic("left");
        topology.Copartition(["l", "r"]);

        Assert.Equal(6, Resolve(topology, ("in", 2), ("right", 6)).ByTopic["app-left"]);
    }

    /// <summary>E-93.</summary>
    [Fact]
    public void Count_that_was_asked_for_and_does_not_fit_is_an_error()
    {
        var topology = new Topology()
            .AddSource("outer", Options.Texts, "in")
            .AddSink("to-left", "left", Options.TextSink, "outer")
            .AddSource("l", Options.Texts, "left")
            .AddSource("r", Options.Texts, "right")
            .AddProcessor("join", () => new PassOn<string, string>(), "l", "r");
        topology.AddInternalTopic("left", 5);
        topology.Copartition(["l", "r"]);

        var failure = Assert.Throws<TopologyException>(() => Resolve(topology, ("in", 2), ("right", 6)));

        Assert.Contains("'app-left' has 5", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'right' has 6", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_source_topics_are_named_together()
    {
        var failure = Assert.Throws<TopologyException>(() => Resolve(Joined()));

        Assert.Contains("'left', 'right'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tasks_and_inputs_follow_the_largest_topic()
    {
        var topology = new Topology().AddSource("s", Options.Texts, "one", "three");
        var plan = new TopologyPlan(topology, "app");
        var counts = PartitionCounts.Resolve(plan, new Dictionary<string, int> { ["one"] = 1, ["three"] = 3 });

        Assert.Equal(3, counts.TaskCount(plan.Subtopologies[0]));
        Assert.Equal([new TopicPartition("one", 0), new TopicPartition("three", 0)], counts.Inputs(plan.Subtopologies[0], 0));
        Assert.Equal([new TopicPartition("three", 2)], counts.Inputs(plan.Subtopologies[0], 2));
    }

    private static PartitionCounts Resolve(Topology topology, params (string Topic, int Count)[] existing) =>
        PartitionCounts.Resolve(new TopologyPlan(topology, "app"), existing.ToDictionary(each => each.Topic, each => each.Count));

    private static Topology Chain() => new Topology()
        .AddSource("s1", Options.Texts, "in")
        .AddSink("k1", "first", Options.TextSink, "s1")
        .AddSource("s2", Options.Texts, "first")
        .AddSink("k2", "second", Options.TextSink, "s2")
        .AddSource("s3", Options.Texts, "second");

    private static Topology Joined()
    {
        var topology = new Topology()
            .AddSource("l", Options.Texts, "left")
            .AddSource("r", Options.Texts, "right")
            .AddProcessor("join", () => new PassOn<string, string>(), "l", "r");
        topology.Copartition(["l", "r"]);
        return topology;
    }
}
