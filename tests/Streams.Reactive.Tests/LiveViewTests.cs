using System.Globalization;
using System.Reactive.Linq;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;
using Streams.Testing;

namespace Streams.Reactive.Tests;

/// <summary>Live views: all rows, then all changes, with nothing missing and nothing twice.</summary>
public sealed class LiveViewTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-views-" + Guid.NewGuid().ToString("n"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rows_come_first_then_changes_and_deletions(bool commits)
    {
        var builder = new StreamsBuilder();
        var view = builder.Table<string, long>("in", null, Materialized.As("store")).LiveView();
        using var driver = new TopologyTestDriver(builder.Build(), options: new TopologyTestDriverOptions { CommitEachRecord = commits });
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeInput("a", 1);
        input.PipeInput("b", 2);
        input.PipeInput("a", 3);
        var seen = new Recorder<string>();
        using var subscription = view.ToObservable().Select(Text).Subscribe(seen);
        Assert.Equal(["Row a=3", "Row b=2", "Ready"], seen.Items);

        input.PipeInput("c", 4);
        input.PipeTombstone("a");
        driver.Commit();
        Assert.Equal(["Row a=3", "Row b=2", "Ready", "Update c=4", "Update a=null"], seen.Items);
        var late = new Recorder<string>();
        using var second = view.ToObservable().Select(Text).Subscribe(late);
        Assert.Equal(["Row b=2", "Row c=4", "Ready"], late.Items);
    }

    [Fact]
    public void Changes_that_a_cache_holds_back_are_in_the_rows_and_not_told_again()
    {
        var builder = new StreamsBuilder();
        var counts = builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("counts"));
        var view = counts.LiveView();
        using var driver = new TopologyTestDriver(
            builder.Build(),
            new StreamsConfig { ApplicationId = "cached", StateStoreCacheMaxBytes = 1 << 20 },
            new TopologyTestDriverOptions { CommitEachRecord = false });
        var input = driver.CreateInputTopic<string, string>("in");
        Recorder<string> early = new(), late = new();
        using var first = view.ToObservable().Select(Text).Subscribe(early);
        for (var time = 0; time < 3; time++) input.PipeInput("a", "x");
        Assert.Equal(["Ready"], early.Items);
        using var second = view.ToObservable().Select(Text).Subscribe(late);
        Assert.Equal(["Ready", "Update a=3"], early.Items);
        Assert.Equal(["Row a=3", "Ready"], late.Items);
        input.PipeInput("a", "x");
        driver.Commit();
        Assert.Equal(["Row a=3", "Ready", "Update a=4"], late.Items);
    }

    [Fact]
    public void One_key_is_followed_alone()
    {
        var builder = new StreamsBuilder();
        var view = builder.Table<string, long>("in", null, Materialized.As("store")).LiveView();
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        Recorder<string> absent = new(), present = new();
        using var first = view.ToObservable("a").Select(Text).Subscribe(absent);
        input.PipeInput("a", 1);
        input.PipeInput("b", 2);
        using var second = view.ToObservable("a").Select(Text).Subscribe(present);
        input.PipeInput("b", 3);
        input.PipeTombstone("a");
        Assert.Equal(["Ready", "Update a=1", "Update a=null"], absent.Items);
        Assert.Equal(["Row a=1", "Ready", "Update a=null"], present.Items);
    }

    [Fact]
    public void Windowed_tables_have_views()
    {
        var builder = new StreamsBuilder();
        var grouped = builder.Stream<string, string>("in").GroupByKey();
        var windows = grouped.WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1))).Count(Materialized.As("windows")).LiveView();
        var sessions = grouped.WindowedBy(SessionWindows.OfInactivityGapAndGrace(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1))).Count(Materialized.As("sessions")).LiveView();
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, string>("in");
        input.PipeInput("a", "x", 1_000L);
        input.PipeInput("a", "x", 12_000L);
        Recorder<string> byWindow = new(), bySession = new();
        using var first = windows.ToObservable().Select(Text).Subscribe(byWindow);
        using var second = sessions.ToObservable().Select(Text).Subscribe(bySession);
        input.PipeInput("a", "x", 13_000L);
        Assert.Equal(["Row [a@0/10000]=1", "Row [a@10000/20000]=1", "Ready", "Update [a@10000/20000]=2"], byWindow.Items);
        Assert.Equal(["Row [a@1000/1000]=1", "Row [a@12000/12000]=1", "Ready", "Update [a@12000/12000]=null", "Update [a@12000/13000]=2"], bySession.Items);
    }

    [Fact]
    public void Slow_reader_of_rows_holds_the_task_up_and_misses_nothing()
    {
        var builder = new StreamsBuilder();
        var view = builder.Table<string, long>("in", null, Materialized.As("store")).LiveView(new ViewOptions { Capacity = 4 });
        using var driver = new TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, long>("in");
        for (var number = 0; number < 20; number++) input.PipeInput($"k{number:D2}", number);
        using var reader = view.OpenReader();
        for (var number = 0; number < 20; number++) input.PipeInput($"k{number:D2}", 100 + number);
        Assert.Equal(20, driver.ProcessedRecords);

        var seen = new List<string>();
        while (reader.TryRead(out var change))
        {
            seen.Add(Text(change));
            Assert.InRange(reader.Count, 0, 4);
            driver.AdvanceWallClockTime(TimeSpan.Zero);
        }

        Assert.Equal(
            [
                .. Enumerable.Range(0, 20).Select(number => $"Row k{number:D2}={number}"),
                "Ready",
                .. Enumerable.Range(0, 20).Select(number => $"Update k{number:D2}={100 + number}"),
            ],
            seen);
        Assert.Equal(40, driver.ProcessedRecords);
    }

    [Fact]
    public void Restart_of_the_task_says_that_rows_are_lost_and_tells_them_anew()
    {
        var builder = new StreamsBuilder();
        var view = builder.Table<string, long>("in", null, Materialized.As("store")).LiveView();
        using var driver = new TopologyTestDriver(builder.Build());
        var seen = new Recorder<string>();
        using var subscription = view.ToObservable().Select(Text).Subscribe(seen);
        driver.CreateInputTopic<string, long>("in").PipeInput("a", 1);
        driver.Restart();
        Assert.Equal(["Ready", "Update a=1", "Lost", "Row a=1", "Ready"], seen.Items);
    }

    [Fact]
    public async Task Reader_that_outlives_its_application_gets_nothing_of_the_next_one()
    {
        var builder = new StreamsBuilder();
        var view = builder.Table<string, long>("in", null, Materialized.As("store")).LiveView();
        var topology = builder.Build();
        using var reader = view.OpenReader();
        using (var first = new TopologyTestDriver(topology)) first.CreateInputTopic<string, long>("in").PipeInput("a", 1);
        using var second = new TopologyTestDriver(topology);
        var input = second.CreateInputTopic<string, long>("in");
        input.PipeInput("b", 2);
        var late = new Recorder<string>();
        using var subscription = view.ToObservable().Select(Text).Subscribe(late);

        var seen = new List<string>();
        while (reader.TryRead(out var change)) seen.Add(Text(change));
        Assert.Equal(["Ready", "Update a=1", "Lost"], seen);
        Assert.Equal(["Row b=2", "Ready"], late.Items);
        Assert.False(await reader.WaitToReadAsync(Token));
    }

    [Fact]
    public void Table_that_is_not_kept_by_name_or_cannot_be_listed_is_refused()
    {
        var builder = new StreamsBuilder();
        var failure = Assert.Throws<TopologyException>(() => builder.Table<string, long>("in").LiveView());
        Assert.Contains("Materialized.As", failure.Message, StringComparison.Ordinal);
        var versioned = builder.Table<string, long>("versioned", null, Materialized.As(Streams.State.Stores.PersistentVersionedKeyValueStore("v", TimeSpan.FromMinutes(1))));
        Assert.Contains("versioned", Assert.Throws<TopologyException>(() => versioned.LiveView()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => builder.Table<string, long>("other", null, Materialized.As("s")).LiveView(new ViewOptions { Capacity = 0 }));
    }

    /// <summary>Views that begin at any moment, while records are written, commits happen and tasks move, end up with the table.</summary>
    [Fact]
    public async Task Views_that_begin_in_the_middle_follow_the_table_to_its_end_and_every_count_is_told_in_order()
    {
        const int Keys = 300;
        const int Rounds = 40;
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "in", 2);
        var builder = new StreamsBuilder();
        var view = builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("counts")).LiveView(new ViewOptions { Capacity = 64 });
        await using var app = new KafkaStreams(builder.Build(), new StreamsConfig
        {
            ApplicationId = "views",
            Cluster = cluster,
            StateDirectory = _folder,
            StateStoreCacheMaxBytes = 0,
            CommitInterval = TimeSpan.FromMilliseconds(20),
            NumStreamThreads = 2,
        });
        await app.StartAsync(Token);
        var producing = Task.Run(
            () =>
            {
                for (var round = 0; round < Rounds; round++) TestTopics.Produce(cluster, "in", Enumerable.Range(0, Keys).Select(key => ($"k{key}", "x")));
            },
            Token);
        var followers = Enumerable.Range(0, 6).Select(async number =>
        {
            await TestTopics.WaitUntilAsync(() => app.ProcessedRecords > number * Keys * Rounds / 8, _patience);
            return await FollowAsync(view, Keys, Rounds);
        });
        foreach (var table in await Task.WhenAll(followers).WaitAsync(_patience, Token)) Assert.All(table.Values, count => Assert.Equal(Rounds, count));
        await producing;
        Assert.Null(app.Failure);
    }

    [Fact]
    public async Task View_follows_the_partitions_that_its_instance_has()
    {
        const int Keys = 40;
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "in", 2);
        TestTopics.Produce(cluster, "in", Enumerable.Range(0, Keys).Select(key => ($"k{key}", "x")));
        var (one, oneRows) = Follow(cluster, "one");
        await using var first = one;
        await first.StartAsync(Token);
        await TestTopics.WaitUntilAsync(() => oneRows().Count == Keys, _patience);

        var (two, twoRows) = Follow(cluster, "two");
        await using (two)
        {
            await two.StartAsync(Token);
            await TestTopics.WaitUntilAsync(() => oneRows().Count is > 0 and < Keys && oneRows().Count + twoRows().Count == Keys, _patience);
            Assert.Empty(oneRows().Keys.Intersect(twoRows().Keys));
            TestTopics.Produce(cluster, "in", Enumerable.Range(0, Keys).Select(key => ($"k{key}", "x")));
            await TestTopics.WaitUntilAsync(() => oneRows().Concat(twoRows()).All(row => row.Value == 2), _patience);
            Assert.True(await two.CloseAsync(_patience));
            await TestTopics.WaitUntilAsync(() => twoRows().Count == 0, _patience);
        }

        await TestTopics.WaitUntilAsync(() => oneRows().Count == Keys, _patience);
        Assert.All(oneRows().Values, count => Assert.Equal(2, count));
    }

    private (KafkaStreams App, Func<Dictionary<string, long>> Rows) Follow(EmbeddedCluster cluster, string instance)
    {
        var builder = new StreamsBuilder();
        var view = builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("counts")).LiveView();
        var rows = new Dictionary<string, (int Partition, long Count)>();
        view.ToObservable().Subscribe(change =>
        {
            lock (rows)
            {
                if (change.Kind is ViewChangeKind.Row or ViewChangeKind.Update) rows[change.Record.Key] = (change.Partition, change.Record.Value);
                foreach (var (key, _) in rows.Where(row => change.Kind == ViewChangeKind.Lost && row.Value.Partition == change.Partition).ToList()) rows.Remove(key);
            }
        });
        var app = new KafkaStreams(builder.Build(), new StreamsConfig
        {
            ApplicationId = "views-of-many",
            Cluster = cluster,
            StateDirectory = Path.Combine(_folder, instance),
            CommitInterval = TimeSpan.FromMilliseconds(50),
            HeartbeatInterval = TimeSpan.FromMilliseconds(100),
            AcceptableRecoveryLag = 0,
            ProbingRebalanceInterval = TimeSpan.FromMilliseconds(100),
        });
        return (app, () =>
        {
            lock (rows) return rows.ToDictionary(row => row.Key, row => row.Value.Count);
        });
    }

    private static async Task<Dictionary<string, long>> FollowAsync(LiveView<string, long> view, int keys, int rounds)
    {
        var table = new Dictionary<string, (int Partition, long Count)>();
        await foreach (var change in view.ToAsyncEnumerable())
        {
            switch (change.Kind)
            {
                case ViewChangeKind.Row:
                    Assert.True(table.TryAdd(change.Record.Key, (change.Partition, change.Record.Value)), "a row was told twice");
                    break;
                case ViewChangeKind.Update:
                    // Counts go up by one: a gap, a repetition or a swap shows at once.
                    Assert.Equal(table.GetValueOrDefault(change.Record.Key).Count + 1, change.Record.Value);
                    table[change.Record.Key] = (change.Partition, change.Record.Value);
                    break;
                case ViewChangeKind.Lost:
                    foreach (var (key, _) in table.Where(entry => entry.Value.Partition == change.Partition).ToList()) table.Remove(key);
                    break;
                default:
                    break;
            }

            if (table.Count == keys && table.Values.All(row => row.Count == rounds)) break;
        }

        return table.ToDictionary(entry => entry.Key, entry => entry.Value.Count);
    }

    private static string Text<K>(ViewChange<K, long> change) => change.Kind is ViewChangeKind.Ready or ViewChangeKind.Lost
        ? $"{change.Kind}"
        : string.Create(CultureInfo.InvariantCulture, $"{change.Kind} {change.Record.Key}={(change.Record.HasValue ? change.Record.Value : "null")}");
}
