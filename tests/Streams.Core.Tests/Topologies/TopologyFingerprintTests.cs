using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Topologies;

public sealed class TopologyFingerprintTests
{
    [Fact]
    public void Shifted_numbers_are_renamings_and_orphan_what_was_kept_under_them()
    {
        var changes = Changes(Topology("NODE-0000000001", "STORE-0000000002"), Topology("NODE-0000000004", "STORE-0000000005"));
        Assert.Equal(
            [
                new TopologyChange(TopologyChangeKind.Renamed, TopologyPart.Store, "STORE-0000000005", "STORE-0000000002", "app-STORE-0000000002-changelog"),
                new TopologyChange(TopologyChangeKind.Renamed, TopologyPart.RepartitionTopic, "STORE-0000000005-repartition", "STORE-0000000002-repartition", "app-STORE-0000000002-repartition"),
                new TopologyChange(TopologyChangeKind.Renamed, TopologyPart.Node, "NODE-0000000004", "NODE-0000000001", null),
            ],
            changes);
        Assert.Contains("starts empty", changes[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("'app-STORE-0000000002-changelog'", changes[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Generated_name_that_is_replaced_by_one_of_its_own_is_a_renaming()
    {
        var change = Changes(Topology("NODE-0000000001", "STORE-0000000002"), Topology("NODE-0000000001", "counts"))[0];
        Assert.Equal((TopologyChangeKind.Renamed, "counts", "STORE-0000000002"), (change.Kind, change.Name, change.FormerName));
    }

    [Fact]
    public void Other_shapes_are_gone_and_new()
    {
        var changes = Changes(Topology("one", "old"), Topology("two", "fresh"));
        Assert.Equal(
            [
                "store 'fresh' is new", "store 'old' is gone; topic 'app-old-changelog' is used by nobody any more",
                "repartition topic 'fresh-repartition' is new", "repartition topic 'old-repartition' is gone; topic 'app-old-repartition' is used by nobody any more",
                "node 'two' is new", "node 'one' is gone",
            ],
            changes.Select(change => change.ToString()));
    }

    [Fact]
    public void Store_that_lands_in_another_subtopology_is_said_to_have_moved()
    {
        var before = new Topology().AddSource("s", Options.Texts, "in").AddProcessor("p", () => new PassOn<string, string>(), "s").AddStateStore(new DescribedStore("x"), "p");
        var now = new Topology()
            .AddSource("first", Options.Texts, "other").AddProcessor("q", () => new PassOn<string, string>(), "first")
            .AddSource("s", Options.Texts, "in").AddProcessor("p", () => new PassOn<string, string>(), "s").AddStateStore(new DescribedStore("x"), "p");
        Assert.Equal(new TopologyChange(TopologyChangeKind.Moved, TopologyPart.Store, "x", null, null), Changes(before, now)[0]);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":2,\"nodes\":[],\"stores\":[],\"repartitionTopics\":[]}")]
    [InlineData("{\"version\":1,\"nodes\":null,\"stores\":[],\"repartitionTopics\":[]}")]
    [InlineData("{\"version\":1,\"nodes\":[null],\"stores\":[],\"repartitionTopics\":[]}")]
    [InlineData("{\"version\":1,\"nodes\":[{\"name\":null,\"shape\":\"x\"}],\"stores\":[],\"repartitionTopics\":[]}")]
    public void Damaged_or_unknown_fingerprint_is_none(string json) => Assert.Null(TopologyFingerprint.Decode(System.Text.Encoding.UTF8.GetBytes(json)));

    private static IReadOnlyList<TopologyChange> Changes(Topology before, Topology now)
    {
        var kept = TopologyFingerprint.Decode(TopologyFingerprint.Of(new TopologyPlan(before, "app")).Encode());
        return TopologyFingerprint.Of(new TopologyPlan(now, "app")).ChangesFrom(kept!);
    }

    private static Topology Topology(string node, string store)
    {
        var topology = new Topology();
        topology.AddInternalTopic(store + "-repartition");
        return topology
            .AddSource("s", Options.Texts, "in")
            .AddSink("to", store + "-repartition", Options.TextSink, "s")
            .AddSource("from", Options.Texts, store + "-repartition")
            .AddProcessor(node, () => new PassOn<string, string>(), "from")
            .AddStateStore(new DescribedStore(store), node);
    }
}
