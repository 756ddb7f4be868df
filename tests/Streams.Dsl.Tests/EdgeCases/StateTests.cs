using Streams.State;
using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Stores, changelogs, caches and what a restart brings back: E-26, E-100 to E-105, E-114 and E-131.</summary>
public sealed class StateTests
{
    /// <summary>E-26. On disk whole segments expire, of at least a minute.</summary>
    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void Window_store_does_not_take_what_is_older_than_its_retention(StoreType type)
    {
        var retention = TimeSpan.FromMinutes(2);
        var supplier = type == StoreType.InMemory ? Stores.InMemoryWindowStore("windows", retention, 10.Ms()) : Stores.PersistentWindowStore("windows", retention, 10.Ms());
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .Process(() => new PutsWindow(), null, [Stores.WindowStoreBuilder(supplier, Serdes.String, Serdes.String)]).To("out"));

        lab.Pipe("in", "k", "new", 600_000);
        lab.Pipe("in", "k", "old", 60_000);
        lab.Pipe("in", "k", "late", 590_000);

        Assert.Equal("k=new@600000 k=absent@60000 k=late@590000", lab.Out());
        Assert.Equal(1, lab.Driver.DroppedRecords);
    }

    /// <summary>E-100 and E-114.</summary>
    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void Deletion_is_a_tombstone_in_the_changelog_and_stays_one_after_a_restart(StoreType type)
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in", materialized: Materialized.As("rows")).ToStream().To("out"), stores: type);
        lab.Pipe("in", "a", "1", 5);
        lab.Pipe("in", "b", "2", 6);
        lab.Pipe("in", "a", null, 7);
        Assert.Equal("a=1@5 b=2@6 a=null@7", lab.Out("app-rows-changelog"));

        lab.Driver.Restart();

        var rows = lab.Driver.GetTimestampedKeyValueStore<string, string>("rows");
        Assert.False(rows.TryGet("a", out _));
        Assert.Equal(new ValueAndTimestamp<string>("2", 6), rows.All().AsEnumerable().Single().Value);
    }

    /// <summary>E-101.</summary>
    [Fact]
    public void Cache_lets_go_of_the_last_value_once_per_commit_with_the_old_value_of_the_last_commit()
    {
        using var lab = new Lab(
            static builder => builder.Table<string, string>("in", materialized: Materialized.As("rows"))
                .GroupBy((key, value) => KeyValue.Pair("all", value)).Aggregate(() => "", (_, value, all) => $"{all}+{value}", (_, value, all) => $"{all}-{value}", Materialized.As("sum"))
                .ToStream().To("out"),
            cacheBytes: 1 << 20,
            commitEachRecord: false);
        lab.Pipe("in", "a", "0", 1);
        lab.Driver.Commit();
        Assert.Equal("all=+0@1", lab.Out());
        lab.Out("app-rows-changelog");

        lab.Pipe("in", "a", "1", 2);
        lab.Pipe("in", "a", "2", 3);
        lab.Pipe("in", "a", "3", 4);
        Assert.Equal("", lab.Out());
        Assert.Equal("", lab.Out("app-rows-changelog"));
        lab.Driver.Commit();

        Assert.Equal("a=3@4", lab.Out("app-rows-changelog"));
        Assert.Equal("all=+0-0+3@4", lab.Out());
    }

    /// <summary>E-102: a row that came and went between two commits was never there; one that was there before is deleted once.</summary>
    [Fact]
    public void Cache_says_nothing_of_a_row_that_came_and_went_between_two_commits()
    {
        using var lab = new Lab(
            static builder => builder.Table<string, string>("in", materialized: Materialized.As("rows")).ToStream().To("out"), cacheBytes: 1 << 20, commitEachRecord: false);
        lab.Pipe("in", "a", "1", 1);
        lab.Pipe("in", "a", null, 2);
        lab.Driver.Commit();
        Assert.Equal("", lab.Out());
        Assert.Equal("", lab.Out("app-rows-changelog"));

        lab.Pipe("in", "b", "1", 3);
        lab.Driver.Commit();
        lab.Pipe("in", "b", "2", 4);
        lab.Pipe("in", "b", null, 5);
        lab.Driver.Commit();
        Assert.Equal("b=1@3 b=null@5", lab.Out());
        Assert.Equal("b=1@3 b=null@5", lab.Out("app-rows-changelog"));
        lab.Driver.Restart();
        Assert.Empty(lab.Driver.GetTimestampedKeyValueStore<string, string>("rows").All().AsEnumerable());
    }

    /// <summary>E-104.</summary>
    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void Times_of_values_are_the_same_after_a_restart(StoreType type)
    {
        using var lab = new Lab(
            static builder =>
            {
                builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("counts"));
                builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeAndGrace(10.Ms(), 50.Ms())).Count(Materialized.As("windows"));
            },
            stores: type);
        lab.Pipe("in", "k", "v", 27);
        lab.Pipe("in", "k", "v", 23);

        lab.Driver.Restart();

        Assert.True(lab.Driver.GetTimestampedKeyValueStore<string, long>("counts").TryGet("k", out var count));
        Assert.Equal(new ValueAndTimestamp<long>(2, 27), count);
        Assert.True(lab.Driver.GetTimestampedWindowStore<string, long>("windows").TryFetch("k", 20, out var window));
        Assert.Equal(new ValueAndTimestamp<long>(2, 27), window);
    }

    /// <summary>E-105: the expired window of the changelog does not come back, and the time of the others still makes late records too late.</summary>
    [Fact]
    public void Restore_leaves_expired_windows_out_and_knows_how_late_it_is()
    {
        var supplier = Stores.InMemoryWindowStore("windows", 20.Ms(), 10.Ms());
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .Process(() => new PutsWindow(), null, [Stores.WindowStoreBuilder(supplier, Serdes.String, Serdes.String)]).To("out"));
        lab.Pipe("in", "k", "one", 10);
        lab.Pipe("in", "k", "two", 100);

        lab.Driver.Restart();

        Assert.Equal([100L], lab.Driver.GetWindowStore<string, string>("windows").All().AsEnumerable().Select(entry => entry.Key.Window.StartMs));
        lab.Out();
        lab.Pipe("in", "k", "late", 30);
        Assert.Equal("k=absent@30", lab.Out());
    }

    /// <summary>E-131: negative numbers come after positive ones, because big-endian two's complement is compared byte by byte.</summary>
    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void Entries_come_in_the_order_of_their_bytes(StoreType type)
    {
        using var lab = new Lab(
            static builder => builder.Stream<string, string>("in").GroupBy((_, value) => int.Parse(value, System.Globalization.CultureInfo.InvariantCulture)).Count(Materialized.As("counts")), stores: type);
        foreach (var number in new[] { "-1", "5", "0", "-300", "256" }) lab.Pipe("in", "k", number, 1);

        var store = lab.Driver.GetTimestampedKeyValueStore<int, long>("counts");
        Assert.Equal([0, 5, 256, -300, -1], store.All().AsEnumerable().Select(entry => entry.Key));
        Assert.Equal([-1, -300, 256, 5, 0], store.ReverseAll().AsEnumerable().Select(entry => entry.Key));
        Assert.Equal([5, 256], store.Range(1, 1000).AsEnumerable().Select(entry => entry.Key));
    }

    /// <summary>A store with a cache that was added before the tables that write to it: what their flush brings it is committed with the rest.</summary>
    [Fact]
    public void Flush_of_one_store_reaches_the_cache_of_a_store_added_before_it()
    {
        using var lab = new Lab(
            static builder =>
            {
                builder.AddStateStore(Stores.KeyValueStoreBuilder(Stores.InMemoryKeyValueStore("first"), Serdes.String, Serdes.String).WithCachingEnabled());
                builder.Stream<string, string>("early").Process(() => new Keeps("first"), storeNames: "first");
                builder.Table<string, string>("in", materialized: Materialized.As("second")).ToStream().Process(() => new Keeps("first"), storeNames: "first");
            },
            cacheBytes: 1 << 20,
            commitEachRecord: false);
        lab.Pipe("in", "a", "1", 1);

        lab.Driver.Commit();

        Assert.Equal("a=1@1", lab.Out("app-first-changelog"));
        Assert.True(lab.Driver.GetKeyValueStore<string, string>("first").TryGet("a", out _));
    }

    private sealed class PutsWindow : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            var store = Context.GetStateStore<IWindowStore<string, string>>("windows");
            store.Put(record.Key, record.Value, record.Timestamp);
            Forward(record.WithValue(store.TryFetch(record.Key, record.Timestamp, out var value) ? value : "absent"));
        }
    }

    private sealed class Keeps(string store) : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record) => Context.GetStateStore<IKeyValueStore<string, string>>(store).Put(record.Key, record.Value);
    }
}
