using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Reading stores from outside while the application runs.</summary>
public sealed class InteractiveQueryTests : IDisposable
{
    private const int Partitions = 3;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-queries-" + Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public async Task Counts_are_read_by_key_range_and_prefix_over_all_partitions(StoreType storeType)
    {
        await using var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(storeType), Config(cluster, 0));
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 1000).Select(number => ($"k{number % 100:d2}", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", 1000, _patience);

        var store = app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()));
        Assert.True(store.TryGet("k42", out var count));
        Assert.Equal(10, count);
        Assert.False(store.TryGet("nobody", out _));
        Assert.Equal(Enumerable.Range(0, 100).Select(number => $"k{number:d2}"), store.All().AsEnumerable().Select(entry => entry.Key).Order(StringComparer.Ordinal));
        Assert.Equal(Enumerable.Range(20, 11).Select(number => $"k{number:d2}"), store.Range("k20", "k30").AsEnumerable().Select(entry => entry.Key).Order(StringComparer.Ordinal));
        Assert.Equal(10, store.PrefixScan("k7", Serdes.String).AsEnumerable().Count());
        Assert.Equal(100, store.ReverseAll().AsEnumerable().Count());
        Assert.Equal(100, store.ApproximateNumEntries);

        var timed = app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.TimestampedKeyValueStore<string, long>()));
        Assert.True(timed.TryGet("k42", out var row));
        Assert.Equal(1_700_000_000_000 + 942, row.Timestamp);

        // Within one partition order holds, backwards too.
        var one = app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()).WithPartition(1));
        var forward = one.All().AsEnumerable().Select(entry => entry.Key).ToList();
        Assert.Equal(forward.Order(StringComparer.Ordinal), forward);
        Assert.Equal(Enumerable.Reverse(forward), one.ReverseAll().AsEnumerable().Select(entry => entry.Key));
        var fromThere = forward[0];
        Assert.True(one.TryGet(fromThere, out _));
    }

    [Fact]
    public async Task Windows_sessions_and_versions_are_read()
    {
        await using var cluster = await ClusterAsync();
        var builder = new StreamsBuilder();
        var input = builder.Stream<string, string>("input").GroupByKey();
        input.WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMilliseconds(100))).Count(Materialized.As("windows").WithCachingDisabled().WithRetention(TimeSpan.FromHours(1))).ToStream().To("output");
        input.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMilliseconds(50))).Count(Materialized.As("sessions").WithCachingDisabled());
        await using var app = new KafkaStreams(builder.Build(), Config(cluster, 0));
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 1000).Select(_ => ("k", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", 1000, _patience);

        const long Start = 1_700_000_000_000;
        var windows = app.Store(StoreQueryParameters.FromNameAndType("windows", QueryableStoreTypes.WindowStore<string, long>()));
        Assert.True(windows.TryFetch("k", Start + 300, out var count));
        Assert.Equal(100, count);
        Assert.Equal(3, windows.Fetch("k", Start + 100, Start + 300).AsEnumerable().Count());
        Assert.Equal(10, windows.FetchAll(Start, Start + 1000).AsEnumerable().Count());
        Assert.Equal(Start + 900, windows.BackwardFetch("k", 0, long.MaxValue).AsEnumerable().First().Key);
        var sessions = app.Store(StoreQueryParameters.FromNameAndType("sessions", QueryableStoreTypes.SessionStore<string, long>()));
        Assert.Equal(1000, Assert.Single(sessions.Fetch("k").AsEnumerable()).Value);

        var found = await app.QueryAsync(StateQueryRequest.Of("windows", StoreQuery.Windows<string, long>("k", Start, Start + 250)), TestContext.Current.CancellationToken);
        Assert.Equal(3, Assert.Single(found.PartitionResults.Values, result => result.Result.Count > 0).Result.Count);
    }

    /// <summary>E-130: while it writes.</summary>
    [Fact]
    public async Task Reading_while_it_runs_sees_counts_that_only_grow_and_stops_nothing()
    {
        await using var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(StoreType.RocksDb), Config(cluster, 0));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        var store = app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()));
        using var stop = new CancellationTokenSource();

        // On threads of their own: three that never wait would keep each other, and the broker, off the pool.
        var readers = Enumerable.Range(0, 3).Select(reader => Task.Factory.StartNew(
            () =>
            {
                var last = new Dictionary<string, long>();
                var reads = 0L;
                while (!stop.IsCancellationRequested)
                {
                    if (reader == 0)
                    {
                        // Each key at most once, in order within its partition, and never less than before.
                        using var all = store.All();
                        var seen = new HashSet<string>();
                        while (all.MoveNext())
                        {
                            Assert.True(seen.Add(all.Key));
                            Assert.True(all.Value >= last.GetValueOrDefault(all.Key));
                            last[all.Key] = all.Value;
                        }
                    }
                    else
                    {
                        var key = $"k{reads % 100:d2}";
                        if (store.TryGet(key, out var value))
                        {
                            Assert.True(value >= last.GetValueOrDefault(key));
                            last[key] = value;
                        }
                    }

                    reads++;
                }

                return reads;
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();
        for (var round = 0; round < 10; round++)
            TestTopics.Produce(cluster, "input", Enumerable.Range(0, 3000).Select(number => ($"k{number % 100:d2}", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", 30_000, _patience);
        await stop.CancelAsync();
        foreach (var reader in readers) Assert.True(await reader > 0);
        Assert.True(store.TryGet("k00", out var total));
        Assert.Equal(300, total);
        Assert.Null(app.Failure);
    }

    [Fact]
    public async Task Every_reason_for_no_answer_has_a_type()
    {
        await using var cluster = await ClusterAsync();
        var app = new KafkaStreams(Counts(StoreType.InMemory), Config(cluster, 0));
        var counts = StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>());
        Assert.Throws<StreamsNotStartedException>(() => app.Store(counts));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        Assert.Contains("'counts'", Assert.Throws<UnknownStateStoreException>(() => app.Store(StoreQueryParameters.FromNameAndType("count", QueryableStoreTypes.KeyValueStore<string, long>()))).Message, StringComparison.Ordinal);
        Assert.Throws<UnknownStateStoreException>(() => app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, int>())));
        Assert.Throws<UnknownStateStoreException>(() => app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.SessionStore<string, long>())));
        Assert.Throws<InvalidStateStorePartitionException>(() => app.Store(counts.WithPartition(Partitions)));
        var store = app.Store(counts);
        using (var iterator = store.All())
        {
            Assert.True(await app.CloseAsync(_patience));
            Assert.ThrowsAny<InvalidStateStoreException>(() => iterator.MoveNext());
        }

        Assert.Throws<StreamsStoppedException>(() => store.TryGet("k", out _));
        Assert.Throws<StreamsStoppedException>(() => app.Store(counts));
        await app.DisposeAsync();
    }

    /// <summary>E-130: while it closes, with iterators open: right until it is refused by type, and nothing fails.</summary>
    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public async Task Readers_of_an_application_that_closes_get_right_answers_or_are_refused_by_type(StoreType storeType)
    {
        await using var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(storeType), Config(cluster, 0));
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 3000).Select(number => ($"k{number % 100:d2}", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", 3000, _patience);
        var store = app.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()));
        var reads = 0L;
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
            () =>
            {
                try
                {
                    while (true)
                    {
                        using var all = store.All();
                        while (all.MoveNext()) Assert.InRange(all.Value, 30, 60);
                        Assert.True(store.TryGet("k42", out var count));
                        Assert.InRange(count, 30, 60);
                        Interlocked.Increment(ref reads);
                    }
                }
                catch (InvalidStateStoreException refused)
                {
                    return refused;
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();
        await TestTopics.WaitUntilAsync(() => Volatile.Read(ref reads) > 10, _patience);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 3000).Select(number => ($"k{number % 100:d2}", "x")));
        Assert.True(await app.CloseAsync(_patience));
        foreach (var reader in readers) await reader.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Null(app.Failure);
        Assert.Equal(KafkaStreamsState.NotRunning, app.State);
    }

    [Fact]
    public async Task Committed_reads_see_commits_only_and_ask_for_one()
    {
        await using var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(StoreType.InMemory), Config(cluster, 0) with { CommitInterval = TimeSpan.FromMinutes(5) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 90).Select(_ => ("k", "x")));
        await TestTopics.WaitUntilAsync(() => app.ProcessedRecords == 90, _patience);

        // Nobody commits for five minutes, unless he is asked to.
        var request = StateQueryRequest.Of("counts", StoreQuery.Key<string, long>("k")) with { IsolationLevel = IsolationLevel.ReadCommitted };
        var result = await app.QueryAsync(request, TestContext.Current.CancellationToken);
        var answer = Assert.Single(result.PartitionResults.Values, partition => partition.Result.HasValue);
        Assert.Equal(90, answer.Result.Value);
        await using var group = cluster.CreateGroupCoordinator("test", "queries");
        var partition = Assert.Single(answer.Position.Offsets).Key;
        var committed = await group.FetchOffsetsAsync([partition], TestContext.Current.CancellationToken);
        Assert.Equal(90, committed[partition].Offset);
        Assert.Equal(90, answer.Position.Offsets[partition]);
    }

    [Fact]
    public async Task Position_bound_refuses_answers_that_are_too_old()
    {
        await using var cluster = await ClusterAsync();
        await using var app = new KafkaStreams(Counts(StoreType.InMemory), Config(cluster, 0));
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", [("k", "x")]);
        await TestTopics.WaitForCountAsync(cluster, "output", 1, _patience);
        var request = StateQueryRequest.Of("counts", StoreQuery.Key<string, long>("k"));
        var first = await app.QueryAsync(request, TestContext.Current.CancellationToken);
        var again = await app.QueryAsync(request with { PositionBound = first.Position }, TestContext.Current.CancellationToken);
        Assert.All(again.PartitionResults.Values, result => Assert.True(result.IsSuccess));
        var ahead = new Position(first.Position.Offsets.ToDictionary(entry => entry.Key, entry => entry.Value + 1));
        var refused = await app.QueryAsync(request with { PositionBound = ahead, Partitions = [0, 1, 2, 7] }, TestContext.Current.CancellationToken);
        Assert.Equal(FailureReason.DoesNotExist, refused.PartitionResults[7].FailureReason);
        Assert.All(first.Position.Offsets.Keys, partition => Assert.Equal(FailureReason.NotUpToBound, refused.PartitionResults[partition.Partition].FailureReason));
        var wrong = await app.QueryAsync(StateQueryRequest.Of("counts", StoreQuery.Sessions<string, long>("k")), TestContext.Current.CancellationToken);
        Assert.All(wrong.PartitionResults.Values, result => Assert.Equal(FailureReason.UnknownQueryType, result.FailureReason));
    }

    /// <summary>E-130: while tasks move.</summary>
    [Fact]
    public async Task Queries_during_rebalances_are_answered_or_refused_by_type_and_are_never_wrong()
    {
        await using var cluster = await ClusterAsync();
        await using var one = new KafkaStreams(Counts(StoreType.RocksDb), Config(cluster, 0) with { AcceptableRecoveryLag = 0, ProbingRebalanceInterval = TimeSpan.FromMilliseconds(50) });
        await one.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 1000).Select(number => ($"k{number % 100:d2}", "x")));
        await TestTopics.WaitForCountAsync(cluster, "output", 1000, _patience);
        using var stop = new CancellationTokenSource();
        var asked = Task.Run(
            () =>
            {
                var answers = 0;
                for (var number = 0; !stop.IsCancellationRequested; number++)
                {
                    try
                    {
                        var store = one.Store(StoreQueryParameters.FromNameAndType("counts", QueryableStoreTypes.KeyValueStore<string, long>()));
                        if (store.TryGet($"k{number % 100:d2}", out var count))
                        {
                            Assert.Equal(10, count);
                            answers++;
                        }
                    }
                    catch (InvalidStateStoreException)
                    {
                        // Moved, or about to.
                    }
                }

                return answers;
            },
            TestContext.Current.CancellationToken);
        for (var round = 0; round < 3; round++)
        {
            await using var two = new KafkaStreams(Counts(StoreType.InMemory), Config(cluster, 1) with { AcceptableRecoveryLag = 0 });
            await two.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitUntilAsync(() => two.TasksByThread.Values.Sum(tasks => tasks.Count) >= 1 && two.State == KafkaStreamsState.Running, _patience);
            Assert.True(await two.CloseAsync(_patience));
            await TestTopics.WaitUntilAsync(() => one.TasksByThread.Values.Sum(tasks => tasks.Count) == Partitions && one.State == KafkaStreamsState.Running, _patience);
        }

        await stop.CancelAsync();
        Assert.True(await asked > 0);
        Assert.Null(one.Failure);
    }

    private static async Task<EmbeddedCluster> ClusterAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 1);
        return cluster;
    }

    private static Topology Counts(StoreType storeType)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input").GroupByKey().Count(Materialized.As("counts").WithStoreType(storeType).WithCachingDisabled()).ToStream().To("output");
        return builder.Build();
    }

    private StreamsConfig Config(EmbeddedCluster cluster, int instance) => StatelessApplicationTests.Config(cluster, "queries") with { StateDirectory = Path.Combine(_folder, $"{instance}") };
}
