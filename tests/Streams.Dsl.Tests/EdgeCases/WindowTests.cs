using Xunit;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Windows, sessions and suppression at their edges: E-20 to E-56.</summary>
public sealed class WindowTests
{
    /// <summary>E-20.</summary>
    [Theory]
    [InlineData(0, "k[0,10]=1@0")]
    [InlineData(7, "k[0,10]=1@7 k[5,15]=1@7")]
    [InlineData(12, "k[5,15]=1@12 k[10,20]=1@12")]
    public void Hopping_windows_that_hold_a_time(long timestamp, string expected)
    {
        using var lab = Counting(TimeWindows.OfSizeWithNoGrace(10.Ms()).AdvanceBy(5.Ms()));
        lab.Pipe("in", "k", "v", timestamp);
        Assert.Equal(expected, lab.Out<long>());
    }

    /// <summary>E-21.</summary>
    [Fact]
    public void Without_grace_the_end_of_a_window_closes_it()
    {
        using var lab = Counting(TimeWindows.OfSizeWithNoGrace(10.Ms()));
        lab.Pipe("in", "k", "v", 10);
        lab.Pipe("in", "k", "v", 9);
        Assert.Equal("k[10,20]=1@10", lab.Out<long>());
        Assert.Equal(1, lab.Driver.DroppedRecords);
    }

    /// <summary>E-22.</summary>
    [Fact]
    public void Grace_keeps_a_window_open_until_stream_time_reaches_its_end()
    {
        using var lab = Counting(TimeWindows.OfSizeAndGrace(10.Ms(), 5.Ms()));
        lab.Pipe("in", "other", "v", 14);
        lab.Pipe("in", "k", "v", 9);
        Assert.Equal("other[10,20]=1@14 k[0,10]=1@9", lab.Out<long>());
        lab.Pipe("in", "other", "v", 15);
        lab.Pipe("in", "k", "v", 9);
        Assert.Equal("other[10,20]=2@15", lab.Out<long>());
        Assert.Equal(1, lab.Driver.DroppedRecords);
    }

    /// <summary>E-23.</summary>
    [Fact]
    public void Late_record_is_left_out_of_the_closed_windows_only_and_each_is_counted()
    {
        using var lab = Counting(TimeWindows.OfSizeWithNoGrace(10.Ms()).AdvanceBy(5.Ms()));
        lab.Pipe("in", "other", "v", 12);
        lab.Out<long>();
        lab.Pipe("in", "k", "v", 9);
        Assert.Equal("k[5,15]=1@9", lab.Out<long>());
        Assert.Equal(1, lab.Driver.DroppedRecords);
    }

    /// <summary>E-24.</summary>
    [Fact]
    public void Stream_time_is_of_all_keys_of_the_partition()
    {
        using var lab = Counting(TimeWindows.OfSizeWithNoGrace(10.Ms()));
        lab.Pipe("in", "b", "v", 100);
        lab.Pipe("in", "a", "v", 5);
        Assert.Equal("b[100,110]=1@100", lab.Out<long>());
    }

    /// <summary>E-25: what the processor remembers is gone after a restart, so a late record may be taken again; what the store has expired stays out.</summary>
    [Fact]
    public void Late_record_may_be_taken_after_a_restart()
    {
        using var lab = Counting(TimeWindows.OfSizeWithNoGrace(10.Ms()));
        lab.Pipe("in", "k", "v", 100);
        lab.Out<long>();
        lab.Driver.Restart();
        lab.Pipe("in", "k", "v", 95);
        Assert.Equal("k[90,100]=1@95", lab.Out<long>());
        Assert.Equal(100, lab.Driver.StreamTimeMs());
    }

    /// <summary>E-27.</summary>
    [Fact]
    public void Fetch_bounds_are_window_starts_and_include_both_ends()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()))
            .Count(Materialized.As("windows").WithRetention(1000.Ms())).ToOut());
        foreach (var time in (long[])[5, 15, 25, 35]) lab.Pipe("in", "k", "v", time);
        using var windows = lab.Driver.GetTimestampedWindowStore<string, long>("windows").Fetch("k", 10, 20);
        Assert.Equal([10L, 20], windows.AsEnumerable().Select(entry => entry.Key));
    }

    /// <summary>
    /// With the shortest retention a window is as old as retention when it closes. Kafka's time-ordered store on disk still shows it then, so it is given unless
    /// stream time jumps over the next window; the store in memory does not, and gives nothing, as recorded.
    /// </summary>
    [Theory]
    [InlineData(StoreType.RocksDb, "a[0,10]=1@1 b[10,20]=1@11")]
    [InlineData(StoreType.InMemory, "")]
    public void Window_that_closes_as_its_retention_ends_is_given_from_disk(StoreType storeType, string given)
    {
        using var lab = new Lab(
            builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()))
                .EmitStrategy(EmitStrategy.OnWindowClose).Count(Materialized.As("edge").WithStoreType(storeType)).ToOut(),
            emitInterval: TimeSpan.Zero);
        foreach (var (key, time) in ((string, long)[])[("a", 1), ("b", 11), ("c", 21), ("d", 45)]) lab.Pipe("in", key, "v", time);

        Assert.Equal(given, lab.Out<long>());
    }

    /// <summary>E-28: looks at most once a second by the wall clock; a look that closes nothing counts too. The
    /// store must keep the windows until then: with the shortest retention a closed window may be gone before it is looked for, as recorded.</summary>
    [Fact]
    public void Emit_on_close_looks_once_a_second_and_loses_nothing()
    {
        using var lab = new Lab(
            static builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()))
                .EmitStrategy(EmitStrategy.OnWindowClose).Count(Materialized.As("kept").WithRetention(1000.Ms())).ToOut(),
            emitInterval: TimeSpan.FromSeconds(1));
        lab.Pipe("in", "a", "v", 1);
        lab.Pipe("in", "b", "v", 2);
        lab.Driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        lab.Pipe("in", "c", "v", 11);
        Assert.Equal("a[0,10]=1@1 b[0,10]=1@2", lab.Out<long>());
        lab.Pipe("in", "d", "v", 21);
        Assert.Equal("", lab.Out<long>());
        lab.Driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        lab.Pipe("in", "d", "v", 22);
        Assert.Equal("c[10,20]=1@11", lab.Out<long>());
        lab.Driver.Restart();
        lab.Driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        lab.Pipe("in", "d", "v", 23);
        Assert.Equal("", lab.Out<long>());
    }

    /// <summary>E-30.</summary>
    [Fact]
    public void Sliding_windows_of_two_records()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SlidingWindows.OfTimeDifferenceAndGrace(10.Ms(), 100.Ms())).Count(Materialized.As("windows")).ToOut());
        lab.Pipe("in", "k", "v", 5);
        lab.Pipe("in", "k", "v", 12);
        using var rows = lab.Driver.GetTimestampedWindowStore<string, long>("windows").Fetch("k", 0, 100);
        Assert.Equal([(0L, 1L), (2, 2), (6, 1)], rows.AsEnumerable().Select(entry => (entry.Key, entry.Value.Value)));
    }

    /// <summary>E-30: random and late input against a model that looks at every pair of records.</summary>
    [Fact]
    public void Sliding_windows_hold_what_a_plain_model_says()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var random = new Random(seed);
            using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
                .WindowedBy(SlidingWindows.OfTimeDifferenceAndGrace(10.Ms(), 10_000.Ms())).Count(Materialized.As("windows")).ToOut());
            var times = new List<long>();
            for (var count = random.Next(1, 25); count > 0; count--)
            {
                times.Add(random.Next(0, 60));
                lab.Pipe("in", "k", "v", times[^1]);
            }

            // A window ends at each record (or starts at 0 where it would start before), and one starts behind it if any record is in it.
            var starts = times.Select(time => Math.Max(0, time - 10))
                .Concat(times.Select(time => time + 1).Where(start => times.Any(time => time >= start && time <= start + 10)))
                .Distinct().Order();
            var expected = starts.Select(start => (start, (long)times.Count(time => time >= start && time <= start + 10)));
            using var rows = lab.Driver.GetTimestampedWindowStore<string, long>("windows").Fetch("k", 0, 1000);
            var actual = rows.AsEnumerable().Select(entry => (entry.Key, entry.Value.Value)).ToList();
            Assert.True(expected.SequenceEqual(actual), $"seed {seed}, times {string.Join(",", times)}: expected {string.Join(" ", expected)}, got {string.Join(" ", actual)}");
        }
    }

    /// <summary>E-31.</summary>
    [Fact]
    public void Sliding_windows_drop_what_is_behind_difference_and_grace()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SlidingWindows.OfTimeDifferenceAndGrace(10.Ms(), 5.Ms())).Count().ToOut());
        lab.Pipe("in", "other", "v", 100);
        lab.Out<long>();
        lab.Pipe("in", "k", "v", 84);
        Assert.Equal("", lab.Out<long>());
        Assert.Equal(1, lab.Driver.DroppedRecords);
        lab.Pipe("in", "k", "v", 96);
        Assert.Equal("k[86,96]=1@96", lab.Out<long>());
    }

    /// <summary>E-40.</summary>
    [Theory]
    [InlineData(5, "k[0,0]=null@0 k[0,5]=2@5")]
    [InlineData(6, "k[6,6]=1@6")]
    public void Gap_of_a_session_is_inclusive(long second, string expected)
    {
        using var lab = Sessions(grace: 100);
        lab.Pipe("in", "k", "v", 0);
        lab.Out<long>();
        lab.Pipe("in", "k", "v", second);
        Assert.Equal(expected, lab.Out<long>());
    }

    /// <summary>E-41.</summary>
    [Fact]
    public void Record_between_two_sessions_merges_them_from_the_initializer_in_order()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapAndGrace(5.Ms(), 100.Ms()))
            .Aggregate(() => "i", (_, value, all) => all + value, (_, one, other) => $"({one},{other})").ToOut());
        lab.Pipe("in", "k", "a", 0);
        lab.Pipe("in", "k", "b", 10);
        lab.Out();
        lab.Pipe("in", "k", "c", 5);
        Assert.Equal("k[0,0]=null@0 k[10,10]=null@10 k[0,10]=((i,ia),ib)c@10", lab.Out());
    }

    /// <summary>E-42.</summary>
    [Fact]
    public void Second_record_at_the_same_time_updates_the_same_session()
    {
        using var lab = Sessions(grace: 0);
        lab.Pipe("in", "k", "v", 3);
        lab.Out<long>();
        lab.Pipe("in", "k", "v", 3);
        Assert.EndsWith("k[3,3]=2@3", lab.Out<long>(), StringComparison.Ordinal);
    }

    /// <summary>E-42b.</summary>
    [Fact]
    public void Record_inside_a_session_removes_it_and_puts_it_again()
    {
        using var lab = Sessions(grace: 100);
        lab.Pipe("in", "k", "v", 0);
        lab.Pipe("in", "k", "v", 5);
        lab.Out<long>();
        lab.Pipe("in", "k", "v", 3);
        Assert.Equal("k[0,5]=null@5 k[0,5]=3@5", lab.Out<long>());
    }

    /// <summary>E-43, E-44.</summary>
    [Fact]
    public void Late_record_joins_a_session_that_is_open_and_is_dropped_where_it_would_make_one_that_is_closed()
    {
        using var lab = Sessions(grace: 0);
        lab.Pipe("in", "k", "v", 10);
        lab.Pipe("in", "other", "v", 14);
        lab.Out<long>();
        lab.Pipe("in", "k", "v", 6);
        Assert.Equal("k[10,10]=null@10 k[6,10]=2@10", lab.Out<long>());
        lab.Pipe("in", "new", "v", 8);
        Assert.Equal("", lab.Out<long>());
        Assert.Equal(1, lab.Driver.DroppedRecords);
        lab.Pipe("in", "new", "v", 9);
        Assert.Equal("new[9,9]=1@9", lab.Out<long>());
    }

    /// <summary>E-50, E-51.</summary>
    [Fact]
    public void Final_result_comes_once_when_stream_time_reaches_end_and_grace_and_never_without_input()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(10.Ms(), 2.Ms())).Count().Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded())).ToOut());
        lab.Pipe("in", "k", "v", 1);
        lab.Pipe("in", "k", "v", 5);
        lab.Pipe("in", "other", "v", 11);
        lab.Driver.AdvanceWallClockTime(TimeSpan.FromDays(1));
        Assert.Equal("", lab.Out<long>());
        lab.Pipe("in", "other", "v", 12);
        Assert.Equal("k[0,10]=2@5", lab.Out<long>());
        lab.Pipe("in", "other", "v", 13);
        Assert.Equal("", lab.Out<long>());
    }

    /// <summary>E-52.</summary>
    [Fact]
    public void What_is_held_back_is_there_after_a_restart_and_goes_with_its_own_time()
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in")
            .Suppress(Suppressed.UntilTimeLimit(5.Ms(), BufferConfig.Unbounded())).ToStream().To("out"));
        lab.Pipe("in", "k", "v", 1);
        lab.Driver.Restart();
        lab.Pipe("in", "other", "v", 5);
        Assert.Equal("", lab.Out());
        lab.Pipe("in", "other", "v", 6);
        Assert.Equal("k=v@1", lab.Out());
    }

    /// <summary>E-53.</summary>
    [Fact]
    public void Full_buffer_stops_the_application_or_lets_the_oldest_go()
    {
        using var early = new Lab(static builder => builder.Table<string, string>("in")
            .Suppress(Suppressed.UntilTimeLimit(100.Ms(), BufferConfig.MaxRecords(1).EmitEarlyWhenFull())).ToStream().To("out"));
        early.Pipe("in", "a", "1", 1);
        early.Pipe("in", "b", "2", 2);
        Assert.Equal("a=1@1", early.Out());

        using var strict = new Lab(static builder => builder.Table<string, string>("in")
            .Suppress(Suppressed.UntilTimeLimit(100.Ms(), BufferConfig.MaxRecords(1).ShutDownWhenFull()).WithName("hold")).ToStream().To("out"));
        strict.Pipe("in", "a", "1", 1);
        var failure = Assert.ThrowsAny<StreamsException>(() => strict.Pipe("in", "b", "2", 2));
        Assert.Contains("hold", failure.ToString(), StringComparison.Ordinal);
    }

    /// <summary>E-55.</summary>
    [Fact]
    public void Time_limit_counts_from_the_first_update_and_sends_the_last()
    {
        using var lab = new Lab(static builder => builder.Table<string, string>("in")
            .Suppress(Suppressed.UntilTimeLimit(5.Ms(), BufferConfig.Unbounded())).ToStream().To("out"));
        lab.Pipe("in", "k", "first", 0);
        lab.Pipe("in", "k", "second", 4);
        Assert.Equal("", lab.Out());
        lab.Pipe("in", "other", "v", 5);
        Assert.Equal("k=second@4", lab.Out());
    }

    /// <summary>E-56.</summary>
    [Fact]
    public void Sessions_that_were_merged_away_leave_no_tombstone_behind_a_final_result()
    {
        using var lab = new Lab(static builder => builder.Stream<string, string>("in").GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(5.Ms())).Count().Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded())).ToOut());
        lab.Pipe("in", "k", "v", 0);
        lab.Pipe("in", "k", "v", 5);
        lab.Pipe("in", "other", "v", 50);
        Assert.Equal("k[0,5]=2@5", lab.Out<long>());
    }

    private static Lab Counting(TimeWindows windows) => new(builder => builder.Stream<string, string>("in").GroupByKey().WindowedBy(windows).Count().ToOut());

    private static Lab Sessions(int grace) => new(builder => builder.Stream<string, string>("in").GroupByKey()
        .WindowedBy(SessionWindows.OfInactivityGapAndGrace(5.Ms(), grace.Ms())).Count().ToOut());
}
