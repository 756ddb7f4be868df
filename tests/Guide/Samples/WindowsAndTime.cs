namespace Guide.Samples;

/// <summary>docs/guide/windows-and-time.md.</summary>
public sealed class WindowsAndTime
{
    [Fact]
    public void Tumbling()
    {
        // <snippet tumbling>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("clicks")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5)))
            .Count()
            .ToStream((window, count) => $"{window.Key}@{window.Window.StartMs / 1000}")
            .To("clicks-per-10s");

        using var driver = new TopologyTestDriver(builder.Build());
        var clicks = driver.CreateInputTopic<string, string>("clicks");
        var counts = driver.CreateOutputTopic<string, long>("clicks-per-10s");

        clicks.PipeInput("ann", "a", timestamp: 1_000);
        clicks.PipeInput("ann", "b", timestamp: 9_999);
        clicks.PipeInput("ann", "c", timestamp: 10_000);     // the end belongs to the next window
        clicks.PipeInput("ann", "d", timestamp: 5_000);      // late, within grace
        clicks.PipeInput("ann", "e", timestamp: 15_000);     // stream time 15 s: window 0..10 s is closed now
        clicks.PipeInput("ann", "f", timestamp: 5_000);      // too late: dropped and counted

        Assert.Equal(
            [new("ann@0", 1), new("ann@0", 2), new("ann@10", 1), new("ann@0", 3), new("ann@10", 2)],
            counts.ReadKeyValuesToList());
        Assert.Equal(1, driver.DroppedRecords);
        // </snippet>
    }

    [Fact]
    public void Kinds()
    {
        // <snippet window-kinds>
        var tumbling = TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(5));
        var hopping = TimeWindows.OfSizeAndGrace(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30)).AdvanceBy(TimeSpan.FromMinutes(1));
        var sliding = SlidingWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromMinutes(5));
        var sessions = SessionWindows.OfInactivityGapAndGrace(TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1));
        var allTime = UnlimitedWindows.Of();
        // </snippet>

        var builder = new StreamsBuilder();
        var grouped = builder.Stream<string, string>("in").GroupByKey();
        grouped.WindowedBy(tumbling).Count().ToStream().To("tumbling");
        grouped.WindowedBy(hopping).Count().ToStream().To("hopping");
        grouped.WindowedBy(sliding).Count().ToStream().To("sliding");
        grouped.WindowedBy(sessions).Count().ToStream().To("sessions");
        grouped.WindowedBy(allTime).Count().ToStream().To("all");
        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "v", timestamp: 600_000);

        Assert.Equal(1, Updates("tumbling"));
        Assert.Equal(5, Updates("hopping"));
        Assert.Equal(1, Updates("sliding"));
        Assert.Equal(1, Updates("sessions"));
        Assert.Equal(1, Updates("all"));

        int Updates(string topic) => driver.CreateOutputTopic(topic, Serdes.ByteArray, Serdes.Int64).ReadRecordsToList().Count;
    }

    [Fact]
    public void Sessions_merge()
    {
        // <snippet sessions>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("clicks")
            .GroupByKey()
            .WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromSeconds(10)))
            .Count()
            .ToStream(window => $"{window.Key} {window.Window.StartMs}-{window.Window.EndMs}")
            .To("sessions");

        using var driver = new TopologyTestDriver(builder.Build());
        var clicks = driver.CreateInputTopic<string, string>("clicks");
        clicks.PipeInput("ann", "a", timestamp: 0);
        clicks.PipeInput("ann", "b", timestamp: 8_000);      // within the gap: one session of two, the session 0-0 is deleted

        var sessions = driver.CreateOutputTopic<string, long>("sessions").ReadRecordsToList();
        Assert.Equal("ann 0-0", sessions[0].Key);
        Assert.Equal(("ann 0-0", false), (sessions[1].Key, sessions[1].HasValue));
        Assert.Equal(("ann 0-8000", 2L), (sessions[2].Key, sessions[2].Value));
        // </snippet>
    }

    [Fact]
    public void Final_results_only()
    {
        // <snippet emit-on-close>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("clicks")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(10)))
            .EmitStrategy(EmitStrategy.OnWindowClose)
            .Count(Materialized.As("clicks-store").WithRetention(TimeSpan.FromHours(1)))
            .ToStream((window, _) => window.Key)
            .To("final-counts");

        using var driver = new TopologyTestDriver(builder.Build());
        var clicks = driver.CreateInputTopic<string, string>("clicks");
        var counts = driver.CreateOutputTopic<string, long>("final-counts");

        clicks.PipeInput("ann", "a", timestamp: 1_000);
        clicks.PipeInput("ann", "b", timestamp: 2_000);
        Assert.True(counts.IsEmpty);

        driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        clicks.PipeInput("bob", "c", timestamp: 10_000);     // moves stream time to the end of ann's window
        Assert.Equal([new("ann", 2)], counts.ReadKeyValuesToList());
        // </snippet>
    }

    [Fact]
    public void Time_from_the_record()
    {
        // <snippet timestamp-extractor>
        var builder = new StreamsBuilder();
        builder.Stream("readings", Consumed.With(Serdes.String, Serdes.String)
                .WithTimestampExtractor((in Record<string, string> record, long partitionTime) =>
                    long.TryParse(record.Value.Split(';')[0], out var ms) ? ms : partitionTime))
            .To("readings-out");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var readings = driver.CreateInputTopic<string, string>("readings");
        readings.PipeInput("k", "5000;21.5");
        readings.PipeInput("k", "?;22");
        Assert.Equal([5000L, 5000L], driver.CreateOutputTopic<string, string>("readings-out").ReadRecordsToList().Select(record => record.Timestamp!.Value));
    }
}
