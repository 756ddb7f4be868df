using System.Globalization;
using Streams.Core;
using Streams.Dsl;
using Streams.State;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Global stores of a whole application: loaded before the first record, kept up to date, there again after a restart.</summary>
public sealed class GlobalStoreTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _stateDirectory = Path.Combine(Path.GetTempPath(), "streams-tests", Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_stateDirectory)) Directory.Delete(_stateDirectory, recursive: true);
    }

    [Fact]
    public async Task Persistent_store_reads_on_after_a_restart_and_anew_when_its_topic_was_made_anew()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "facts", 2);
        TestTopics.Produce(cluster, "facts", Enumerable.Range(0, 100).Select(number => ($"k{number}", "v")));
        Assert.Equal(100, await SeenAsync(cluster, "k99"));
        TestTopics.Produce(cluster, "facts", [("more", "v")]);
        Assert.Equal(1, await SeenAsync(cluster, "more"));
        Assert.Equal(0, await SeenAsync(cluster, "k1"));

        using (var admin = cluster.CreateAdmin("test")) await admin.DeleteTopicsAsync(["facts"], TestContext.Current.CancellationToken);
        await TestTopics.CreateAsync(cluster, "facts", 2);
        TestTopics.Produce(cluster, "facts", [("other", "v")]);
        Assert.Equal(1, await SeenAsync(cluster, "other"));
    }

    [Fact]
    public async Task Damaged_offsets_beside_a_store_cost_reading_anew()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "facts", 1);
        TestTopics.Produce(cluster, "facts", [("a", "v"), ("b", "v")]);
        Assert.Equal(2, await SeenAsync(cluster, "a"));
        foreach (var damage in new[] { "", "{", "[]", "{\"version\":1}", "{\"version\":1,\"topic\":\"facts\",\"commits\":[{\"number\":1,\"offsets\":[99]}]}", "{\"version\":9,\"topic\":\"facts\",\"commits\":[]}" })
        {
            await File.WriteAllTextAsync(Path.Combine(_stateDirectory, "app", "global", "facts", "positions.json"), damage, TestContext.Current.CancellationToken);
            Assert.Equal(2, await SeenAsync(cluster, "a"));
        }
    }

    [Fact]
    public async Task Missing_topic_of_a_global_store_ends_the_application_with_an_error_that_names_it()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "orders", 1);
        await using var app = new KafkaStreams(Join(StoreType.InMemory), Config(cluster));
        var failure = await Assert.ThrowsAsync<TopologyException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("'customers'", failure.Message, StringComparison.Ordinal);
        Assert.Equal(KafkaStreamsState.Error, app.State);
    }

    [Fact]
    public async Task Failing_processor_of_a_global_store_ends_the_application()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "facts", 1);
        TestTopics.Produce(cluster, "facts", [("a", "v"), ("b", "boom")]);
        await using var app = new KafkaStreams(Facts(new Seen(), KeepNothing), Config(cluster));
        var failure = await Assert.ThrowsAsync<ProcessorException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(new RecordMetadata("facts", 0, 1), failure.Record);
        Assert.Equal(KafkaStreamsState.Error, app.State);

        static void KeepNothing(string key)
        {
        }
    }

    [Fact]
    public async Task Close_while_the_stores_are_loading_ends_the_application()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "facts", 1);
        TestTopics.Produce(cluster, "facts", [("a", "v"), ("b", "v")]);
        using var entered = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        await using var app = new KafkaStreams(Facts(new Seen(), Hold), Config(cluster));
        await app.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(entered.Wait(_patience, TestContext.Current.CancellationToken));
        Assert.Equal(KafkaStreamsState.Rebalancing, app.State);
        var closing = app.CloseAsync(_patience);
        goOn.Set();
        Assert.True(await closing);
        Assert.Equal(KafkaStreamsState.NotRunning, app.State);

        void Hold(string key)
        {
            entered.Set();
            goOn.Wait(_patience);
        }
    }

    [Fact]
    public async Task Stream_processors_may_read_a_global_store_but_not_write_it()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "orders", 1);
        await TestTopics.CreateAsync(cluster, "facts", 1);
        TestTopics.Produce(cluster, "orders", [("a", "v")]);
        var topology = Facts(new Seen(), _ => { });
        topology.AddSource("orders", Options, "orders").AddProcessor("writer", () => new Writer(), "orders");
        await using var app = new KafkaStreams(topology, Config(cluster));
        var failure = await Assert.ThrowsAsync<ProcessorException>(() => app.RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("'facts'", Assert.IsType<InvalidOperationException>(failure.InnerException).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readers_on_several_threads_see_whole_values_while_the_store_is_written()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "orders", 4);
        await TestTopics.CreateAsync(cluster, "customers", 2);
        await TestTopics.CreateAsync(cluster, "out", 1);
        TestTopics.Produce(cluster, "customers", Enumerable.Range(0, 50).Select(number => ($"c{number}", Text(number, 0))));
        await using var app = new KafkaStreams(Join(StoreType.RocksDb), Config(cluster) with { NumStreamThreads = 2 });
        await app.StartAsync(TestContext.Current.CancellationToken);
        for (var round = 1; round <= 10; round++)
        {
            TestTopics.Produce(cluster, "customers", Enumerable.Range(0, 50).Select(number => ($"c{number}", Text(number, round))));
            TestTopics.Produce(cluster, "orders", Enumerable.Range(0, 1000).Select(number => ($"o{number}", $"c{number % 50}")));
        }

        await TestTopics.WaitForCountAsync(cluster, "out", 10_000, _patience);
        Assert.Null(app.Failure);
        Assert.All(Values(cluster), value =>
        {
            var parts = value.Split('=', ':');
            Assert.Equal(Text(int.Parse(parts[0].AsSpan(1), CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture)), value[(value.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        });

        static string Text(int number, int round) => $"{round}:{new string((char)('a' + number % 26), 20 + number)}";
    }

    /// <summary>KIP-813.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_only_store_is_restored_from_its_topic(bool isPersistent)
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "orders", 1);
        await TestTopics.CreateAsync(cluster, "facts", 1);
        await TestTopics.CreateAsync(cluster, "out", 1);
        TestTopics.Produce(cluster, "facts", [("a", "1"), ("b", "2")]);
        for (var run = 1; run <= 2; run++)
        {
            var seen = new Seen();
            var builder = new StreamsBuilder();
            var supplier = isPersistent ? Stores.PersistentKeyValueStore("facts") : Stores.InMemoryKeyValueStore("facts");
            builder.AddReadOnlyStateStore(
                Stores.KeyValueStoreBuilder(supplier, Serdes.String, Serdes.String).WithLoggingDisabled(), "facts", () => new Keeper(seen, _ => { }), Consumed.With(Serdes.String, Serdes.String));
            builder.Stream<string, string>("orders").Process(() => new Reader(), "reader", null, "facts").To("out", Produced.With(Serdes.String, Serdes.String));
            await using var app = new KafkaStreams(builder.Build(), Config(cluster) with { StateDirectory = Path.Combine(_stateDirectory, isPersistent ? "kept" : $"run-{run}") });
            await app.StartAsync(TestContext.Current.CancellationToken);
            await AskUntilAsync(cluster, "a", "a=1");
            Assert.True(await app.CloseAsync(_patience));
            Assert.Null(app.Failure);
            Assert.Equal(["a", "b"], seen.KeysAtClose);

            // What was committed the first time comes back from the store or the topic, not through the processor again.
            Assert.Equal(run == 1 ? 2 : 0, seen.Count);
        }
    }

    private static SourceOptions<string, string> Options => new() { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String };

    private StreamsConfig Config(EmbeddedCluster cluster) => StatelessApplicationTests.Config(cluster, "app") with { StateDirectory = _stateDirectory };

    private static Topology Join(StoreType storeType)
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { DefaultStoreType = storeType });
        var customers = builder.GlobalTable<string, string>("customers", null, Materialized.As("customer-store"));
        builder.Stream<string, string>("orders").Join(customers, (_, customer) => customer, (customer, name) => $"{customer}={name}").To("out");
        return builder.Build();
    }

    private static Topology Facts(Seen seen, Action<string> onRecord) => new Topology().AddGlobalStore(
        Stores.KeyValueStoreBuilder(Stores.PersistentKeyValueStore("facts"), Serdes.String, Serdes.String).WithLoggingDisabled(),
        "source", Options, "facts", "keeper", () => new Keeper(seen, onRecord));

    /// <summary>Runs a topology of one global store until it has a key, and says how many records its processor was shown.</summary>
    private async Task<int> SeenAsync(EmbeddedCluster cluster, string key)
    {
        var seen = new Seen();
        await using var app = new KafkaStreams(Facts(seen, _ => { }), Config(cluster));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State is KafkaStreamsState.Running or KafkaStreamsState.Error, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
        Assert.Contains(key, seen.KeysAtClose);
        return seen.Count;
    }

    private static async Task AskUntilAsync(EmbeddedCluster cluster, string customer, string expected)
    {
        while (true)
        {
            var before = Values(cluster).Count;
            TestTopics.Produce(cluster, "orders", [("ask", customer)]);
            await TestTopics.WaitForCountAsync(cluster, "out", before + 1, _patience);
            if (Values(cluster)[before] == expected) return;
        }
    }

    private static List<string> Values(EmbeddedCluster cluster) => [.. TestTopics.ReadAll(cluster, "out").Select(record => record.Value)];

    private sealed class Seen
    {
        public int Count { get; set; }

        public List<string> KeysAtClose { get; } = [];
    }

    private sealed class Keeper(Seen seen, Action<string> onRecord) : Processor<string, string, string, string>
    {
        private IKeyValueStore<string, string> _store = null!;

        protected override void Init() => _store = Context.GetStateStore<IKeyValueStore<string, string>>("facts");

        public override void Process(in Record<string, string> record)
        {
            if (record.Value == "boom") throw new FormatException("boom is not a fact");
            onRecord(record.Key);
            seen.Count++;
            _store.Put(record.Key, record.Value);
        }

        protected override void Close()
        {
            foreach (var (key, _) in _store.All().AsEnumerable()) seen.KeysAtClose.Add(key);
        }
    }

    private sealed class Reader : Processor<string, string, string, string>
    {
        private IKeyValueStore<string, string> _store = null!;

        protected override void Init() => _store = Context.GetStateStore<IKeyValueStore<string, string>>("facts");

        public override void Process(in Record<string, string> record) =>
            Forward(record.WithValue(_store.TryGet(record.Value, out var fact) ? $"{record.Value}={fact}" : "unknown"));
    }

    private sealed class Writer : Processor<string, string, string, string>
    {
        private IKeyValueStore<string, string> _store = null!;

        protected override void Init() => _store = Context.GetStateStore<IKeyValueStore<string, string>>("facts");

        public override void Process(in Record<string, string> record)
        {
            if (!_store.TryGet(record.Key, out _)) _store.Put(record.Key, record.Value);
        }
    }
}
