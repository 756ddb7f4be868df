using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Streams.State;
using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests;

/// <summary>Stores that the user chooses or writes, and serdes that the user registers.</summary>
public sealed partial class CustomStoreTests
{
    [Fact]
    public void Supplier_says_where_a_table_is_kept_and_what_it_is_called()
    {
        using var test = DslTest.Of(
            static builder =>
            {
                builder.Table<string, string>("in", materialized: Materialized.As(Stores.LruMap("recent", 2))).ToStream().To("out");
                var group = builder.Stream<string, string>("events").GroupByKey();
                group.WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMilliseconds(10)))
                    .Count(Materialized.As(Stores.InMemoryWindowStore("windows", TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(10))));
                group.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMilliseconds(10)))
                    .Count(Materialized.As(Stores.InMemorySessionStore("sessions", TimeSpan.FromMilliseconds(30))));
                builder.Table<string, string>("versions", materialized: Materialized.As(Stores.InMemoryVersionedKeyValueStore("history", TimeSpan.FromMilliseconds(30))));
            },
            new StreamsBuilderOptions { DefaultStoreType = StoreType.InMemory });
        test.Pipe("a", "1").Pipe("b", "2").Pipe("c", "3").Pipe("k", "v", 5, "events").Pipe("k", "old", 5, "versions").Pipe("k", "new", 9, "versions");

        var recent = test.Driver.GetTimestampedKeyValueStore<string, string>("recent");
        Assert.False(recent.TryGet("a", out _));
        Assert.True(recent.TryGet("b", out _) && recent.TryGet("c", out _));
        Assert.True(test.Driver.GetTimestampedWindowStore<string, long>("windows").TryFetch("k", 0, out _));
        Assert.Single(test.Driver.GetSessionStore<string, long>("sessions").Fetch("k").AsEnumerable());
        Assert.True(test.Driver.GetVersionedKeyValueStore<string, string>("history").TryGet("k", 6, out var version));
        Assert.Equal("old", version.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Suppliers_say_where_the_windows_of_a_join_are_kept(bool isPersistent)
    {
        var (retention, size) = (TimeSpan.FromMilliseconds(25), TimeSpan.FromMilliseconds(20));
        WindowBytesStoreSupplier Supplier(string name) => isPersistent
            ? Stores.PersistentWindowStore(name, retention, size, retainDuplicates: true)
            : Stores.InMemoryWindowStore(name, retention, size, retainDuplicates: true);
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").LeftJoin(
            builder.Stream<string, string>("other"),
            (string one, string? two) => $"{one}+{two}",
            JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(5)),
            new StreamJoined<string, string, string>().WithThisStoreSupplier(Supplier("mine")).WithOtherStoreSupplier(Supplier("yours"))).To("out");
        var topology = builder.Build();
        using var driver = new TopologyTestDriver(topology);
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "a", 5);
        driver.CreateInputTopic<string, string>("other").PipeInput("k", "b", 7);

        Assert.Equal("a+b", driver.CreateOutputTopic<string, string>("out").ReadValue());
        var stores = driver.GetAllStateStores();
        Assert.Equal(isPersistent, stores["mine"].IsPersistent);
        Assert.Equal(isPersistent, stores["yours"].IsPersistent);
        Assert.All(stores.Values, store => Assert.Equal(isPersistent, store.IsPersistent));
    }

    [Fact]
    public void Table_in_a_store_of_the_users_own_is_logged_and_restored_by_it()
    {
        using var test = DslTest.Of(
            static builder => builder.Stream<string, string>("in").GroupByKey().Count(new Materialized<string, long>().WithStore(new OwnBuilder<long>("own", Serdes.Int64))).ToStream().To("out"));
        test.Pipe("a", "x", 5).Pipe("a", "y", 7).Pipe("b", "z", 6);
        Assert.Equal(["a=1@5", "a=2@7", "b=1@6"], test.Out<string, long>());
        Assert.Equal(["a=1@5", "a=2@7", "b=1@6"], test.Out<string, long>("topology-test-driver-own-changelog"));

        test.Driver.Restart();

        test.Pipe("a", "again", 9);
        Assert.Equal(["a=3@9"], test.Out<string, long>());
        Assert.IsType<OwnStore<long>>(test.Driver.GetStateStore<IStateStore>("own"));
    }

    [Fact]
    public void Table_in_a_store_of_the_users_own_keeps_its_changelog_where_others_use_their_topic()
    {
        using var test = DslTest.Of(
            static builder => builder.Table<string, string>("in", materialized: new Materialized<string, string>().WithStore(new OwnBuilder<string>("own", Serdes.String))),
            new StreamsBuilderOptions { Optimization = TopologyOptimization.All });
        test.Pipe("a", "x", 5);
        Assert.Equal(["a=x@5"], test.Out<string, string>("topology-test-driver-own-changelog"));
    }

    [Fact]
    public void Processor_by_hand_uses_a_store_of_the_users_own_which_is_logged_and_restored_by_it()
    {
        var topology = new Topology()
            .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "in")
            .AddProcessor("last", static () => new Last(), "source")
            .AddSink("sink", "out", new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "last")
            .AddStateStore(new OwnBuilder<string>("own", Serdes.String), "last");
        using var driver = new TopologyTestDriver(topology);
        var (input, output) = (driver.CreateInputTopic<string, string>("in"), driver.CreateOutputTopic<string, string>("out"));
        input.PipeInput("a", "1");
        input.PipeInput("gone", "1");
        input.PipeTombstone("gone");
        Assert.Equal(["none", "none", "1"], output.ReadValuesToList());

        driver.Restart();

        input.PipeInput("a", "2");
        input.PipeInput("gone", "2");
        Assert.Equal(["1", "none"], output.ReadValuesToList());
    }

    [Fact]
    public void Types_of_a_registered_json_context_need_no_serde_at_their_operators()
    {
        var options = new StreamsBuilderOptions { Serdes = new SerdeRegistry().AddJson(PlaceContext.Default) };
        using var test = DslTest.Of(
            static builder => builder.Stream<string, string>("in").MapValues(value => new Place(value, value.Length)).GroupByKey().Reduce((_, place) => place).ToStream().To("out"), options);
        test.Pipe("a", "Bonn");

        Assert.Equal(["""a={"Name":"Bonn","Size":4}@0"""], test.Out());
    }

    internal sealed record Place(string Name, int Size);

    [JsonSerializable(typeof(Place))]
    private sealed partial class PlaceContext : JsonSerializerContext;

    private sealed class Last : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            var store = Context.GetStateStore<ITimestampedKeyValueStore<string, string>>("own");
            Forward(record.WithValue(store.TryGet(record.Key, out var last) ? last.Value : "none"));
            if (record.HasValue) store.Put(record.Key, new ValueAndTimestamp<string>(record.Value, record.Timestamp));
            else store.Delete(record.Key);
        }
    }

    private sealed class OwnBuilder<V>(string name, ISerde<V> serde) : IStoreBuilder<ITimestampedKeyValueStore<string, V>>
    {
        public string Name => name;

        public bool LoggingEnabled => true;

        public IReadOnlyDictionary<string, string> LogConfig { get; } = new Dictionary<string, string>();

        public ChangelogCleanup ChangelogCleanup => ChangelogCleanup.Compact;

        public TimeSpan? Retention => null;

        public ITimestampedKeyValueStore<string, V> Build() => new OwnStore<V>(name, serde);

        IStateStore IStoreBuilder.Build() => Build();
    }

    /// <summary>A sorted dictionary that logs each write.</summary>
    private sealed class OwnStore<V>(string name, ISerde<V> serde) : ITimestampedKeyValueStore<string, V>
    {
        private readonly SortedDictionary<string, ValueAndTimestamp<V>> _rows = new(StringComparer.Ordinal);
        private IStateStoreContext? _context;

        public string Name => name;

        public bool IsPersistent => false;

        public long? ChangelogOffset => null;

        public long UncommittedBytes => 0;

        public long ApproximateNumEntries => _rows.Count;

        public void Init(IStateStoreContext context) => _context = context;

        public void Restore(RecordBatch batch, int from, int to)
        {
            for (var index = from; index < to; index++)
            {
                var key = Serdes.String.Deserialize(batch.Key(index));
                if (batch[index].HasValue) _rows[key] = new ValueAndTimestamp<V>(serde.Deserialize(batch.Value(index)), batch[index].Timestamp);
                else _rows.Remove(key);
            }
        }

        public void Flush()
        {
        }

        public void Commit(long? changelogOffset)
        {
        }

        public bool TryGet(string key, [MaybeNullWhen(false)] out ValueAndTimestamp<V> value) => _rows.TryGetValue(key, out value);

        public void Put(string key, ValueAndTimestamp<V> value)
        {
            _rows[key] = value;
            var (keyBytes, valueBytes) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
            Serdes.String.Serialize(key, keyBytes);
            serde.Serialize(value.Value, valueBytes);
            _context!.Changelog!.Append(keyBytes.WrittenSpan, valueBytes.WrittenSpan, hasValue: true, value.Timestamp);
        }

        public bool PutIfAbsent(string key, ValueAndTimestamp<V> value, [MaybeNullWhen(true)] out ValueAndTimestamp<V> existing)
        {
            if (TryGet(key, out existing)) return false;
            Put(key, value);
            return true;
        }

        public bool Delete(string key, [MaybeNullWhen(false)] out ValueAndTimestamp<V> previous)
        {
            var existed = _rows.Remove(key, out previous);
            var bytes = new ArrayBufferWriter<byte>();
            Serdes.String.Serialize(key, bytes);
            _context!.Changelog!.Append(bytes.WrittenSpan, default, hasValue: false, _context.Timestamp);
            return existed;
        }

        public void Delete(string key) => Delete(key, out _);

        public IKeyValueIterator<string, ValueAndTimestamp<V>> All() => throw new NotSupportedException();

        public IKeyValueIterator<string, ValueAndTimestamp<V>> ReverseAll() => throw new NotSupportedException();

        public IKeyValueIterator<string, ValueAndTimestamp<V>> Range(Optional<string> from, Optional<string> to) => throw new NotSupportedException();

        public IKeyValueIterator<string, ValueAndTimestamp<V>> ReverseRange(Optional<string> from, Optional<string> to) => throw new NotSupportedException();

        public IKeyValueIterator<string, ValueAndTimestamp<V>> PrefixScan<TPrefix>(TPrefix prefix, ISerializer<TPrefix> prefixSerializer) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
