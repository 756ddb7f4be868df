using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Core.Tests.Support;
using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class InternalTopicsTests
{
    [Fact]
    public async Task Missing_topics_are_made_with_counts_and_settings_of_Kafka_Streams()
    {
        using var admin = new FakeAdmin(("in", 3));
        var counts = await EnsureAsync(admin, Counting());
        Assert.Equal(3, counts.ByTopic["app-by-word-repartition"]);
        Assert.Equal(["app-by-word-repartition", "app-counts-changelog"], admin.Created.Select(topic => topic.Name));
        Assert.All(admin.Created, topic => Assert.Equal((3, -1), (topic.PartitionCount, topic.ReplicationFactor)));
        Assert.Equal("cleanup.policy=delete,message.timestamp.type=CreateTime,retention.ms=-1,segment.bytes=52428800", Config(admin.Created[0]));
        Assert.Equal("cleanup.policy=compact,message.timestamp.type=CreateTime", Config(admin.Created[1]));
    }

    [Fact]
    public async Task How_much_longer_changelogs_keep_their_records_is_a_setting()
    {
        using var admin = new FakeAdmin(("in", 1));
        await EnsureAsync(admin, Counting(new DescribedStore("window") { ChangelogCleanup = ChangelogCleanup.CompactAndDelete, Retention = TimeSpan.FromHours(1) }), additionalRetention: TimeSpan.Zero);
        Assert.Contains("retention.ms=3600000", Config(admin.Created.Single(topic => topic.Name == "app-window-changelog")), StringComparison.Ordinal);
        var config = StreamsConfig.From([new("application.id", "app"), new("bootstrap.servers", "a:1"), new("windowstore.changelog.additional.retention.ms", "0")]);
        config.Validate();
        Assert.Equal(TimeSpan.Zero, config.WindowStoreChangelogAdditionalRetention);
        Assert.Throws<ConfigException>((config with { WindowStoreChangelogAdditionalRetention = TimeSpan.FromTicks(-1) }).Validate);
    }

    [Fact]
    public async Task Windowed_changelog_keeps_a_day_more_than_the_store_and_versioned_one_lags()
    {
        using var admin = new FakeAdmin(("in", 1));
        var topology = Counting(
            new DescribedStore("window") { ChangelogCleanup = ChangelogCleanup.CompactAndDelete, Retention = TimeSpan.FromHours(1) },
            new DescribedStore("history") { ChangelogCleanup = ChangelogCleanup.CompactWithLag, Retention = TimeSpan.FromMinutes(5) });
        await EnsureAsync(admin, topology);
        Assert.Equal("cleanup.policy=compact,delete,message.timestamp.type=CreateTime,retention.ms=90000000", Config(admin.Created.Single(topic => topic.Name == "app-window-changelog")));
        Assert.Equal("cleanup.policy=compact,message.timestamp.type=CreateTime,min.compaction.lag.ms=86700000", Config(admin.Created.Single(topic => topic.Name == "app-history-changelog")));
    }

    [Fact]
    public async Task Settings_of_the_store_go_before_those_of_the_application_and_those_before_the_defaults()
    {
        using var admin = new FakeAdmin(("in", 1));
        var topology = Counting(new DescribedStore("counts") { LogConfig = new Dictionary<string, string> { ["segment.ms"] = "2", ["cleanup.policy"] = "delete" } });
        await EnsureAsync(admin, topology, new Dictionary<string, string> { ["segment.ms"] = "1", ["message.timestamp.type"] = "LogAppendTime" });
        Assert.Equal("cleanup.policy=delete,message.timestamp.type=LogAppendTime,segment.ms=2", Config(admin.Created.Single(topic => topic.Name == "app-counts-changelog")));
    }

    [Fact]
    public async Task Stores_without_log_get_no_topic_and_existing_topics_are_left_alone()
    {
        using var admin = new FakeAdmin(("in", 2), ("app-by-word-repartition", 2));
        await EnsureAsync(admin, Counting(new DescribedStore("counts") { LoggingEnabled = false }));
        Assert.Empty(admin.Created);
    }

    /// <summary>E-97.</summary>
    [Fact]
    public async Task Changelog_with_another_number_of_partitions_is_refused_with_both_numbers()
    {
        using var admin = new FakeAdmin(("in", 3), ("app-by-word-repartition", 3), ("app-counts-changelog", 5));
        var failure = await Assert.ThrowsAsync<TopologyException>(() => EnsureAsync(admin, Counting()));
        Assert.Contains("'app-counts-changelog' has 5 partition(s), but the topology needs 3", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_source_topics_are_all_named()
    {
        using var admin = new FakeAdmin(("b", 1));
        var topology = new Topology().AddSource("s", Options.Texts, "a", "b", "c").AddProcessor("p", () => new PassOn<string, string>(), "s");
        var failure = await Assert.ThrowsAsync<TopologyException>(() => EnsureAsync(admin, topology));
        Assert.Contains("'a', 'c'", failure.Message, StringComparison.Ordinal);
        Assert.Empty(admin.Created);
    }

    [Fact]
    public async Task Joined_topics_with_different_counts_are_refused_with_topics_and_counts()
    {
        using var admin = new FakeAdmin(("left", 2), ("right", 3));
        var topology = new Topology()
            .AddSource("l", Options.Texts, "left")
            .AddSource("r", Options.Texts, "right")
            .AddProcessor("p", () => new PassOn<string, string>(), "l", "r");
        topology.Copartition(["l", "r"]);
        var failure = await Assert.ThrowsAsync<TopologyException>(() => EnsureAsync(admin, topology));
        Assert.Contains("'left' has 2", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'right' has 3", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_that_was_made_but_does_not_show_is_waited_for()
    {
        using var admin = new FakeAdmin(("in", 1)) { HidesNewTopics = true };
        await Assert.ThrowsAsync<ClusterUnavailableException>(() => EnsureAsync(admin, Counting()));
    }

    [Fact]
    public async Task Change_of_sources_is_noticed_and_other_topics_are_not()
    {
        using var admin = new FakeAdmin(("in-a", 1), ("other", 1), ("__consumer_offsets", 50));
        var plan = new TopologyPlan(new Topology().AddSource("s", Options.Texts, new Regex("in-.*|__.*")).AddProcessor("p", () => new PassOn<string, string>(), "s"), "app");
        var topics = new InternalTopics(plan, admin, -1, new Dictionary<string, string>(), TimeSpan.FromDays(1), NullLogger.Instance);
        var cancellation = TestContext.Current.CancellationToken;
        var counts = await topics.EnsureAsync(cancellation);
        Assert.Equal(["in-a"], counts.ByTopic.Keys);
        admin.Topics["more"] = 1;
        Assert.False(await topics.HaveSourcesChangedAsync(counts, cancellation));
        admin.Topics["in-a"] = 2;
        Assert.True(await topics.HaveSourcesChangedAsync(counts, cancellation));
        counts = await topics.EnsureAsync(cancellation);
        Assert.False(await topics.HaveSourcesChangedAsync(counts, cancellation));
        admin.Topics["in-b"] = 1;
        Assert.True(await topics.HaveSourcesChangedAsync(counts, cancellation));
        admin.Topics.Remove("in-a");
        Assert.True(await topics.HaveSourcesChangedAsync(counts, cancellation));
    }

    // in → select → repartition topic → count
    private static Topology Counting(params IStoreBuilder[] stores)
    {
        var topology = new Topology();
        topology.AddInternalTopic("by-word-repartition");
        topology
            .AddSource("s", Options.Texts, "in")
            .AddProcessor("select", () => new PassOn<string, string>(), "s")
            .AddSink("to", "by-word-repartition", Options.TextSink, "select")
            .AddSource("from", Options.Texts, "by-word-repartition")
            .AddProcessor("count", () => new PassOn<string, string>(), "from");
        foreach (var store in stores.DefaultIfEmpty(new DescribedStore("counts"))) topology.AddStateStore(store, "count");
        return topology;
    }

    private static Task<PartitionCounts> EnsureAsync(FakeAdmin admin, Topology topology, IReadOnlyDictionary<string, string>? properties = null, TimeSpan? additionalRetention = null) =>
        new InternalTopics(new TopologyPlan(topology, "app"), admin, -1, properties ?? new Dictionary<string, string>(), additionalRetention ?? TimeSpan.FromDays(1), NullLogger.Instance).EnsureAsync(TestContext.Current.CancellationToken);

    private static string Config(NewTopic topic) => string.Join(',', topic.Config.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}={entry.Value}"));
}
