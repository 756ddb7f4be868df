using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>
/// Operators with state and timers of their own, exactly once, over a restart on another machine: the second application has nothing but the changelogs and the
/// committed offsets with their metadata.
/// </summary>
public sealed class MoreOperatorsTests : IDisposable
{
    private const long Start = 1_700_000_000_000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _long = TimeSpan.FromHours(1);
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(200);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-more-" + Guid.NewGuid().ToString("n"));
    private int _applications;

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Silence_after_a_restart_closes_the_windows_from_before_it_and_for_good()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "in", [("a", "1"), ("b", "2"), ("a", "3")]);
        await RunAsync(cluster, Windows(_long), () => true, "in");

        // Closes them, and ends without having read anything: what is closed has to be committed all the same.
        await RunAsync(cluster, Windows(_short), () => Committed(cluster, "out").Length == 2);
        TestTopics.Produce(cluster, "in", [("a", "late")]);
        await RunAsync(cluster, Windows(_short), () => Committed(cluster, "late").Length == 1, "in");
        Assert.Equal(["a=13", "b=2"], Committed(cluster, "out"));
        Assert.Equal(["a=late"], Committed(cluster, "late"));
    }

    [Fact]
    public async Task Row_from_before_a_restart_expires_after_it()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "in", [("a", "1"), ("b", "2"), ("a", "3")]);
        await RunAsync(cluster, Table(_long), () => true, "in");
        await RunAsync(cluster, Table(_long), () => true);
        Assert.DoesNotContain("a=", Committed(cluster, "out"));

        // The time at which a row is over was decided when it was written, so the next writer brings a short one.
        TestTopics.Produce(cluster, "in", [("b", "4")]);
        await RunAsync(cluster, Table(TimeSpan.FromMilliseconds(1500)), () => true, "in");
        await RunAsync(cluster, Table(TimeSpan.FromMilliseconds(1500)), () => Committed(cluster, "out").Contains("b="));
        Assert.DoesNotContain("a=", Committed(cluster, "out"));
    }

    [Fact]
    public async Task Duplicate_of_what_passed_before_a_restart_does_not_pass_after_it()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "in", [("a", "1"), ("b", "2"), ("a", "1")]);
        await RunAsync(cluster, Unique(), () => true, "in");
        TestTopics.Produce(cluster, "in", [("a", "1"), ("b", "3"), ("b", "2")]);
        await RunAsync(cluster, Unique(), () => Committed(cluster, "late").Length == 3, "in");
        Assert.Equal(["a=1", "b=2", "b=3"], Committed(cluster, "out"));
        Assert.Equal(["a=1", "a=1", "b=2"], Committed(cluster, "late"));
    }

    [Fact]
    public async Task Highest_rows_are_right_after_a_restart()
    {
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "in", [("a", "x5"), ("b", "x7"), ("c", "x6")]);
        await RunAsync(cluster, Top(), () => true, "in");
        TestTopics.Produce(cluster, "in", [("b", "x1")]);
        await RunAsync(cluster, Top(), () => Committed(cluster, "out").Contains("x=x6,x5"), "in");
        Assert.Contains("x=x7,x6", Committed(cluster, "out"));
    }

    private static Topology Windows(TimeSpan idle)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromDays(1)))
            .WithDropped(late => late.ToRecords().To("late"))
            .CloseAfterIdle(idle)
            .Aggregate(() => "", (_, value, all) => all + value, Materialized.As("windows"))
            .ToStream(window => window.Key)
            .To("out");
        return builder.Build();
    }

    private static Topology Table(TimeSpan timeToLive)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").ToTable(Materialized.As("rows").WithTimeToLive(timeToLive, TtlBasis.WallClockTime)).ToStream().To("out");
        return builder.Build();
    }

    private static Topology Unique()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in")
            .Deduplicate((_, value) => value, _long, new Deduplicated<string, string> { Name = "unique" }.WithDropped(duplicates => duplicates.ToRecords().To("late")))
            .To("out");
        return builder.Build();
    }

    private static Topology Top()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in")
            .ToTable(Materialized.As("rows"))
            .GroupBy((_, value) => KeyValuePair.Create(value[..1], value), Grouped.As("by-first"))
            .TopN(2, value => value[1] - '0', Materialized.As("top"))
            .MapValues(values => string.Join(",", values))
            .ToStream()
            .To("out");
        return builder.Build();
    }

    private static async Task<EmbeddedCluster> NewClusterAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        foreach (var topic in (string[])["in", "out", "late"]) await TestTopics.CreateAsync(cluster, topic, 2);
        return cluster;
    }

    private static string[] Committed(EmbeddedCluster cluster, string topic) =>
        [.. TestTopics.ReadCommitted(cluster, topic).Select(record => $"{record.Key}={record.Value}").Order(StringComparer.Ordinal)];

    private static bool IsConsumed(EmbeddedCluster cluster, IGroupCoordinator group, string topic)
    {
        var ends = TestTopics.Offsets(cluster, topic, end: true);
        var committed = group.FetchOffsetsAsync([.. ends.Keys], CancellationToken.None).GetAwaiter().GetResult();
        return ends.All(end => end.Value == 0 || (committed.TryGetValue(end.Key, out var commit) && commit.Offset >= end.Value));
    }

    // Runs until the input is committed and the condition holds, in a folder of its own.
    private async Task RunAsync(EmbeddedCluster cluster, Topology topology, Func<bool> isDone, string? input = null)
    {
        await using var app = new KafkaStreams(topology, new StreamsConfig
        {
            ApplicationId = "more",
            Cluster = cluster,
            StateDirectory = Path.Combine(_folder, (++_applications).ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
            CommitInterval = TimeSpan.FromMilliseconds(50),
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await using var group = cluster.CreateGroupCoordinator("test", "more");
        if (input is not null) await TestTopics.WaitUntilAsync(() => IsConsumed(cluster, group, input), _patience);
        else await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        await TestTopics.WaitUntilAsync(isDone, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
    }
}
