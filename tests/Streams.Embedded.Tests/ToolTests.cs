using Streams.Core;
using Streams.Dsl;
using Streams.State;
using Streams.Tool;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>The command line, on an embedded broker instead of one that it connects to.</summary>
public sealed class ToolTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "streams-tool-" + Guid.NewGuid().ToString("n"));
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _output.Dispose();
        _errors.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Reset_deletes_only_the_internal_topics_that_are_named()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        string[] topics = ["tool-a-changelog", "tool-b-repartition", "tool-2-a-changelog", "tooling-a-changelog"];
        foreach (var topic in topics) await TestTopics.CreateAsync(cluster, topic, 1);
        string[] reset = ["reset", "--application-id", "tool", "--bootstrap-server", "x:1"];

        // The other application's is like this one's own by its name.
        Assert.Equal(0, await RunAsync(cluster, [.. reset, "--dry-run"]));
        Assert.Equal(["tool-2-a-changelog", "tool-a-changelog", "tool-b-repartition"], Deleted());
        Assert.Equal(2, await RunAsync(cluster, [.. reset, "--internal-topics", "tool-a-changelog,tooling-a-changelog"]));
        Assert.Contains("tooling-a-changelog is no internal topic of application 'tool'", _errors.ToString(), StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync(cluster, [.. reset, "--internal-topics", "tool-a-changelog, tool-b-repartition"]));
        Assert.Equal(["tool-a-changelog", "tool-b-repartition"], Deleted());
        using var admin = cluster.CreateAdmin("test");
        var left = await admin.ListTopicsAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["tool-2-a-changelog", "tooling-a-changelog"], left.Intersect(topics).Order(StringComparer.Ordinal));

        List<string> Deleted() => [.. _output.ToString().Split('\n').Where(line => line.TrimEnd().EndsWith(": deleted", StringComparison.Ordinal)).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)])];
    }

    [Fact]
    public async Task Dump_shows_windows_sessions_and_versions_and_lets_data_control_nothing()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        await TestTopics.CreateAsync(cluster, "rows", 1);
        TestTopics.Produce(cluster, "input", [("a\tb\n\u001b[31m", "x"), ("plain", "x"), ("plain", "x")]);
        TestTopics.Produce(cluster, "rows", [("k", "1"), ("k", "2")]);
        var builder = new StreamsBuilder();
        var grouped = builder.Stream<string, string>("input").GroupByKey();
        grouped.Count(Materialized.As("counts"));
        grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(1))).Count(Materialized.As("windows"));
        grouped.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMinutes(1))).Count(Materialized.As("sessions"));
        builder.Table<string, string>("rows", materialized: Materialized.As(Stores.PersistentVersionedKeyValueStore("versions", TimeSpan.FromHours(1))));
        await using (var app = new KafkaStreams(builder.Build(), Config(cluster)))
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitUntilAsync(() => app.ProcessedRecords == 5, _patience);
            Assert.True(await app.CloseAsync(_patience));
        }

        const long T = 1_700_000_000_000;
        const long Minute = T - (T % 60_000);
        Assert.Equal([@"a\tb\n\u001b[31m" + $"\t{T}\t1", $"plain\t{T + 2}\t2"], await DumpAsync("counts", "long"));
        Assert.Equal([$@"a\tb\n\u001b[31m@{Minute}" + $"\t{T}\t1", $"plain@{Minute}\t{T + 2}\t2"], await DumpAsync("windows", "long"));
        Assert.Equal([$@"a\tb\n\u001b[31m@{T}..{T}" + "\t-\t1", $"plain@{T + 1}..{T + 2}\t-\t2"], await DumpAsync("sessions", "long"));
        Assert.Equal([$"k@{T}..{T + 1}\t{T}\t1", $"k@{T + 1}\t{T + 1}\t2"], await DumpAsync("versions", "text"));

        // A folder that is no store does not keep the others from being listed.
        Directory.CreateDirectory(Path.Combine(_folder, "tool", "0_0", "rocksdb", "aaa"));
        _output.GetStringBuilder().Clear();
        Assert.Equal(1, await RunAsync(cluster, "state", "list", "--state-dir", _folder, "--application-id", "tool"));
        Assert.Contains("aaa", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(4, _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        async Task<string[]> DumpAsync(string store, string value)
        {
            _output.GetStringBuilder().Clear();
            Assert.Equal(0, await RunAsync(cluster, "state", "dump", "--state-dir", _folder, "--application-id", "tool", "--store", store, "--value", value));
            return _output.ToString().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    [Theory]
    [InlineData("P9999999999D")]
    [InlineData("P999999999999999999999D")]
    [InlineData("-PT1H")]
    [InlineData("an hour")]
    public async Task Duration_that_is_none_is_said(string duration)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        Assert.Equal(2, await RunAsync(cluster, "reset", "--application-id", "tool", "--bootstrap-server", "x:1", "--by-duration", duration));
        Assert.Contains($"--by-duration '{duration}'", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Duration_longer_than_there_are_dates_goes_back_to_the_earliest()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 1);
        TestTopics.Produce(cluster, "input", [("k", "x")]);
        Assert.Equal((0, ""), (await RunAsync(cluster, "reset", "--application-id", "tool", "--bootstrap-server", "x:1", "--input-topics", "input", "--dry-run", "--by-duration", "P4000Y"), _errors.ToString()));
        Assert.Contains("-> 0", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reset_is_refused_while_it_runs_shown_when_dry_and_makes_everything_count_again()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 2);
        await TestTopics.CreateAsync(cluster, "output", 1);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number % 10}", "x")));
        await using (var first = new KafkaStreams(Counts(), Config(cluster)))
        {
            await first.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitForCountAsync(cluster, "output", 100, _patience);
            Assert.Equal(1, await RunAsync(cluster, "reset", "--application-id", "tool", "--bootstrap-server", "x:1", "--input-topics", "input"));
            Assert.Contains("has members", _errors.ToString(), StringComparison.Ordinal);
            Assert.True(await first.CloseAsync(_patience));
        }

        var changelog = "tool-counts-changelog";
        Assert.Equal(0, await RunAsync(cluster, "reset", "--application-id=tool", "--bootstrap-server=x:1", "--input-topics=input", "--shift-by", "-10", "--dry-run"));
        Assert.Contains(changelog + ": deleted", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Dry run", _output.ToString(), StringComparison.Ordinal);
        using (var admin = cluster.CreateAdmin("test"))
        {
            Assert.Contains(changelog, await admin.ListTopicsAsync(TestContext.Current.CancellationToken));
            Assert.Equal(0, await RunAsync(cluster, "reset", "--application-id", "tool", "--bootstrap-server", "x:1", "--input-topics", "input"));
            Assert.DoesNotContain(changelog, await admin.ListTopicsAsync(TestContext.Current.CancellationToken));
        }

        await using var second = new KafkaStreams(Counts(), Config(cluster));
        second.CleanUp();
        await second.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitForCountAsync(cluster, "output", 200, _patience);
        Assert.True(await second.CloseAsync(_patience));
        var records = TestTopics.ReadRaw(cluster, "output");
        Assert.Equal(records.Take(100).Select(record => Convert.ToHexString(record.Value!)).Order(), records.Skip(100).Select(record => Convert.ToHexString(record.Value!)).Order());
    }

    [Fact]
    public async Task Stores_are_listed_and_dumped_when_nobody_uses_them()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 2);
        await TestTopics.CreateAsync(cluster, "output", 1);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, 100).Select(number => ($"k{number % 10}", "x")));
        await using (var app = new KafkaStreams(Counts(), Config(cluster)))
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitForCountAsync(cluster, "output", 100, _patience);
            Assert.True(await app.CloseAsync(_patience));
        }

        Assert.Equal(0, await RunAsync(cluster, "state", "list", "--state-dir", _folder, "--application-id", "tool"));
        Assert.Contains("0_1\tcounts\ttimestamped-key-value\toffset ", _output.ToString(), StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync(cluster, "state", "dump", "--state-dir", _folder, "--application-id", "tool", "--store", "counts", "--value", "long"));
        var lines = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(Enumerable.Range(0, 10).Select(number => $"k{number}\t{1_700_000_000_090 + number}\t10"), lines);
        Assert.Equal(1, await RunAsync(cluster, "state", "dump", "--state-dir", _folder, "--application-id", "tool", "--store", "nothing"));
        Assert.Contains("'nothing'", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("rest")]
    [InlineData("reset --application-id")]
    [InlineData("reset --application-id a --bootstrap-server b --what")]
    [InlineData("reset --application-id a --bootstrap-server b --to-latest --to-earliest")]
    [InlineData("reset --application-id a --bootstrap-server b --shift-by x")]
    [InlineData("reset --application-id a --bootstrap-server b --by-duration 1h")]
    [InlineData("state list --state-dir")]
    public async Task Wrong_calls_say_what_is_wrong(string line)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        Assert.Equal(2, await RunAsync(cluster, line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.True(_errors.ToString().Length + _output.ToString().Length > 0);
    }

    private static Topology Counts()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input").GroupByKey().Count(Materialized.As("counts").WithCachingDisabled()).ToStream().To("output");
        return builder.Build();
    }

    private Task<int> RunAsync(EmbeddedCluster cluster, params string[] args) =>
        new Commands(_output, _errors, (_, _) => new Borrowed(cluster), TimeProvider.System).RunAsync(args, TestContext.Current.CancellationToken);

    private StreamsConfig Config(EmbeddedCluster cluster) => StatelessApplicationTests.Config(cluster, "tool") with { StateDirectory = _folder };

    /// <summary>The test's cluster, which the command may dispose of without ending it.</summary>
    private sealed class Borrowed(EmbeddedCluster cluster) : ICluster
    {
        public string Description => cluster.Description;

        public IRecordConsumer CreateConsumer(ConsumerOptions options) => cluster.CreateConsumer(options);

        public IRecordProducer CreateProducer(ProducerOptions options) => cluster.CreateProducer(options);

        public IClusterAdmin CreateAdmin(string clientId) => cluster.CreateAdmin(clientId);

        public IGroupCoordinator CreateGroupCoordinator(string clientId, string groupId) => cluster.CreateGroupCoordinator(clientId, groupId);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
