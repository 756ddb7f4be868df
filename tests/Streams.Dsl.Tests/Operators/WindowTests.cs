using Xunit;

namespace Streams.Dsl.Tests.Operators;

public sealed class TimeWindowTests
{
    /// <summary>E-20.</summary>
    [Theory]
    [InlineData(0, "0/10")]
    [InlineData(7, "0/10 5/15")]
    [InlineData(12, "5/15 10/20")]
    public void Record_counts_in_each_window_that_it_is_in(long timestamp, string windows)
    {
        using var test = Hopping(TimeSpan.FromMilliseconds(100));
        Assert.Equal(windows.Split(' ').Select(window => $"a@{window}=1@{timestamp}"), test.Pipe("a", "x", timestamp).Out<string, long>());
    }

    /// <summary>E-22 and E-23: the windows that have closed are skipped one by one.</summary>
    [Fact]
    public void Late_record_counts_only_in_windows_that_are_open()
    {
        using var test = Hopping(TimeSpan.Zero);
        test.Pipe("a", "x", 12).Out<string, long>();
        Assert.Equal(["a@5/15=2@12"], test.Pipe("a", "x", 7).Out<string, long>());
        Assert.Equal(1, test.Driver.DroppedRecords);
    }

    /// <summary>E-133.</summary>
    [Fact]
    public void Time_near_its_end_neither_wraps_nor_hangs()
    {
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(5)).AdvanceBy(TimeSpan.FromMilliseconds(3)))
            .Count(Materialized.As(StoreType.InMemory)).ToStream(key => $"{key}").To("out"));
        test.Pipe("a", "x", long.MaxValue - 1);
        Assert.All(test.Out<string, long>(), record => Assert.Contains("=1@", record, StringComparison.Ordinal));
    }

    [Fact]
    public void Retention_shorter_than_size_and_grace_is_refused_with_both_numbers()
    {
        var windows = new StreamsBuilder().Stream<string, string>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5)));
        var failure = Assert.Throws<ArgumentException>(() => windows.Count(Materialized.As("w").WithRetention(TimeSpan.FromSeconds(14))));
        Assert.Contains("14000", failure.Message, StringComparison.Ordinal);
        Assert.Contains("15000", failure.Message, StringComparison.Ordinal);
    }

    private static DslTest Hopping(TimeSpan grace) => DslTest.Of(builder => builder.Stream<string, string>("in").GroupByKey()
        .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromMilliseconds(10), grace).AdvanceBy(TimeSpan.FromMilliseconds(5)))
        .Count().ToStream(key => $"{key.Key}@{key.Window}").To("out"));
}

public sealed class SlidingWindowTests
{
    /// <summary>E-30 against the definition: for every record the window that ends with it, and behind every record the one that begins there.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Windows_hold_exactly_their_records_whatever_the_order(int seed)
    {
        const long Difference = 10;
        var random = new Random(seed);
        var times = Enumerable.Range(0, 40).Select(_ => (long)random.Next(0, 120)).ToList();
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SlidingWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(Difference), TimeSpan.FromHours(1)))
            .Count(Materialized.As("w")).ToStream(key => key.Window.ToString()).To("out"));
        foreach (var time in times) test.Pipe("a", "x", time);

        var actual = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var record in test.Driver.CreateOutputTopic<string, long>("out").ReadRecordsToList()) actual[record.Key] = record.Value;

        var expected = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var starts = times.Select(time => Math.Max(0, time - Difference)).Concat(times.Select(time => time + 1)).Distinct();
        foreach (var start in starts)
        {
            var count = times.Count(time => time >= start && time <= start + Difference);
            var isRightOfEarly = start > 0 && times.TrueForAll(time => time + 1 != start) && !times.Contains(start + Difference);
            if (count > 0 && !isRightOfEarly) expected[$"{start}/{start + Difference}"] = count;
        }

        Assert.True(expected.SequenceEqual(actual), $"seed {seed}:\nexpected {string.Join(' ', expected)}\nactual   {string.Join(' ', actual)}");
    }
}

public sealed class SessionWindowTests
{
    /// <summary>E-41.</summary>
    [Fact]
    public void Record_between_two_sessions_joins_them()
    {
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapAndGrace(TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(1)))
            .Aggregate(() => "i", (_, value, sum) => $"{sum}{value}", (_, one, other) => $"({one}|{other})").ToStream(key => key.Window.ToString()).To("out"));
        test.Pipe("k", "a", 0).Pipe("k", "b", 10).Out();
        Assert.Equal(["0/0=-@0", "10/10=-@10", "0/10=((i|ia)|ib)c@10"], test.Pipe("k", "c", 5).Out());
    }

    /// <summary>E-40 and E-43.</summary>
    [Fact]
    public void Late_record_counts_if_it_touches_an_open_session()
    {
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMilliseconds(5))).Count().ToStream(key => key.Window.ToString()).To("out"));
        test.Pipe("k", "x", 10).Pipe("other", "x", 14).Out<string, long>();
        Assert.Equal(["10/10=-@10", "6/10=2@10"], test.Pipe("k", "x", 6).Out<string, long>());
        test.Pipe("k", "x", 0);
        Assert.Equal(1, test.Driver.DroppedRecords);
    }
}

public sealed class SuppressTests
{
    /// <summary>E-50 and E-51.</summary>
    [Fact]
    public void Window_is_given_once_when_it_has_closed()
    {
        using var test = DslTest.Of(builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(2))).Count()
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded())).ToStream(key => $"{key.Key}@{key.Window}").To("out"));
        Assert.Empty(test.Pipe("a", "x", 1).Pipe("a", "x", 5).Pipe("b", "x", 11).Out<string, long>());
        Assert.Equal(["a@0/10=2@5"], test.Pipe("b", "x", 12).Out<string, long>());
    }

    /// <summary>E-55.</summary>
    [Fact]
    public void Time_limit_starts_with_the_first_update_and_gives_the_last()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("in")
            .Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromMilliseconds(5), BufferConfig.Unbounded())).ToStream().To("out"));
        Assert.Empty(test.Pipe("k", "a", 0).Pipe("k", "b", 4).Out());
        Assert.Equal(["k=b@4"], test.Pipe("other", "x", 5).Out());
    }

    /// <summary>E-53.</summary>
    [Fact]
    public void Full_buffer_that_is_to_shut_down_stops_with_the_numbers()
    {
        using var test = DslTest.Of(builder => builder.Table<string, string>("in")
            .Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromSeconds(5), BufferConfig.MaxRecords(1).ShutDownWhenFull()).WithName("held")).ToStream().To("out"));
        test.Pipe("a", "x");
        var failure = Record.Exception(() => test.Pipe("b", "x"));
        Assert.Contains("'held' holds 2 of at most 1", failure!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>E-54.</summary>
    [Fact]
    public void Waiting_for_windows_needs_windows()
    {
        var table = new StreamsBuilder().Table<string, string>("in");
        Assert.Throws<TopologyException>(() => table.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded())));
        var windowed = new StreamsBuilder().Table("in", Consumed.With(WindowedSerdes.TimeWindowed(Serdes.String, 10), Serdes.String));
        Assert.Contains("no windowed aggregation upstream",
            Assert.Throws<TopologyException>(() => windowed.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Suppressed.UntilWindowCloses(BufferConfig.MaxRecords(5)));
    }
}

public sealed class StreamJoinTests
{
    /// <summary>E-60.</summary>
    [Fact]
    public void Window_includes_both_edges_and_the_result_is_from_the_later_record()
    {
        using var test = Join((left, right, windows) => left.Join(right, (one, other) => one + other, windows));
        test.Pipe("k", "l", 0, "l").Pipe("k", "r", 10, "r").Pipe("k", "s", 11, "r");
        Assert.Equal(["k=lr@10"], test.Out());
    }

    /// <summary>E-61.</summary>
    [Fact]
    public void Left_record_without_partner_is_given_when_window_and_grace_have_passed()
    {
        using var test = Join((left, right, windows) => left.LeftJoin(right, (one, other) => one + (other ?? "none"), windows));
        test.Pipe("k", "l", 0, "l").Pipe("other", "r", 15, "r");
        Assert.Empty(test.Out());
        Assert.Equal(["k=lnone@0"], test.Pipe("other", "r", 16, "r").Out());
    }

    /// <summary>E-62.</summary>
    [Fact]
    public void Partner_within_grace_makes_the_joined_result_only()
    {
        using var test = Join((left, right, windows) => left.LeftJoin(right, (one, other) => one + (other ?? "none"), windows));
        test.Pipe("k", "l", 0, "l").Pipe("other", "r", 14, "r").Pipe("k", "r", 9, "r");
        Assert.Equal(["k=lr@9"], test.Out());
        Assert.Empty(test.Pipe("other", "r", 100, "r").Out());
    }

    /// <summary>E-68.</summary>
    [Theory]
    [InlineData(TopologyOptimization.None)]
    [InlineData(TopologyOptimization.SingleStoreSelfJoin)]
    public void Stream_joined_with_itself_gives_each_pair_both_ways(TopologyOptimization optimization)
    {
        using var test = DslTest.Of(
            builder =>
            {
                var stream = builder.Stream<string, string>("in");
                stream.Join(stream, (one, other) => one + other, JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromMilliseconds(10))).To("out");
            },
            new StreamsBuilderOptions { Optimization = optimization });
        test.Pipe("k", "a", 0).Pipe("k", "b", 5).Pipe("k", "c", 3);
        Assert.Equal(["k=aa@0", "k=ba@5", "k=ab@5", "k=bb@5", "k=ca@3", "k=cb@5", "k=ac@3", "k=cc@3", "k=bc@5"], test.Out());
    }

    [Fact]
    public void Missing_structs_are_null()
    {
        using var test = DslTest.Of(builder => builder.Stream<string, long>("l").OuterJoin(
            builder.Stream<string, long>("r"),
            (left, right) => $"{(left is null ? "none" : "some")}+{(right is null ? "none" : "some")}",
            JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromMilliseconds(10))).To("out"));
        test.Put("k", 0, 0, "l").Put("m", 0, 0, "r").Put("z", 0, 50, "l");
        Assert.Equal(["m=none+some@0", "k=some+none@0"], test.Out());
    }

    private static DslTest Join(Func<KStream<string, string>, KStream<string, string>, JoinWindows, KStream<string, string>> join) => DslTest.Of(builder =>
        join(
            builder.Stream<string, string>("l"),
            builder.Stream<string, string>("r"),
            JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(5))).To("out"));
}
