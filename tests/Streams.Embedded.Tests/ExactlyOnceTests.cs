using System.Globalization;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Exactly-once on an embedded broker: whatever happens at whichever step, committed outputs and state are those of a run without faults.</summary>
public sealed class ExactlyOnceTests : IDisposable
{
    private const int Partitions = 3;
    private const int Keys = 37;
    private const int Records = 4000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-eos-" + Guid.NewGuid().ToString("n"));

    public enum Fault
    {
        Crash,
        Abort,
        Fenced,
        Unavailable,
        Corrupted,
    }

    public static TheoryData<ProducerStep, Fault, bool> Faults
    {
        get
        {
            var data = new TheoryData<ProducerStep, Fault, bool>();
            foreach (var step in Enum.GetValues<ProducerStep>())
            {
                foreach (var fault in Enum.GetValues<Fault>())
                {
                    data.Add(step, fault, true);
                    if (fault == Fault.Crash) data.Add(step, fault, false);
                }
            }

            return data;
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>E-106: a crash leaves either all of a commit or nothing of it, and the next start goes on from there.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Fault_at_any_step_of_a_commit_leaves_outputs_and_state_exact(ProducerStep step, Fault fault, bool persistent)
    {
        await using var cluster = await NewClusterAsync();
        var number = 0;
        await using (var faulty = new FaultyCluster(cluster, at =>
        {
            // The third commit with work in it, or in the middle of one: there is state before it, in memory and perhaps on disk.
            if (at == step && Interlocked.Increment(ref number) == (step == ProducerStep.BeforeSend ? 1500 : 4)) throw Make(fault);
        }))
        {
            await using var app = new KafkaStreams(Counting(persistent), Config(faulty));
            await app.StartAsync(TestContext.Current.CancellationToken);
            await FeedAsync(cluster, 0, Records / 2, app);
            if (fault == Fault.Crash)
            {
                await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Error, _patience);
                Assert.NotNull(app.Failure);
            }
            else
            {
                // It recovers by itself, and nobody is told.
                await WaitForCommittedAsync(cluster, Records / 2);
                Assert.True(await app.CloseAsync(_patience));
                Assert.Null(app.Failure);
            }
        }

        Assert.True(number > 0, "the step was never reached");
        await using (var second = new KafkaStreams(Counting(persistent), Config(cluster)))
        {
            await second.StartAsync(TestContext.Current.CancellationToken);
            await FeedAsync(cluster, Records / 2, Records, second);
            await WaitForCommittedAsync(cluster, Records);
            Assert.True(await second.CloseAsync(_patience));
        }

        AssertExact(cluster, Enumerable.Range(0, Records));
    }

    /// <summary>
    /// A cache gives each update out once. When the cluster does not answer in the middle of that, the commit cannot simply be made again: found by the simulation, where
    /// updates were missing downstream.
    /// </summary>
    [Fact]
    public async Task Cluster_that_is_away_in_the_middle_of_a_flush_costs_no_update()
    {
        await using var cluster = await NewClusterAsync();
        var sendsToFault = int.MaxValue;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at == ProducerStep.BeforeSend && Interlocked.Decrement(ref sendsToFault) == 0) throw Make(Fault.Unavailable);
        });
        await using var app = new KafkaStreams(Counting(persistent: true), Config(faulty) with { StateStoreCacheMaxBytes = 1 << 20 });
        await app.StartAsync(TestContext.Current.CancellationToken);
        TestTopics.Produce(cluster, "input", Input(0, 10 * Keys));
        await WaitForLastCountAsync("10");

        // One update of each key: whichever is missed, no later one makes up for it.
        Volatile.Write(ref sendsToFault, 6);
        TestTopics.Produce(cluster, "input", Input(10 * Keys, 11 * Keys));
        await WaitForLastCountAsync("11");
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
        Assert.True(Volatile.Read(ref sendsToFault) < 0, "the flush was never interrupted");

        async Task WaitForLastCountAsync(string count) => await TestTopics.WaitUntilAsync(
            () =>
            {
                var last = new Dictionary<string, string>();
                foreach (var (key, value, _) in TestTopics.ReadCommitted(cluster, "output")) last[key!] = value!;
                return last.Count == Keys && last.Values.All(value => value == count);
            },
            _patience);
    }

    /// <summary>E-111: a dead letter belongs to the transaction of the record that it is about.</summary>
    [Fact]
    public async Task Dead_letters_are_committed_with_their_transaction_or_not_at_all()
    {
        await using var cluster = await NewClusterAsync();
        await TestTopics.CreateAsync(cluster, "dead", 1);
        var aborted = 0;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at == ProducerStep.BeforeCommit && Interlocked.Increment(ref aborted) % 2 == 1 && aborted < 8) throw new TransactionAbortedException("for the test");
        });
        await using var app = new KafkaStreams(
            Counting(persistent: false, number =>
            {
                if (number % 10 == 3) throw new FormatException();
            }),
            Config(faulty) with { ProcessingExceptionHandler = ErrorHandlers.LogAndContinue, DeadLetterTopic = "dead" });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await FeedAsync(cluster, 0, Records, app);
        await WaitForCommittedAsync(cluster, Records - (Records / 10));
        Assert.True(await app.CloseAsync(_patience));
        Assert.True(aborted >= 8, $"only {aborted} commits");

        AssertExact(cluster, Enumerable.Range(0, Records).Where(number => number % 10 != 3));
        var dead = TestTopics.ReadCommitted(cluster, "dead").Select(record => int.Parse(record.Value!, CultureInfo.InvariantCulture)).Order().ToList();
        Assert.Equal(Enumerable.Range(0, Records).Where(number => number % 10 == 3), dead);
    }

    /// <summary>E-109: offsets move although nothing is processed, and the dead letters' transaction does not stay open.</summary>
    [Fact]
    public async Task Unreadable_records_alone_are_committed()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "numbers", 1);
        await TestTopics.CreateAsync(cluster, "dead", 1);
        await TestTopics.CreateAsync(cluster, "output", 1);
        var builder = new StreamsBuilder();
        builder.Stream<string, long>("numbers").To("output");
        var topology = builder.Build();
        TestTopics.Produce(cluster, "numbers", [("a", "not a number at all"), ("b", "nor this one")]);
        await using var app = new KafkaStreams(topology, Config(cluster) with { DeserializationExceptionHandler = ErrorHandlers.LogAndContinue, DeadLetterTopic = "dead" });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => CommittedOffset(cluster, new TopicPartition("numbers", 0)) == 2, _patience);
        Assert.Equal(["not a number at all", "nor this one"], TestTopics.ReadCommitted(cluster, "dead").Select(record => record.Value));
        Assert.True(await app.CloseAsync(_patience));
    }

    /// <summary>E-108: the cluster gives a transaction up that takes too long; the application notices, does the work again, and nobody is told.</summary>
    [Fact]
    public async Task Transaction_that_times_out_is_done_again()
    {
        await using var cluster = await NewClusterAsync();
        var commits = 0;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at != ProducerStep.BeforeCommit || Interlocked.Increment(ref commits) is not (4 or 8)) return;

            // The stable end meets the real one only when the open transaction has been ended, and only its time-out can do that.
            using var admin = cluster.CreateAdmin("test");
            var partitions = Enumerable.Range(0, 2).Select(partition => new TopicPartition("output", partition)).ToList();
            TestTopics.WaitUntilAsync(() => Ends(true) == Ends(false), _patience).GetAwaiter().GetResult();

            long Ends(bool committed) => admin.EndOffsetsAsync(partitions, committed, CancellationToken.None).GetAwaiter().GetResult().Values.Sum();
        });
        await using var app = new KafkaStreams(Counting(persistent: true), Config(faulty) with { TransactionTimeout = TimeSpan.FromMilliseconds(300) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await FeedAsync(cluster, 0, Records, app);
        await WaitForCommittedAsync(cluster, Records);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
        Assert.True(commits >= 8);
        AssertExact(cluster, Enumerable.Range(0, Records));
    }

    /// <summary>What is held back in memory until the commit has a bound: past it the commit comes early, whatever its interval (KIP-892).</summary>
    [Fact]
    public async Task Full_stores_bring_the_commit_forward()
    {
        const int Many = 40_000;
        await using var cluster = await NewClusterAsync();
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, Many).Select(number => ($"a key of its own {number}", "0")));
        var commits = 0;
        await using var faulty = new FaultyCluster(cluster, at =>
        {
            if (at == ProducerStep.AfterCommit) Interlocked.Increment(ref commits);
        });
        await using var app = new KafkaStreams(Counting(persistent: true), Config(faulty) with
        {
            CommitInterval = TimeSpan.FromMinutes(10),
            TransactionTimeout = TimeSpan.FromMinutes(10),
            StateStoreUncommittedMaxBytes = 1 << 20,
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.ProcessedRecords == Many && Volatile.Read(ref commits) >= 2, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Equal(Many, TestTopics.ReadCommitted(cluster, "output").Count);
    }

    private static async Task<EmbeddedCluster> NewClusterAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", Partitions);
        await TestTopics.CreateAsync(cluster, "output", 2);
        return cluster;
    }

    private static Exception Make(Fault fault) => fault switch
    {
        Fault.Abort => new TransactionAbortedException("for the test"),
        Fault.Fenced => new TaskMigratedException("for the test"),
        Fault.Unavailable => new ClusterUnavailableException("for the test"),
        Fault.Corrupted => new TaskCorruptedException("for the test"),
        _ => new InvalidOperationException("a crash for the test"),
    };

    private static string KeyOf(int number) => $"k{number % Keys}";

    private static IEnumerable<(string, string)> Input(int from, int to) =>
        Enumerable.Range(from, to - from).Select(number => (KeyOf(number), number.ToString(CultureInfo.InvariantCulture)));

    // In portions, each committed before the next one comes, so that there are commits enough for faults to hit.
    private static async Task FeedAsync(EmbeddedCluster cluster, int from, int to, KafkaStreams app)
    {
        const int Portion = 250;
        await using var group = cluster.CreateGroupCoordinator("test", "eos");
        var partitions = Enumerable.Range(0, Partitions).Select(partition => new TopicPartition("input", partition)).ToList();
        for (var next = from; next < to; next += Portion)
        {
            var end = Math.Min(to, next + Portion);
            TestTopics.Produce(cluster, "input", Input(next, end));
            await TestTopics.WaitUntilAsync(
                () => app.State == KafkaStreamsState.Error
                    || group.FetchOffsetsAsync(partitions, CancellationToken.None).GetAwaiter().GetResult().Values.Sum(commit => commit.Offset) >= end,
                _patience);
        }
    }

    private static Topology Counting(bool persistent, Action<int>? before = null)
    {
        var builder = new StreamsBuilder();
        var materialized = Materialized.As("counts").WithStoreType(persistent ? StoreType.RocksDb : StoreType.InMemory);
        builder.Stream<string, string>("input")
            .Peek((_, value) => before?.Invoke(int.Parse(value, CultureInfo.InvariantCulture)))
            .GroupByKey()
            .Count(materialized)
            .ToStream()
            .MapValues(count => count.ToString(CultureInfo.InvariantCulture))
            .To("output");
        return builder.Build();
    }

    private StreamsConfig Config(ICluster cluster) => new()
    {
        ApplicationId = "eos",
        Cluster = cluster,
        ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
        CommitInterval = TimeSpan.FromMilliseconds(20),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateDirectory = _folder,
        StateStoreCacheMaxBytes = 0,
    };

    private static long CommittedOffset(EmbeddedCluster cluster, TopicPartition partition)
    {
        var coordinator = cluster.CreateGroupCoordinator("test", "eos");
        return coordinator.FetchOffsetsAsync([partition], CancellationToken.None).GetAwaiter().GetResult().TryGetValue(partition, out var commit) ? commit.Offset : -1;
    }

    private static async Task WaitForCommittedAsync(EmbeddedCluster cluster, int count)
    {
        using var timeout = new CancellationTokenSource(_patience);
        int seen;
        while ((seen = TestTopics.ReadCommitted(cluster, "output").Count) < count)
        {
            if (timeout.IsCancellationRequested) Assert.Fail($"{seen} of {count} outputs were committed in time");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    // Without a cache every input gives one output, so that each key's outputs are 1, 2, 3 … without gap or repetition, in the changelog as in the output.
    private static void AssertExact(EmbeddedCluster cluster, IEnumerable<int> numbers)
    {
        var expected = numbers.GroupBy(KeyOf).ToDictionary(group => group.Key, group => group.Count());
        var outputs = TestTopics.ReadCommitted(cluster, "output").GroupBy(record => record.Key!).ToDictionary(group => group.Key, group => group.Select(record => record.Value!).ToList());
        Assert.Equal(expected.Keys.Order(), outputs.Keys.Order());
        foreach (var (key, count) in expected)
            Assert.Equal(Enumerable.Range(1, count).Select(number => number.ToString(CultureInfo.InvariantCulture)), outputs[key]);
        var changelog = TestTopics.ReadRaw(cluster, "eos-counts-changelog", readCommitted: true);
        Assert.Equal(expected.Values.Sum(), changelog.Count);
        foreach (var key in changelog.GroupBy(record => System.Text.Encoding.UTF8.GetString(record.Key!)))
        {
            Assert.Equal(expected[key.Key], Serdes.Int64.Deserialize(key.Last().Value));
        }
    }
}
