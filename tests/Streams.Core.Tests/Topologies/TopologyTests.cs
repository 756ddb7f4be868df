using System.Text.RegularExpressions;
using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Topologies;

public class TopologyTests
{
    [Theory]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("..:")]
    public void Store_whose_changelog_cannot_have_its_name_is_refused_before_the_start(string store)
    {
        Refused(store, logged: true);
        Refused(new string('x', 236), logged: true);
        Run(new string('x', 235), logged: true);
        Run(store, logged: false);

        static void Refused(string store, bool logged)
        {
            var message = Assert.Throws<TopologyException>(() => Run(store, logged)).Message;
            Assert.Contains($"store '{store}'", message, StringComparison.Ordinal);
            Assert.Contains($"'app-{store}-changelog'", message, StringComparison.Ordinal);
            Assert.Contains("application.id", message, StringComparison.Ordinal);
        }

        static void Run(string store, bool logged) => _ = new KafkaStreams(
            new Topology().AddSource("s", Options.Texts, "in").AddProcessor("p", () => new PassOn<string, string>(), "s").AddStateStore(new DescribedStore(store) { LoggingEnabled = logged }, "p"),
            new StreamsConfig { ApplicationId = "app", BootstrapServers = "localhost:9092" });
    }

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
    public void Subtopologies_are_numbered_as_their_sources_are_added()
    {
        var topology = new Topology()
            .AddSource("pattern", Options.Texts, new Regex("x.*"))
            .AddSource("z", Options.Texts, "first")
            .AddSource("a", Options.Texts, "second")
            .AddProcessor("with-z", () => new PassOn<string, string>(), "z");

        var plan = new TopologyPlan(topology, "app");

        Assert.Equal(["pattern", "z,with-z", "a"], plan.Subtopologies.Select(each => string.Join(",", each.Nodes.Select(node => node.Name))));
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

    /// <summary>What JDK 17 gives: an element that has outgrown its place leads later ones by its new size, but stays. A sorted list would give 3, 2, 1.</summary>
    [Fact]
    public void Java_tree_keeps_elements_where_they_were_put_when_their_sizes_grow()
    {
        int[] sizes = [0, 1, 3, 5];
        var tree = new JavaTreeSet<int>((one, other) => sizes[one] != sizes[other] ? sizes[other] - sizes[one] : one - other);

        tree.Add(1);
        tree.Add(2);
        sizes[1] = 10;
        tree.Add(3);

        Assert.Equal([2, 1, 3], tree.InOrder());
    }

    /// <summary>What JDK 17 gives for the same steps: the tree is rotated twice on the way.</summary>
    [Fact]
    public void Java_tree_is_balanced_as_Java_balances_it()
    {
        var sizes = new int[9];
        var tree = new JavaTreeSet<int>((one, other) => sizes[one] != sizes[other] ? sizes[other] - sizes[one] : one - other);
        (int Grown, int By)[][] before = [[], [(0, 3)], [(2, 2), (0, 5), (1, 2)], [(6, 2), (8, 2)], [(1, 4), (2, 1), (4, 5)], [(0, 1), (4, 1)], [(5, 3)], [], [(7, 5), (1, 5), (6, 1)]];
        Array.Fill(sizes, 1);
        for (var element = 0; element < sizes.Length; element++)
        {
            foreach (var (grown, by) in before[element]) sizes[grown] += by;
            tree.Add(element);
        }

        Assert.Equal([0, 1, 4, 2, 6, 8, 3, 5, 7], tree.InOrder());
    }

    private static void Refused(Action<Topology> mistake, params string[] parts)
    {
        var failure = Assert.Throws<TopologyException>(() => mistake(new Topology().AddSource("s", Options.Texts, "taken")));
        foreach (var part in parts) Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }
}
