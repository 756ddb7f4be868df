using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>An application says at its start how its topology differs from the one that made its state.</summary>
public sealed class TopologyChangesTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_tells_what_a_changed_topology_leaves_behind()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "lines", 1);
        await TestTopics.CreateAsync(cluster, "out", 1);
        var config = StatelessApplicationTests.Config(cluster, "app");
        Assert.Empty(await ChangesAsync(Count(withFilter: false), config));
        Assert.Empty(await ChangesAsync(Count(withFilter: false), config));

        var changes = await ChangesAsync(Count(withFilter: true), config);
        var store = Assert.Single(changes, change => change.Part == TopologyPart.Store);
        Assert.Equal(TopologyChangeKind.Renamed, store.Kind);
        Assert.Equal($"app-{store.FormerName}-changelog", store.Orphan);
        Assert.Single(changes, change => change is { Part: TopologyPart.Node, Kind: TopologyChangeKind.New } && change.Name.StartsWith("KSTREAM-FILTER", StringComparison.Ordinal));

        // What is orphaned is still there.
        using var admin = cluster.CreateAdmin("test");
        Assert.Contains(store.Orphan!, await admin.ListTopicsAsync(TestContext.Current.CancellationToken));
        Assert.Empty(await ChangesAsync(Count(withFilter: true), config));
    }

    private static async Task<IReadOnlyList<TopologyChange>> ChangesAsync(Topology topology, StreamsConfig config)
    {
        await using var app = new KafkaStreams(topology, config);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State is KafkaStreamsState.Running or KafkaStreamsState.Error, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
        return app.TopologyChanges;
    }

    private static Topology Count(bool withFilter)
    {
        var builder = new StreamsBuilder();
        var lines = builder.Stream<string, string>("lines");
        if (withFilter) lines = lines.Filter((_, line) => line.Length > 0);
        lines.GroupByKey().Count().ToStream().MapValues(count => $"{count}").To("out");
        return builder.Build();
    }
}
