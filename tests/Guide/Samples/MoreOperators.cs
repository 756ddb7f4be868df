using System.Globalization;

namespace Guide.Samples;

/// <summary>docs/guide/more-operators.md.</summary>
public sealed class MoreOperators
{
    [Fact]
    public void Duplicates()
    {
        // <snippet deduplicate>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("payments")
            .Deduplicate((_, payment) => payment.Split(' ')[0], TimeSpan.FromMinutes(10), Deduplicated.As("once"))
            .To("payments-once");

        using var driver = new TopologyTestDriver(builder.Build());
        var payments = driver.CreateInputTopic<string, string>("payments");
        payments.PipeInput("ann", "p1 50 EUR", timestamp: 0);
        payments.PipeInput("ann", "p2 70 EUR", timestamp: 60_000);
        payments.PipeInput("ann", "p1 50 EUR", timestamp: 120_000);     // sent again: left out
        payments.PipeInput("ann", "p1 50 EUR", timestamp: 600_000);     // ten minutes after the first: passes again

        Assert.Equal(
            ["p1 50 EUR", "p2 70 EUR", "p1 50 EUR"],
            driver.CreateOutputTopic<string, string>("payments-once").ReadValuesToList());
        // </snippet>
    }

    [Fact]
    public void Dropped()
    {
        // <snippet dropped>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("clicks")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(10)))
            .WithDropped(dropped => dropped
                .MapValues(drop => $"{drop.Value}: {drop.Reason} for {drop.Window} at {drop.StreamTimeMs}, from {drop.Origin!.Value.Topic}@{drop.Origin.Value.Offset}")
                .To("clicks-left-out"))
            .Count()
            .ToStream((window, _) => window.Key)
            .To("clicks-per-10s");

        using var driver = new TopologyTestDriver(builder.Build());
        var clicks = driver.CreateInputTopic<string, string>("clicks");
        clicks.PipeInput("ann", "first", timestamp: 12_000);
        clicks.PipeInput("ann", "second", timestamp: 9_000);

        Assert.Equal(
            ["second: Late for 0/10000 at 12000, from clicks@1"],
            driver.CreateOutputTopic<string, string>("clicks-left-out").ReadValuesToList());
        // </snippet>
    }

    [Fact]
    public void DeadLetters()
    {
        var builder = new StreamsBuilder();
        var orders = builder.Stream<string, string>("orders");
        var customers = builder.Table<string, string>("customers");
        // <snippet dropped-join>
        orders.Join(
                customers,
                (order, customer) => $"{order} for {customer}",
                new Joined<string, string, string>().WithDropped(dropped => dropped.ToRecords().To("orders-left-out")))
            .To("orders-with-customers");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("orders").PipeInput(null!, "order without customer");
        var record = Assert.Single(driver.CreateOutputTopic<string, string>("orders-left-out").ReadRecordsToList());
        Assert.True(record.Headers.TryGetLast(DroppedRecordExtensions.ReasonHeader, out var reason));
        Assert.Equal("AbsentKey", reason.ValueAsString());
    }

    [Fact]
    public void Idle()
    {
        // <snippet close-after-idle>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("readings")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(1)))
            .WithDropped(late => late.ToRecords().To("late-readings"))
            .CloseAfterIdle(TimeSpan.FromSeconds(30))
            .Count()
            .ToStream((window, _) => window.Key)
            .To("readings-per-minute");

        using var driver = new TopologyTestDriver(builder.Build());
        var readings = driver.CreateInputTopic<string, string>("readings");
        readings.PipeInput("boiler", "71", timestamp: 10_000);
        readings.PipeInput("boiler", "73", timestamp: 20_000);
        driver.AdvanceWallClockTime(TimeSpan.FromSeconds(30));         // stream time stands at 20 s
        readings.PipeInput("boiler", "99", timestamp: 40_000);         // its minute has been given

        Assert.Equal([new("boiler", 2)], driver.CreateOutputTopic<string, long>("readings-per-minute").ReadKeyValuesToList());
        Assert.Equal([new("boiler", "99")], driver.CreateOutputTopic<string, string>("late-readings").ReadKeyValuesToList());
        // </snippet>
    }

    [Fact]
    public void Expiry()
    {
        // <snippet time-to-live>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("logins")
            .GroupByKey()
            .Count(Materialized.As("attempts").WithTimeToLive(TimeSpan.FromMinutes(15)))
            .ToStream()
            .To("attempts-per-user");

        using var driver = new TopologyTestDriver(builder.Build());
        var logins = driver.CreateInputTopic<string, string>("logins");
        var attempts = driver.CreateOutputTopic<string, long>("attempts-per-user");
        logins.PipeInput("ann", "wrong", timestamp: 0);
        logins.PipeInput("ann", "wrong", timestamp: 60_000);
        logins.PipeInput("bob", "wrong", timestamp: 960_000);          // 15 minutes after ann's last attempt: her row is deleted
        logins.PipeInput("ann", "wrong", timestamp: 961_000);          // and begins anew

        Assert.Equal(["ann 1", "ann 2", "ann -", "bob 1", "ann 1"], attempts.ReadRecordsToList().Select(record => $"{record.Key} {(record.HasValue ? record.Value : "-")}"));
        // </snippet>
    }

    [Fact]
    public void Top()
    {
        // <snippet top-n>
        var builder = new StreamsBuilder();
        builder.Table<string, string>("scores")                        // player -> "game points"
            .GroupBy((player, score) => KeyValuePair.Create(score.Split(' ')[0], $"{player} {score.Split(' ')[1]}"), Grouped.As("by-game"))
            .TopN(2, entry => int.Parse(entry.Split(' ')[1], CultureInfo.InvariantCulture), Materialized.As("best"))
            .MapValues(best => string.Join(", ", best))
            .ToStream()
            .To("best-of-each-game");

        using var driver = new TopologyTestDriver(builder.Build());
        var scores = driver.CreateInputTopic<string, string>("scores");
        scores.PipeInput("ann", "chess 1500");
        scores.PipeInput("bob", "chess 1700");
        scores.PipeInput("cat", "chess 1600");
        scores.PipeInput("bob", "chess 1400");                         // falls: ann is back

        Assert.Equal(
            ["ann 1500", "bob 1700, ann 1500", "bob 1700, cat 1600", "cat 1600, ann 1500"],
            driver.CreateOutputTopic<string, string>("best-of-each-game").ReadValuesToList());
        // </snippet>
    }
}
