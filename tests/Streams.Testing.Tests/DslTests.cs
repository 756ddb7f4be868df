using Streams.Core;
using Streams.Dsl;
using Streams.State;
using Xunit;

namespace Streams.Testing.Tests;

/// <summary>The driver with what people test: topologies of the DSL with real stores.</summary>
public class DslTests
{
    private static readonly StreamsConfig _config = new() { ApplicationId = "app" };

    [Fact]
    public void Word_count_counts()
    {
        var topology = WordCount(StoreType.RocksDb);
        var config = _config;
        using var driver = new TopologyTestDriver(topology, config);
        var lines = driver.CreateInputTopic<string, string>("lines");
        var counts = driver.CreateOutputTopic<string, long>("word-counts");
        lines.PipeInput("k", "hello world hello");

        Assert.Equal(new Dictionary<string, long> { ["hello"] = 2, ["world"] = 1 }, counts.ReadKeyValuesToMap());
        Assert.True(driver.GetKeyValueStore<string, long>("counts").TryGet("hello", out var hello));
        Assert.Equal(2, hello);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Word_count_comes_out_the_same_in_any_number_of_partitions(int partitions)
    {
        using var driver = new TopologyTestDriver(WordCount(StoreType.InMemory), _config, new() { PartitionsPerTopic = partitions });
        var random = new Random(11);
        var expected = new Dictionary<string, long>();
        var lines = driver.CreateInputTopic<string, string>("lines");
        for (var line = 0; line < 200; line++)
        {
            var words = Enumerable.Range(0, random.Next(1, 6)).Select(_ => $"w{random.Next(20)}").ToList();
            foreach (var word in words) expected[word] = expected.GetValueOrDefault(word) + 1;
            lines.PipeInput($"{line}", string.Join(' ', words));
        }

        Assert.Equal(expected.OrderBy(each => each.Key), driver.CreateOutputTopic<string, long>("word-counts").ReadKeyValuesToMap().OrderBy(each => each.Key));
        Assert.Equal(partitions == 1 ? 1 : 2 * partitions, driver.Tasks.Count);
        var kept = Enumerable.Range(0, partitions).Sum(partition => driver.GetKeyValueStore<string, long>("counts", partition).ApproximateNumEntries);
        Assert.Equal(expected.Count, kept);
    }

    [Fact]
    public void Record_cache_gives_out_one_update_per_key_and_piped_record()
    {
        using var driver = new TopologyTestDriver(WordCount(StoreType.InMemory, splits: false), _config);
        var lines = driver.CreateInputTopic<string, string>("lines");

        lines.PipeInput("k", "a");
        lines.PipeInput("k", "a");

        // The driver commits after each record, so nothing waits in the cache.
        Assert.Equal([1, 2], driver.CreateOutputTopic<string, long>("word-counts").ReadValuesToList());
        Assert.Equal(2, driver.CreateOutputTopic<string, long>("app-counts-changelog").QueueSize);
    }

    /// <summary>As Kafka's cache: the coordinates, time and headers that the last write was made with.</summary>
    [Fact]
    public void Record_cache_gives_out_the_headers_of_the_last_write()
    {
        using var driver = new TopologyTestDriver(WordCount(StoreType.InMemory), _config);
        var headers = Headers.Empty.Add("h", "1");

        driver.CreateInputTopic<string, string>("lines").PipeInput("k", "a b", 5, headers);

        Assert.Equal(
            [new TestRecord<string, long>("a", 1, 5, headers), new TestRecord<string, long>("b", 1, 5, headers)],
            driver.CreateOutputTopic<string, long>("word-counts").ReadRecordsToList());
    }

    /// <summary>Two inputs of one windowed aggregation have times of their own; what the store finds too old is given out all the same, with or without cache.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public void Write_that_a_window_store_refuses_is_logged_counted_and_given_out(long cacheBytes)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("one").GroupByKey().Cogroup<string>((_, value, aggregate) => aggregate + value)
            .Cogroup(builder.Stream<string, string>("two").GroupByKey(), (_, value, aggregate) => aggregate + value)
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(1)))
            .Aggregate(() => "", Materialized.As("store").WithStoreType(StoreType.InMemory))
            .ToStream(windowed => $"{windowed.Key}@{windowed.Window.StartMs}")
            .To("out");
        using var driver = new TopologyTestDriver(builder.Build(), _config with { StateStoreCacheMaxBytes = cacheBytes });

        driver.CreateInputTopic<string, string>("one").PipeInput("a", "x", 1500);
        driver.CreateInputTopic<string, string>("two").PipeInput("b", "y", 100);

        Assert.Equal(
            [new TestRecord<string, string>("a@1000", "x", 1500), new TestRecord<string, string>("b@0", "y", 100)],
            driver.CreateOutputTopic<string, string>("out").ReadRecordsToList());
        Assert.Equal(2, driver.CreateOutputTopic<string, string>("app-store-changelog").QueueSize);
        Assert.Equal(1, driver.DroppedRecords);
    }

    [Fact]
    public void Store_is_shown_with_and_without_timestamps_and_can_be_filled_before()
    {
        using var driver = new TopologyTestDriver(WordCount(StoreType.InMemory), _config);
        driver.GetTimestampedKeyValueStore<string, long>("counts").Put("hello", new ValueAndTimestamp<long>(41, 7));

        driver.CreateInputTopic<string, string>("lines").PipeInput("k", "hello", 5);

        // The cache of the store gives out the write of the test as well.
        Assert.Equal([41, 42], driver.CreateOutputTopic<string, long>("word-counts").ReadValuesToList());
        var plain = driver.GetKeyValueStore<string, long>("counts");
        Assert.Equal([new KeyValuePair<string, long>("hello", 42)], plain.All().AsEnumerable());
        Assert.True(driver.GetTimestampedKeyValueStore<string, long>("counts").TryGet("hello", out var row));
        Assert.Equal(7, row.Timestamp);
        Assert.False(plain.PutIfAbsent("hello", 1, out var existing));
        Assert.Equal(42, existing);
        Assert.True(plain.Delete("hello", out _));
        Assert.False(plain.TryGet("hello", out _));
        Assert.Throws<InvalidOperationException>(plain.Flush);
    }

    [Fact]
    public void Stores_that_are_not_there_or_of_another_type_are_named()
    {
        using var driver = new TopologyTestDriver(WordCount(StoreType.InMemory), _config);

        Assert.Contains("counts", Assert.Throws<ArgumentException>(() => driver.GetKeyValueStore<string, long>("count")).Message, StringComparison.Ordinal);
        Assert.Contains("counts", Assert.Throws<ArgumentException>(() => driver.GetKeyValueStore<string, string>("counts")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => driver.GetWindowStore<string, long>("counts"));
        Assert.Throws<ArgumentOutOfRangeException>(() => driver.GetKeyValueStore<string, long>("counts", partition: 1));
    }

    [Fact]
    public void Topics_that_are_joined_must_have_as_many_partitions()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("left").Join(builder.Table<string, string>("right"), (left, right) => left + right).To("out");
        var options = new TopologyTestDriverOptions { Partitions = new Dictionary<string, int> { ["left"] = 3, ["right"] = 4 } };

        var failure = Assert.Throws<TopologyException>(() => new TopologyTestDriver(builder.Build(), _config, options));

        Assert.Contains("'left' has 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'right' has 4", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Global_table_is_the_same_for_every_task()
    {
        var builder = new StreamsBuilder();
        var names = builder.GlobalTable<string, string>("names", materialized: Materialized.As("names-store"));
        builder.Stream<string, string>("in").Join(names, (_, value) => value, (value, name) => $"{value}={name}").To("out");
        using var driver = new TopologyTestDriver(builder.Build(), _config, new() { PartitionsPerTopic = 3 });
        driver.CreateInputTopic<string, string>("names").PipeKeyValueList([new("1", "one"), new("2", "two"), new("3", "three")]);

        driver.CreateInputTopic<string, string>("in").PipeKeyValueList([new("x", "1"), new("y", "3"), new("z", "9")]);

        Assert.Equal(["1=one", "3=three"], driver.CreateOutputTopic<string, string>("out").ReadValuesToList().Order(StringComparer.Ordinal));
        Assert.Equal(3, driver.GetKeyValueStore<string, string>("names-store").ApproximateNumEntries);
    }

    [Fact]
    public void State_folder_is_gone_after_dispose()
    {
        var root = Path.Combine(Path.GetTempPath(), "streams-test-driver");
        var driver = new TopologyTestDriver(WordCount(StoreType.RocksDb), _config);
        driver.CreateInputTopic<string, string>("lines").PipeInput("k", "a");
        var folder = driver.StateDirectory;
        Assert.StartsWith(root, folder, StringComparison.Ordinal);
        Assert.True(Directory.Exists(folder));

        driver.Dispose();

        Assert.False(Directory.Exists(folder));
        Assert.Throws<ObjectDisposedException>(() => driver.GetKeyValueStore<string, long>("counts"));
    }

    [Fact]
    public void Failure_while_opening_leaves_nothing_behind()
    {
        var topology = new Topology()
            .AddSource("source", Strings.Source, "in")
            .AddProcessor("node", () => new Ticker(PunctuationType.StreamTime, TimeSpan.Zero, (_, _) => { }), "source")
            .AddStateStore(Stores.KeyValueStoreBuilder(Stores.PersistentKeyValueStore("store"), Serdes.String, Serdes.String), "node");
        var before = Folders();

        Assert.Throws<ProcessorException>(() => new TopologyTestDriver(topology, _config));

        Assert.Empty(Folders().Except(before));

        // Other tests make folders of their own meanwhile; this one's holds a store called "store".
        static HashSet<string> Folders()
        {
            var root = Path.Combine(Path.GetTempPath(), "streams-test-driver");
            return Directory.Exists(root) ? [.. Directory.EnumerateDirectories(root, "store", SearchOption.AllDirectories)] : [];
        }
    }

    private static Topology WordCount(StoreType storeType, bool splits = true)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("lines")
            .FlatMapValues(line => splits ? line.Split(' ') : [line])
            .GroupBy((_, word) => word)
            .Count(Materialized.As("counts").WithStoreType(storeType))
            .ToStream()
            .To("word-counts");
        return builder.Build();
    }
}
