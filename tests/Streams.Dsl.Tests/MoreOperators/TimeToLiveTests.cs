using Streams.Dsl.Tests.EdgeCases;
using Streams.Dsl.TimeToLive;
using Xunit;

namespace Streams.Dsl.Tests.MoreOperators;

/// <summary>Rows that expire.</summary>
public sealed class TimeToLiveTests
{
    [Fact]
    public void Count_expires_when_stream_time_passes_and_begins_anew()
    {
        using var lab = Counting();
        lab.Pipe("in", "k", "v", 1000);
        lab.Pipe("in", "k", "v", 1050);
        lab.Pipe("in", "other", "v", 1149);
        Assert.Equal("k=1@1000 k=2@1050 other=1@1149", lab.Out<long>());
        lab.Pipe("in", "other", "v", 1150);
        Assert.Equal("k=null@1150 other=2@1150", lab.Out<long>());
        lab.Pipe("in", "k", "v", 1160);
        Assert.Equal("k=1@1160", lab.Out<long>());
    }

    [Fact]
    public void Another_input_of_the_task_moves_the_time_too()
    {
        using var lab = new Lab(builder =>
        {
            builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("count").WithTimeToLive(100.Ms())).ToStream().To("out");
            builder.Stream<string, string>("clock").Process(() => new Nothing(), named: null, stores: null, "count");
        });
        lab.Pipe("in", "k", "v", 1000);
        lab.Pipe("clock", "c", "v", 2000);
        Assert.Equal("k=1@1000 k=null@1100", lab.Out<long>());
    }

    [Fact]
    public void Record_that_is_over_at_once_is_dropped_unless_its_aggregate_lives()
    {
        using var lab = Counting();
        lab.Pipe("in", "alive", "v", 1000);
        lab.Pipe("in", "k", "v", 900);
        lab.Pipe("in", "alive", "v", 500);
        lab.Pipe("in", "k", "v", 901);
        Assert.Equal("alive=1@1000 alive=2@1000 k=1@901", lab.Out<long>());
        Assert.Equal("k=v,Expired,-,1000,count,in-0:1@900", lab.Out("dropped"));
        Assert.Equal(1, lab.Driver.DroppedRecordsBecause(DropReason.Expired));
    }

    [Fact]
    public void Reduce_aggregate_and_top_expire_too()
    {
        using var lab = new Lab(builder =>
        {
            var grouped = builder.Stream<string, string>("in").GroupByKey();
            var life = new Materialized<string, string>().WithTimeToLive(100.Ms());
            grouped.Reduce((one, next) => one + next, life).ToStream().To("reduce");
            grouped.Aggregate(() => "", (_, value, all) => all + value, life).ToStream().To("aggregate");
            grouped.TopN(2, value => value.Length, new Materialized<string, IReadOnlyList<string>>().WithTimeToLive(100.Ms())).MapValues(top => string.Join("|", top)).ToStream().To("top");
        });
        lab.Pipe("in", "k", "a", 1000);
        lab.Pipe("in", "other", "b", 1200);
        lab.Pipe("in", "k", "c", 1201);
        foreach (var topic in (string[])["reduce", "aggregate", "top"]) Assert.Equal("k=a@1000 k=null@1100 other=b@1200 k=c@1201", lab.Out(topic));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Row_of_a_table_expires_and_one_written_again_lives_on(bool fromTopic)
    {
        using var lab = new Lab(builder =>
        {
            var life = Materialized.As("table").WithTimeToLive(100.Ms());
            var table = fromTopic ? builder.Table<string, string>("in", materialized: life) : builder.Stream<string, string>("in").ToTable(life);
            table.ToStream().To("out");
        });
        lab.Pipe("in", "k", "a", 1000);
        lab.Pipe("in", "l", "a", 1000);
        lab.Pipe("in", "k", "b", 1090);
        lab.Pipe("in", "m", "a", 1110);
        Assert.Equal("k=a@1000 l=a@1000 k=b@1090 l=null@1100 m=a@1110", lab.Out());
        lab.Pipe("in", "m", null, 1120);
        lab.Pipe("in", "n", "old", 1000);
        lab.Pipe("in", "k", "older", 1050);
        lab.Pipe("in", "o", "a", 1155);
        lab.Pipe("in", "p", "a", 1300);
        Assert.Equal("m=null@1120 k=older@1050 k=null@1150 o=a@1155 o=null@1255 p=a@1300", lab.Out());
        Assert.Equal(1, lab.Driver.DroppedRecordsBecause(DropReason.Expired));
    }

    [Fact]
    public void Join_does_not_see_a_row_that_is_over_even_before_it_is_deleted()
    {
        using var lab = new Lab(builder =>
        {
            var table = builder.Table<string, string>("table", materialized: Materialized.As("t").WithTimeToLive(100.Ms()));
            builder.Stream<string, string>("in").LeftJoin(table, (one, other) => one + (other ?? "-")).To("out");
        });
        lab.Pipe("table", "k", "row", 1000);
        lab.Pipe("in", "k", "a", 1099);
        lab.Pipe("in", "k", "b", 1100);
        Assert.Equal("k=arow@1099 k=b-@1100", lab.Out());
    }

    [Fact]
    public void By_the_wall_clock_rows_expire_without_records_and_old_timestamps_do_not_matter()
    {
        using var lab = Counting(TtlBasis.WallClockTime);
        lab.Pipe("in", "k", "v", 1000);
        lab.Pipe("in", "old", "v", 1);
        lab.Advance(60);
        lab.Pipe("in", "old", "v", 2);
        lab.Out<long>();
        lab.Advance(40);
        Assert.Equal("k=null@1000", lab.Out<long>());
        lab.Advance(59);
        Assert.Equal("", lab.Out<long>());
        lab.Advance(11);
        Assert.Equal("old=null@1000", lab.Out<long>());
        lab.Pipe("in", "old", "v", 3);
        Assert.Equal("old=1@3", lab.Out<long>());
    }

    [Theory]
    [InlineData(TtlBasis.EventTime, StoreType.InMemory)]
    [InlineData(TtlBasis.EventTime, StoreType.RocksDb)]
    [InlineData(TtlBasis.WallClockTime, StoreType.InMemory)]
    [InlineData(TtlBasis.WallClockTime, StoreType.RocksDb)]
    public void Rows_expire_after_a_restart(TtlBasis basis, StoreType stores)
    {
        using var lab = Counting(basis, stores);
        lab.Pipe("in", "k", "v", 1000);
        lab.Driver.Restart();
        if (basis == TtlBasis.WallClockTime) lab.Advance(100);
        else lab.Pipe("in", "other", "v", 1100);
        Assert.StartsWith(basis == TtlBasis.WallClockTime ? "k=1@1000 k=null@1000" : "k=1@1000 k=null@1100", lab.Out<long>(), StringComparison.Ordinal);
    }

    [Fact]
    public void Deletion_comes_through_the_cache_with_its_own_time()
    {
        using var lab = new Lab(
            builder => builder.Stream<string, string>("in").GroupByKey().Count(Materialized.As("count").WithTimeToLive(100.Ms())).ToStream().To("out"), cacheBytes: 1_000_000, commitEachRecord: false);
        lab.Pipe("in", "k", "v", 1000);
        lab.Driver.Commit();
        lab.Pipe("in", "other", "v", 1500);
        lab.Driver.Commit();
        Assert.Equal("k=1@1000 k=null@1100 other=1@1500", lab.Out<long>());
    }

    [Fact]
    public void Subtracting_from_a_group_of_expired_rows_is_right()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .ToTable(Materialized.As("rows").WithTimeToLive(100.Ms()))
            .GroupBy((_, value) => KeyValuePair.Create(value, value), Grouped.With(Serdes.String, Serdes.String))
            .Count()
            .ToStream()
            .To("out"));
        lab.Pipe("in", "a", "x", 1000);
        lab.Pipe("in", "b", "x", 1050);
        lab.Pipe("in", "c", "y", 1120);
        Assert.Equal("x=1@1000 x=2@1050 x=1@1100 y=1@1120", lab.Out<long>());
    }

    /// <summary>More than one record and one punctuation may work off, so it takes several; none is lost, and none is seen meanwhile.</summary>
    [Fact]
    public void Many_rows_expire_in_steps_and_are_gone_for_their_operator_at_once()
    {
        using var lab = Counting();
        var rows = RowExpiry<string, long>.MaxPerPunctuation + (2 * RowExpiry<string, long>.MaxPerRecord);
        var input = lab.Driver.CreateInputTopic<string, string>("in");
        for (var row = 0; row < rows; row++) input.PipeInput($"k{row:D6}", "v", 1000 + (row / 1000));
        lab.Out<long>();
        lab.Pipe("in", $"k{rows - 1:D6}", "v", 5000);
        var first = lab.Out<long>().Split(' ');
        Assert.Equal($"k{rows - 1:D6}=1@5000", first.Single(result => !result.Contains("null", StringComparison.Ordinal)));
        Assert.InRange(first.Length, 1_000, rows - 1);
        lab.Pipe("in", "last", "v", 6000);
        var second = lab.Out<long>().Split(' ');
        Assert.Equal(rows + 3, first.Length + second.Length);
        Assert.Equal(rows, first.Concat(second).Count(result => result.Contains("=null@", StringComparison.Ordinal) && result.StartsWith('k')) - 1);
    }

    [Fact]
    public void Index_keeps_no_more_than_it_needs()
    {
        using var lab = Counting();
        for (var time = 1000; time < 3000; time++) lab.Pipe("in", "k", "v", time);
        lab.Pipe("in", "other", "v", 10_000);
        var index = lab.Driver.GetKeyValueStore<byte[], byte[]>("counts-ttl");
        using var entries = index.All();
        Assert.Single(entries.AsEnumerable());
    }

    [Fact]
    public void Where_rows_cannot_expire_it_is_refused()
    {
        var builder = new StreamsBuilder();
        var stream = builder.Stream<string, string>("in");
        var life = Materialized.As("store").WithTimeToLive(100.Ms());
        Assert.Throws<TopologyException>(() => stream.GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).Count(life));
        Assert.Throws<TopologyException>(() => stream.GroupByKey().WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(10.Ms())).Count(life));
        Assert.Throws<TopologyException>(() => builder.Table<string, string>("table").Filter((_, _) => true, life));
        Assert.Throws<TopologyException>(() => builder.Table<string, string>("table2").Filter((_, _) => true, new Materialized<string, string>().WithTimeToLive(1.Ms())));
        Assert.Throws<TopologyException>(() => builder.Table<string, string>("table3").GroupBy((key, value) => KeyValuePair.Create(value, key)).Count(life));
        Assert.Throws<TopologyException>(() => stream.GroupByKey().Cogroup<string>((_, value, all) => all + value).Aggregate(() => "", life));
        Assert.Throws<ArgumentOutOfRangeException>(() => life.WithTimeToLive(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => life.WithTimeToLive(1.Ms(), (TtlBasis)9));
        var versioned = new StreamsBuilder();
        Assert.Throws<TopologyException>(() =>
        {
            versioned.Table<string, string>("in", materialized: Materialized.As("v").WithHistoryRetention(1000.Ms()).WithTimeToLive(1.Ms()));
            versioned.Build();
        });
    }

    [Fact]
    public void Topic_of_a_table_is_not_its_changelog_when_rows_expire()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { Optimization = TopologyOptimization.All, DefaultStoreType = StoreType.InMemory });
        builder.Table<string, string>("in", materialized: Materialized.As("rows").WithTimeToLive(100.Ms())).ToStream().To("out");
        using var driver = new Streams.Testing.TopologyTestDriver(builder.Build());
        var input = driver.CreateInputTopic<string, string>("in");
        input.PipeInput("k", "v", 1000);
        input.PipeInput("other", "v", 1200);
        driver.Restart();
        using var rows = driver.GetKeyValueStore<string, string>("rows").All();
        Assert.Equal(["other"], rows.AsEnumerable().Select(row => row.Key));
    }

    /// <summary>Counts per key against a dictionary from which the test deletes what is over, with restarts and a cache in between.</summary>
    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(34)]
    public void Random_records_leave_the_rows_that_a_naive_model_has(int seed)
    {
        var random = new Random(seed);
        var basis = random.Next(2) == 0 ? TtlBasis.EventTime : TtlBasis.WallClockTime;
        using var lab = Counting(basis, random.Next(2) == 0 ? StoreType.InMemory : StoreType.RocksDb, random.Next(2) * 1_000_000);
        var model = new Dictionary<string, (long Count, long Timestamp, long Due)>();
        var (streamTime, wallClock) = (0L, 0L);
        for (var step = 0; step < 400; step++)
        {
            if (random.Next(100) == 0) lab.Driver.Restart();
            if (random.Next(3) == 0)
            {
                var by = random.Next(60);
                lab.Advance(by);
                wallClock += by;
            }

            var key = "k" + random.Next(8);
            var time = Math.Max(0, streamTime + random.Next(-150, 40));
            streamTime = Math.Max(streamTime, time);
            lab.Pipe("in", key, "v", time);
            var now = basis == TtlBasis.EventTime ? streamTime : wallClock;
            foreach (var over in model.Where(row => row.Value.Due <= now).Select(row => row.Key).ToList()) model.Remove(over);
            var had = model.TryGetValue(key, out var row);
            if (!had && basis == TtlBasis.EventTime && time + 100 <= now) continue;
            var timestamp = had ? Math.Max(row.Timestamp, time) : time;
            model[key] = (row.Count + 1, timestamp, (basis == TtlBasis.EventTime ? timestamp : now) + 100);
        }

        using var rows = lab.Driver.GetTimestampedKeyValueStore<string, long>("counts").All();
        Assert.Equal(
            model.OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => (row.Key, row.Value.Count, row.Value.Timestamp)),
            rows.AsEnumerable().OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => (row.Key, row.Value.Value, row.Value.Timestamp)));
    }

    private static Lab Counting(TtlBasis basis = TtlBasis.EventTime, StoreType stores = StoreType.InMemory, long cacheBytes = 0) => new(
        builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WithDropped(dropped => dropped.ToTopic())
            .Count(Materialized.As("counts").WithTimeToLive(100.Ms(), basis), "count")
            .ToStream()
            .To("out"),
        stores: stores,
        cacheBytes: cacheBytes);

    private sealed class Nothing : Processor<string, string>
    {
        public override void Process(in Record<string, string> record)
        {
        }
    }
}
