using Streams.State;
using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>What Kafka Streams refuses is refused before a record is read, by a message that says what is wrong and where.</summary>
public sealed class MisuseTests
{
    private static readonly Dictionary<string, (Action<StreamsBuilder> Build, string[] Says)> _misuses = new()
    {
        ["unknown store"] = (builder => builder.Stream<string, string>("in").Process(() => new Nothing(), Named.As("worker"), null, "missing"), ["worker", "missing"]),
        ["duplicate operator name"] = (builder => builder.Stream<string, string>("in").Filter((_, _) => true, Named.As("twin")).Filter((_, _) => true, Named.As("twin")).To("out"), ["twin"]),
        ["duplicate store name"] = (
            builder =>
            {
                var grouped = builder.Stream<string, string>("in").GroupByKey();
                grouped.Count(Materialized.As("twin"));
                grouped.Reduce((_, value) => value, Materialized.As("twin"));
            },
            ["twin"]),
        ["two state stores of a name"] = (
            builder =>
            {
                var stream = builder.Stream<string, string>("in");
                stream.Process(() => new Nothing(), Named.As("one"), [Store("twin")]);
                stream.Process(() => new Nothing(), Named.As("two"), [Store("twin")]);
            },
            ["twin"]),
        ["topic of two overlapping sources"] = (
            builder =>
            {
                builder.Stream<string, string>(["shared", "one"]).To("out");
                builder.Stream<string, string>(["shared", "two"]).To("out");
            },
            ["shared"]),
        ["topic read as other types"] = (
            builder =>
            {
                builder.Stream<string, string>("shared").To("out");
                builder.Stream<string, long>("shared").To("out2");
            },
            ["shared", "string", "other types"]),
        ["topic with two reset policies"] = (
            builder =>
            {
                builder.Stream<string, string>("shared", Consumed.With(AutoOffsetReset.Earliest)).To("out");
                builder.Stream<string, string>("shared", Consumed.With(AutoOffsetReset.Latest)).To("out2");
            },
            ["shared"]),
        ["topic of a pattern and of a name"] = (
            builder =>
            {
                builder.Stream<string, string>(new System.Text.RegularExpressions.Regex("sh.*")).To("out");
                builder.Stream<string, string>("shared").To("out2");
            },
            ["shared", "sh.*"]),
        ["topic of a stream and of a table"] = (
            builder =>
            {
                builder.Stream<string, string>("shared");
                builder.Table<string, string>("shared");
            },
            ["shared"]),
        ["window finer than a millisecond"] = (_ => TimeWindows.OfSizeWithNoGrace(TimeSpan.FromTicks(1)), ["size"]),
        ["window supplier for rows without windows"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As(Stores.InMemoryWindowStore("wrong", 10.Ms(), 10.Ms()))),
            ["wrong", "KeyValueBytesStoreSupplier", "WindowBytesStoreSupplier"]),
        ["window supplier of another size"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).Count(Materialized.As(Stores.InMemoryWindowStore("wrong", 20.Ms(), 9.Ms()))),
            ["wrong", "10", "9"]),
        ["window supplier that keeps too little"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeAndGrace(10.Ms(), 5.Ms())).Count(Materialized.As(Stores.InMemoryWindowStore("wrong", 14.Ms(), 10.Ms()))),
            ["wrong", "14", "15"]),
        ["window supplier with duplicates"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).Count(
                Materialized.As(Stores.InMemoryWindowStore("wrong", 10.Ms(), 10.Ms(), retainDuplicates: true))),
            ["wrong", "duplicates"]),
        ["session supplier that keeps too little"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(SessionWindows.OfInactivityGapAndGrace(10.Ms(), 5.Ms())).Count(Materialized.As(Stores.InMemorySessionStore("wrong", 14.Ms()))),
            ["wrong", "14", "15"]),
        ["join supplier without duplicates"] = (builder => Joined(builder, Stores.InMemoryWindowStore("wrong", 25.Ms(), 20.Ms()), null), ["wrong", "duplicates"]),
        ["join supplier of another retention"] = (
            builder => Joined(builder, Stores.InMemoryWindowStore("wrong", 24.Ms(), 20.Ms(), retainDuplicates: true), null), ["wrong", "24", "25"]),
        ["join suppliers of one name"] = (
            builder => Joined(
                builder, Stores.InMemoryWindowStore("twin", 25.Ms(), 20.Ms(), retainDuplicates: true), Stores.InMemoryWindowStore("twin", 25.Ms(), 20.Ms(), retainDuplicates: true)),
            ["twin", "different"]),
        ["name beside a supplier"] = (
            _ => ((Materialized<string, string>)Materialized.As(Stores.InMemoryKeyValueStore("one"))!).WithName("two"), ["one", "two"]),
        ["no topics"] = (builder => builder.Stream<string, string>(Array.Empty<string>()), ["topic"]),
        ["bad operator name"] = (builder => builder.Stream<string, string>("in").Filter((_, _) => true, Named.As("a b")), ["a b"]),
        ["bad store name"] = (builder => builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("a/b")), ["a/b"]),
        ["bad sink topic"] = (builder => builder.Stream<string, string>("in").To("a b"), ["a b"]),
        ["missing key serde"] = (builder => builder.Stream<Unknown, string>("in").To("out"), ["KSTREAM-S", "key", "Unknown"]),
        ["missing value serde"] = (builder => builder.Stream<string, string>("in").MapValues(_ => new Unknown()).To("out", Produced.As("sink")), ["sink", "value", "Unknown"]),
        ["missing serde of an aggregate"] = (builder => builder.Stream<string, string>("in").GroupByKey().Aggregate(() => new Unknown(), (_, _, all) => all, Materialized.As("store")), ["value", "Unknown"]),
        ["window of no size"] = (_ => TimeWindows.OfSizeWithNoGrace(TimeSpan.Zero), ["size"]),
        ["negative grace"] = (_ => TimeWindows.OfSizeAndGrace(10.Ms(), (-1).Ms()), ["afterWindowEnd"]),
        ["advance beyond the size"] = (_ => TimeWindows.OfSizeWithNoGrace(10.Ms()).AdvanceBy(11.Ms()), ["10", "11"]),
        ["advance by nothing"] = (_ => TimeWindows.OfSizeWithNoGrace(10.Ms()).AdvanceBy(TimeSpan.Zero), ["advance"]),
        ["session without gap"] = (_ => SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.Zero), ["inactivityGap"]),
        ["negative sliding difference"] = (_ => SlidingWindows.OfTimeDifferenceWithNoGrace((-1).Ms()), ["timeDifference"]),
        ["negative join difference"] = (_ => JoinWindows.OfTimeDifferenceWithNoGrace((-1).Ms()), ["timeDifference"]),
        ["join window that ends before it starts"] = (_ => JoinWindows.OfTimeDifferenceWithNoGrace(10.Ms()).Before((-11).Ms()), ["-11", "10"]),
        ["retention shorter than size and grace"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeAndGrace(10.Ms(), 5.Ms())).Count(Materialized.As("short").WithRetention(14.Ms())),
            ["short", "14", "15"]),
        ["retention shorter than gap and grace"] = (
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(SessionWindows.OfInactivityGapAndGrace(10.Ms(), 5.Ms())).Count(Materialized.As("short").WithRetention(14.Ms())),
            ["short", "14", "15"]),
        ["negative retention"] = (_ => Materialized.As("store").WithRetention((-1).Ms()), ["retention"]),
        ["window store shorter than its windows"] = (_ => Stores.PersistentWindowStore("store", 5.Ms(), 10.Ms(), false), ["5", "10"]),
        ["suppression until windows close, without windows"] = (
            builder => builder.Table<string, string>("in").Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded())), ["KTABLE-SOURCE", "window"]),
        ["final results from a buffer that lets go early"] = (_ => Suppressed.UntilWindowCloses(BufferConfig.MaxRecords(1)), ["early"]),
        ["suppression of a versioned table"] = (
            builder => builder.Table<string, string>("in", materialized: Materialized.As("v").WithHistoryRetention(10.Ms())).Suppress(Suppressed.UntilTimeLimit(1.Ms(), BufferConfig.Unbounded())),
            ["KTABLE-SOURCE", "versioned"]),
        ["join with grace of a table without versions"] = (
            builder => builder.Stream<string, string>("in").Join(builder.Table<string, string>("table"), (one, other) => one + other, Streams.Dsl.Joined.With(5.Ms())).To("out"),
            ["versioned", "grace"]),
        ["join with grace beyond the history"] = (
            builder => builder.Stream<string, string>("in").Join(
                builder.Table<string, string>("table", materialized: Materialized.As("v").WithHistoryRetention(4.Ms())), (one, other) => one + other, Streams.Dsl.Joined.With(5.Ms())).To("out"),
            ["4", "5"]),
        ["versioned global table"] = (builder => builder.GlobalTable<string, string>("global", materialized: Materialized.As("g").WithHistoryRetention(10.Ms())), ["global", "versioned"]),
        ["stream of another builder"] = (
            builder => builder.Stream<string, string>("in").Merge(new StreamsBuilder().Stream<string, string>("other")), ["StreamsBuilder"]),
        ["operator after Build"] = (
            builder =>
            {
                var stream = builder.Stream<string, string>("in");
                stream.To("out");
                builder.Build();
                stream.Filter((_, _) => true, Named.As("late"));
            },
            ["late", "Build"]),
        ["branch of a name given before"] = (
            builder => builder.Stream<string, string>("in").Split(Named.As("split-")).Branch((_, _) => true, Branched.As("a")).Branch((_, _) => true, Branched.As("a")),
            ["split-a"]),
        ["store that nobody uses"] = (
            builder =>
            {
                builder.Stream<string, string>("in").To("out");
                builder.AddStateStore(Store("idle"));
            },
            ["idle"]),
        ["shared processor instance"] = (
            builder =>
            {
                var shared = new Nothing();
                builder.Stream<string, string>("in").Process(() => shared, Named.As("worker"));
            },
            ["worker"]),
        ["repartition to no partitions"] = (builder => builder.Stream<string, string>("in").Repartition(Repartitioned.With(0)), ["numberOfPartitions"]),
    };

    public static TheoryData<string> Names => [.. _misuses.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Misuse_is_refused_at_build_time_and_named(string misuse)
    {
        var (build, says) = _misuses[misuse];
        var failure = Record.Exception(() =>
        {
            var builder = new StreamsBuilder(new StreamsBuilderOptions { DefaultStoreType = StoreType.InMemory });
            build(builder);
            using var driver = new TopologyTestDriver(builder.Build());
        });

        Assert.NotNull(failure);
        Assert.True(failure is TopologyException or ArgumentException, failure.ToString());
        foreach (var part in says) Assert.Contains(part, failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A cycle cannot be written with the DSL; by hand it needs a parent that is not there yet.</summary>
    [Fact]
    public void Cycle_is_refused()
    {
        var topology = new Topology().AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "in");

        var self = Assert.Throws<TopologyException>(() => topology.AddProcessor("node", () => new Nothing(), "node"));
        var later = Assert.Throws<TopologyException>(() => topology.AddProcessor("first", () => new Nothing(), "second"));

        Assert.Contains("'node'", self.Message, StringComparison.Ordinal);
        Assert.Contains("'second'", later.Message, StringComparison.Ordinal);
    }

    /// <summary>E-92.</summary>
    [Fact]
    public void Join_of_topics_with_different_numbers_of_partitions_lists_both()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("three").Join(builder.Stream<string, string>("four"), (one, other) => one + other, JoinWindows.OfTimeDifferenceWithNoGrace(1.Ms())).To("out");
        var options = new TopologyTestDriverOptions { Partitions = new Dictionary<string, int> { ["three"] = 3, ["four"] = 4 } };

        var failure = Assert.Throws<TopologyException>(() => new TopologyTestDriver(builder.Build(), null, options));

        Assert.Contains("'three' has 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'four' has 4", failure.Message, StringComparison.Ordinal);
    }

    private static void Joined(StreamsBuilder builder, WindowBytesStoreSupplier one, WindowBytesStoreSupplier? other) => builder.Stream<string, string>("in").Join(
        builder.Stream<string, string>("other"),
        (left, right) => left + right,
        JoinWindows.OfTimeDifferenceAndGrace(10.Ms(), 5.Ms()),
        new StreamJoined<string, string, string> { ThisStoreSupplier = one, OtherStoreSupplier = other });

    private static KeyValueStoreBuilder<string, string> Store(string name) => Stores.KeyValueStoreBuilder(Stores.InMemoryKeyValueStore(name), Serdes.String, Serdes.String);

    private sealed class Unknown;

    private sealed class Nothing : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
        }
    }
}
