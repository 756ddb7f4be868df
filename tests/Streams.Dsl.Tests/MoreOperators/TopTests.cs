using Streams.Dsl.Tests.EdgeCases;
using Streams.Dsl.Top;
using Xunit;

namespace Streams.Dsl.Tests.MoreOperators;

/// <summary>The highest of each group. A value here is <c>name:score</c>.</summary>
public sealed class TopTests
{
    [Fact]
    public void Stream_keeps_the_highest_and_of_equals_the_first()
    {
        using var lab = new Lab(builder => Joined(builder.Stream<string, string>("in").GroupByKey().TopN(3, ScoreOf, Materialized.As("top"))).To("out"));
        foreach (var (value, time) in (ReadOnlySpan<(string, long)>)[("a:5", 1), ("b:7", 2), ("c:5", 3), ("d:5", 4), ("e:1", 5), ("f:9", 3)]) lab.Pipe("in", "k", value, time);
        Assert.Equal("k=a:5@1 k=b:7|a:5@2 k=b:7|a:5|c:5@3 k=f:9|b:7|a:5@3", lab.Out());
    }

    [Fact]
    public void Stream_drops_records_without_key_or_value()
    {
        using var lab = new Lab(builder => Joined(builder.Stream<string, string>("in").GroupByKey().WithDropped(dropped => dropped.ToTopic()).TopN(1, ScoreOf, named: "top")).To("out"));
        lab.Pipe("in", null, "a:1", 1);
        lab.Pipe("in", "k", null, 2);
        Assert.Equal("null=a:1,AbsentKey,-,1,top,in-0:0@1 k=-,AbsentValue,-,2,top,in-0:1@2", lab.Out("dropped"));
    }

    [Fact]
    public void Table_lets_the_next_in_when_a_row_falls_moves_or_goes()
    {
        using var lab = Table(2);
        lab.Pipe("in", "1", "x/a:5", 1);
        lab.Pipe("in", "2", "x/b:7", 2);
        lab.Pipe("in", "3", "x/c:6", 3);
        Assert.Equal("x=a:5@1 x=b:7|a:5@2 x=b:7|c:6@3", lab.Out());
        lab.Pipe("in", "2", "x/b:1", 4);
        Assert.Equal("x=c:6|a:5@4", lab.Out());
        lab.Pipe("in", "3", "y/c:6", 5);
        Assert.Equal("x=a:5|b:1@5 y=c:6@5", lab.Out());
        lab.Pipe("in", "1", null, 6);
        lab.Pipe("in", "3", null, 7);
        Assert.Equal("x=b:1@6 y=null@7", lab.Out());
    }

    [Fact]
    public void Table_is_silent_about_rows_that_are_not_among_the_first()
    {
        using var lab = Table(1);
        lab.Pipe("in", "1", "x/a:5", 1);
        lab.Pipe("in", "2", "x/b:3", 2);
        lab.Pipe("in", "2", "x/b:4", 3);
        lab.Pipe("in", "2", null, 4);
        Assert.Equal("x=a:5@1", lab.Out());
    }

    [Fact]
    public void Equal_rows_of_a_table_count_each_and_ties_go_by_bytes()
    {
        using var lab = Table(3);
        lab.Pipe("in", "1", "x/b:5", 1);
        lab.Pipe("in", "2", "x/b:5", 2);
        lab.Pipe("in", "3", "x/a:5", 3);
        lab.Pipe("in", "1", null, 4);
        Assert.Equal("x=b:5@1 x=b:5|b:5@2 x=a:5|b:5|b:5@3 x=a:5|b:5@4", lab.Out());
    }

    [Fact]
    public void Windows_and_sessions_have_their_own()
    {
        using var lab = new Lab(builder =>
        {
            var grouped = builder.Stream<string, string>("in").GroupByKey();
            grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms())).TopN(2, ScoreOf).MapValues(Text).ToOut();
            grouped.WindowedBy(SessionWindows.OfInactivityGapAndGrace(5.Ms(), 100.Ms())).TopN(2, ScoreOf).MapValues(Text)
                .ToStream(static session => $"{session.Key}[{session.Window.StartMs},{session.Window.EndMs}]").To("sessions");
        });
        lab.Pipe("in", "k", "a:1", 10);
        lab.Pipe("in", "k", "b:3", 17);
        lab.Pipe("in", "k", null, 18);
        lab.Pipe("in", "k", "c:2", 14);
        Assert.Equal("k[10,20]=a:1@10 k[10,20]=b:3|a:1@17 k[10,20]=b:3|c:2@17", lab.Out());
        Assert.EndsWith("k[10,17]=b:3|c:2@17", lab.Out("sessions"), StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_may_be_of_any_numeric_type()
    {
        using var lab = new Lab(builder =>
        {
            var grouped = builder.Stream<string, string>("in").GroupByKey();
            Joined(grouped.TopN(2, static value => value.Length)).To("by-int");
            Joined(grouped.TopN(2, static value => -(value.Length / 2.0))).To("by-double");
        });
        foreach (var value in (string[])["aa", "b", "cccc"]) lab.Pipe("in", "k", value, 0);
        Assert.EndsWith("k=cccc|aa@0", lab.Out("by-int"), StringComparison.Ordinal);
        Assert.EndsWith("k=b|aa@0", lab.Out("by-double"), StringComparison.Ordinal);
    }

    [Fact]
    public void Doubles_keep_their_order_as_whole_numbers()
    {
        double[] sorted = [double.NaN, double.NegativeInfinity, double.MinValue, -1e300, -2, -1.5, -double.Epsilon, 0, double.Epsilon, 1, 1.0000001, 2, double.MaxValue, double.PositiveInfinity];
        for (var index = 1; index < sorted.Length; index++) Assert.True(Score.Of(sorted[index - 1]) < Score.Of(sorted[index]), $"{sorted[index - 1]} and {sorted[index]}");
        Assert.Equal(Score.Of(0.0), Score.Of(-0.0));
    }

    [Fact]
    public void Count_is_bounded()
    {
        var grouped = new StreamsBuilder().Stream<string, string>("in").GroupByKey();
        Assert.Throws<ArgumentOutOfRangeException>(() => grouped.TopN(0, ScoreOf));
        Assert.Throws<ArgumentOutOfRangeException>(() => grouped.TopN(10_001, ScoreOf));
        Assert.Throws<ArgumentNullException>(() => grouped.TopN(1, (Func<string, long>)null!));
    }

    [Fact]
    public void Names_are_those_given()
    {
        var builder = new StreamsBuilder();
        builder.Table<string, string>("in").GroupBy((key, value) => KeyValuePair.Create(value, key), Grouped.As("by-value")).TopN(2, ScoreOf, Materialized.As("best"), "rank");
        var description = builder.Build().Describe().ToString();
        Assert.Contains("Processor: rank (stores: [", description, StringComparison.Ordinal);
        Assert.Contains("best-entries", description, StringComparison.Ordinal);
        Assert.Contains("by-value-repartition", description, StringComparison.Ordinal);
    }

    /// <summary>A table's rows against a dictionary that is sorted anew each time; a mistake on the way shows in the last list of some group.</summary>
    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    [InlineData(24)]
    public void Random_changes_of_a_table_give_what_sorting_gives(int seed)
    {
        var random = new Random(seed);
        var count = random.Next(1, 6);
        using var lab = Table(count, random.Next(2) == 0 ? StoreType.InMemory : StoreType.RocksDb, random.Next(2) * 10_000_000, random.Next(1, 4));
        var rows = new Dictionary<string, (string Group, string Value)>();
        var lists = new Dictionary<string, string>();
        for (var step = 0; step < 300; step++)
        {
            var key = "r" + random.Next(20);
            if (random.Next(100) == 0) lab.Driver.Restart();
            if (random.Next(5) == 0)
            {
                rows.Remove(key);
                lab.Pipe("in", key, null, step);
            }
            else
            {
                rows[key] = ("g" + random.Next(3), $"{(char)('a' + random.Next(4))}:{random.Next(-5, 5)}");
                lab.Pipe("in", key, $"{rows[key].Group}/{rows[key].Value}", step);
            }

            foreach (var result in lab.Out().Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var parts = result.Split('=', '@');
                lists[parts[0]] = parts[1];
            }

            var expected = rows.Values.GroupBy(row => row.Group).ToDictionary(
                group => group.Key,
                group => string.Join("|", group.Select(row => row.Value).OrderByDescending(ScoreOf).ThenBy(value => value, StringComparer.Ordinal).Take(count)));
            foreach (var group in (string[])["g0", "g1", "g2"]) Assert.Equal(expected.GetValueOrDefault(group, "null"), lists.GetValueOrDefault(group, "null"));
        }
    }

    private static Lab Table(int count, StoreType stores = StoreType.InMemory, long cacheBytes = 0, int partitions = 1) => new(
        builder => Joined(builder.Table<string, string>("in")
            .GroupBy((_, value) => KeyValuePair.Create(value.Split('/')[0], value.Split('/')[1]))
            .TopN(count, ScoreOf, Materialized.As("top"))).To("out"),
        stores: stores,
        cacheBytes: cacheBytes,
        partitions: partitions);

    private static KStream<string, string> Joined(KTable<string, IReadOnlyList<string>> table) => table.MapValues(Text).ToStream();

    private static string Text(IReadOnlyList<string> values) => string.Join("|", values);

    private static long ScoreOf(string value) => long.Parse(value.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
}
