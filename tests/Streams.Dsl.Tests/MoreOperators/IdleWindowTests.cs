using Streams.Dsl.Tests.EdgeCases;
using Xunit;

namespace Streams.Dsl.Tests.MoreOperators;

/// <summary>Windows that silence closes.</summary>
public sealed class IdleWindowTests
{
    [Fact]
    public void Silence_closes_the_open_window_and_gives_its_final_result_once()
    {
        using var lab = Tumbling();
        lab.Pipe("in", "k", "a", 3);
        lab.Pipe("in", "k", "b", 4);
        lab.Advance(999);
        Assert.Equal("", lab.Out<long>());
        lab.Advance(1);
        Assert.Equal("k[0,10]=2@4", lab.Out<long>());
        lab.Advance(5000);
        Assert.Equal("", lab.Out<long>());
    }

    [Fact]
    public void Each_record_begins_the_silence_anew()
    {
        using var lab = Tumbling();
        lab.Pipe("in", "k", "a", 3);
        lab.Advance(600);
        lab.Pipe("in", "k", "b", 4);
        lab.Advance(600);
        Assert.Equal("", lab.Out<long>());
        lab.Advance(400);
        Assert.Equal("k[0,10]=2@4", lab.Out<long>());
    }

    [Fact]
    public void Record_for_a_closed_window_is_late_and_a_later_one_opens_the_next()
    {
        using var lab = Tumbling(grace: 100);
        lab.Pipe("in", "k", "a", 3);
        lab.Advance(1000);
        lab.Out<long>();
        lab.Pipe("in", "k", "late", 9);
        lab.Pipe("in", "other", "late", 5);
        lab.Pipe("in", "k", "next", 10);
        lab.Advance(1000);
        Assert.Equal("k[10,20]=1@10", lab.Out<long>());
        Assert.Equal("k=late,Late,0/10,9,count,in-0:1@9 other=late,Late,0/10,9,count,in-0:2@5", lab.Out("dropped"));
    }

    [Fact]
    public void Stream_time_closes_windows_as_ever_while_records_come()
    {
        using var lab = Tumbling(grace: 5);
        lab.Pipe("in", "k", "a", 3);
        lab.Pipe("in", "k", "b", 12);
        Assert.Equal("", lab.Out<long>());
        lab.Pipe("in", "k", "c", 15);
        Assert.Equal("k[0,10]=1@3", lab.Out<long>());
        lab.Advance(1000);
        Assert.Equal("k[10,20]=2@15", lab.Out<long>());
    }

    [Theory]
    [InlineData(StoreType.InMemory)]
    [InlineData(StoreType.RocksDb)]
    public void Windows_open_at_a_restart_close_after_it_and_closed_ones_stay_closed(StoreType stores)
    {
        using var lab = Tumbling(stores: stores);
        lab.Pipe("in", "k", "a", 3);
        lab.Advance(500);
        lab.Driver.Restart();
        lab.Advance(999);
        Assert.Equal("", lab.Out<long>());
        lab.Advance(1);
        Assert.Equal("k[0,10]=1@3", lab.Out<long>());

        // Nothing has been read since the restart, so what is closed has to be committed without a new offset.
        lab.Driver.Restart();
        lab.Advance(5000);
        Assert.Equal("", lab.Out<long>());
        lab.Pipe("in", "k", "late", 9);
        Assert.Equal("k=late,Late,0/10,9,count,in-0:1@9", lab.Out("dropped"));
        lab.Advance(5000);
        Assert.Equal("", lab.Out<long>());
    }

    [Fact]
    public void Hopping_windows_all_close()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()).AdvanceBy(5.Ms()))
            .CloseAfterIdle(1000.Ms())
            .Count()
            .ToOut());
        lab.Pipe("in", "k", "a", 7);
        lab.Advance(1000);
        Assert.Equal("k[0,10]=1@7 k[5,15]=1@7", lab.Out<long>());
        lab.Pipe("in", "k", "late", 14);
        lab.Advance(1000);
        Assert.Equal("k[10,20]=1@14", lab.Out<long>());
    }

    [Fact]
    public void Sliding_windows_close()
    {
        using var lab = new Lab(builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(SlidingWindows.OfTimeDifferenceWithNoGrace(10.Ms()))
            .CloseAfterIdle(1000.Ms())
            .Count()
            .ToOut());
        lab.Pipe("in", "k", "a", 20);
        lab.Pipe("in", "k", "b", 25);
        lab.Advance(1000);
        Assert.Equal("k[10,20]=1@20 k[15,25]=2@25 k[21,31]=1@25", lab.Out<long>());

        // Late for [16,26], which ends before 31 has closed; not for the one that begins behind the record before it.
        lab.Pipe("in", "k", "c", 26);
        lab.Advance(1000);
        Assert.Equal("k[26,36]=1@26", lab.Out<long>());
    }

    [Fact]
    public void Session_closes_and_a_record_behind_it_begins_another_within_the_gap()
    {
        using var lab = Sessions();
        lab.Pipe("in", "k", "a", 10);
        lab.Pipe("in", "k", "b", 15);
        lab.Advance(1000);
        Assert.Equal("k[10,15]=2@15", lab.Out<long>());
        lab.Pipe("in", "k", "late", 12);
        lab.Pipe("in", "k", "c", 16);
        lab.Pipe("in", "k", "d", 20);
        lab.Advance(1000);
        Assert.Equal("k[16,20]=2@20", lab.Out<long>());
        Assert.Equal("k=late,Late,12/12,15,count,in-0:2@12", lab.Out("dropped"));
    }

    [Fact]
    public void Closed_session_stays_closed_over_a_restart()
    {
        using var lab = Sessions();
        lab.Pipe("in", "k", "a", 10);
        lab.Advance(1000);
        lab.Driver.Restart();
        lab.Pipe("in", "k", "late", 10);
        lab.Pipe("in", "k", "b", 12);
        lab.Advance(1000);
        Assert.Equal("k[10,10]=1@10 k[12,12]=1@12", lab.Out<long>());
        Assert.Equal("k=late,Late,10/10,10,count,in-0:1@10", lab.Out("dropped"));
    }

    [Fact]
    public void Window_without_end_and_results_at_updates_are_refused()
    {
        var grouped = new StreamsBuilder().Stream<string, string>("in").GroupByKey();
        Assert.Throws<TopologyException>(() => grouped.WindowedBy(UnlimitedWindows.Of()).CloseAfterIdle(1.Ms()));
        var windows = grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(10.Ms()));
        Assert.Throws<ArgumentOutOfRangeException>(() => windows.CloseAfterIdle(TimeSpan.Zero));
        Assert.Throws<ArgumentException>(() => windows.CloseAfterIdle(1.Ms()).EmitStrategy(EmitStrategy.OnWindowUpdate));
        windows.CloseAfterIdle(1.Ms()).EmitStrategy(EmitStrategy.OnWindowClose);
    }

    /// <summary>Every record is in exactly one final result or dropped, whatever the order of records, silences and restarts.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    public void Random_records_are_in_one_final_result_or_dropped(int seed)
    {
        var random = new Random(seed);
        var grace = random.Next(0, 15).Ms();
        var sessions = random.Next(2) == 0;
        using var lab = new Lab(
            builder =>
            {
                var grouped = builder.Stream<string, string>("in").GroupByKey().WithDropped(dropped => dropped.ToTopic());
                if (sessions) grouped.WindowedBy(SessionWindows.OfInactivityGapAndGrace(4.Ms(), grace)).CloseAfterIdle(1000.Ms()).Count().ToOut();
                else grouped.WindowedBy(TimeWindows.OfSizeAndGrace(10.Ms(), grace)).CloseAfterIdle(1000.Ms()).Count().ToOut();
            },
            emitInterval: random.Next(2000).Ms(),
            stores: random.Next(2) == 0 ? StoreType.InMemory : StoreType.RocksDb);
        var time = 0L;
        var piped = 0;
        for (var step = 0; step < 400; step++)
        {
            switch (random.Next(20))
            {
                case 0: lab.Advance(1000); break;
                case 1: lab.Advance(random.Next(1000)); break;
                case 2: lab.Driver.Restart(); break;
                default:
                    time = random.Next(50) == 0 ? time + random.Next(200_000) : Math.Max(0, time + random.Next(-6, 8));
                    lab.Pipe("in", "k" + random.Next(3), "v", time);
                    piped++;
                    break;
            }
        }

        lab.Advance(1000);
        var results = lab.Out<long>().Split(' ');
        Assert.Equal(results.Length, results.Select(result => result[..result.IndexOf('=', StringComparison.Ordinal)]).Distinct().Count());
        var counted = results.Sum(result => long.Parse(result.Split('=', '@')[1], System.Globalization.CultureInfo.InvariantCulture));
        var dropped = lab.Out("dropped").Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        Assert.Equal(piped, counted + dropped);
    }

    private static Lab Tumbling(int grace = 0, StoreType stores = StoreType.InMemory) => new(
        builder => builder.Stream<string, string>("in")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(10.Ms(), grace.Ms()))
            .WithDropped(dropped => dropped.ToTopic())
            .CloseAfterIdle(1000.Ms())
            .Count(named: "count")
            .ToOut(),
        stores: stores);

    private static Lab Sessions() => new(builder => builder.Stream<string, string>("in")
        .GroupByKey()
        .WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(10.Ms()))
        .WithDropped(dropped => dropped.ToTopic())
        .CloseAfterIdle(1000.Ms())
        .Count(named: "count")
        .ToOut());
}
