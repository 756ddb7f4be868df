namespace Guide.Samples;

/// <summary>docs/guide/tables.md.</summary>
public sealed class Tables
{
    [Fact]
    public void Table_is_the_last_value_per_key()
    {
        // <snippet table>
        var builder = new StreamsBuilder();
        builder.Table<string, long>("prices", materialized: Materialized.As("prices-store"))
            .Filter((_, cents) => cents >= 1000, Materialized.As("expensive"))
            .MapValues(cents => cents / 100)
            .ToStream().To("expensive-in-euro");

        using var driver = new TopologyTestDriver(builder.Build());
        var prices = driver.CreateInputTopic<string, long>("prices");
        prices.PipeInput("hat", 1500L);
        prices.PipeInput("pen", 200L);        // never was in the result: nothing is sent
        prices.PipeInput("hat", 900L);        // leaves the result: a tombstone

        var changes = driver.CreateOutputTopic<string, long>("expensive-in-euro").ReadRecordsToList();
        Assert.Equal(2, changes.Count);
        Assert.Equal(("hat", 15L), (changes[0].Key, changes[0].Value));
        Assert.Equal(("hat", false), (changes[1].Key, changes[1].HasValue));
        Assert.False(driver.GetKeyValueStore<string, long>("expensive").TryGet("hat", out _));
        // </snippet>
    }

    [Fact]
    public void Suppress_until_window_closes()
    {
        // <snippet suppress-window>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("clicks")
            .GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2)))
            .Count()
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()))
            .ToStream((window, _) => window.Key)
            .To("final-counts");

        using var driver = new TopologyTestDriver(builder.Build());
        var clicks = driver.CreateInputTopic<string, string>("clicks");
        var counts = driver.CreateOutputTopic<string, long>("final-counts");
        clicks.PipeInput("ann", "a", timestamp: 1_000);
        clicks.PipeInput("ann", "b", timestamp: 2_000);
        clicks.PipeInput("bob", "c", timestamp: 11_999);
        Assert.True(counts.IsEmpty);
        clicks.PipeInput("bob", "d", timestamp: 12_000);      // end + grace
        Assert.Equal([new("ann", 2)], counts.ReadKeyValuesToList());
        // </snippet>
    }

    [Fact]
    public void Suppress_until_time_limit()
    {
        // <snippet suppress-time>
        var builder = new StreamsBuilder();
        builder.Table<string, long>("prices")
            .Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromSeconds(5), BufferConfig.MaxRecords(10_000).EmitEarlyWhenFull()))
            .ToStream().To("calm-prices");

        using var driver = new TopologyTestDriver(builder.Build());
        var prices = driver.CreateInputTopic<string, long>("prices");
        var calm = driver.CreateOutputTopic<string, long>("calm-prices");
        prices.PipeInput("hat", 1, timestamp: 0);
        prices.PipeInput("hat", 2, timestamp: 1_000);
        Assert.True(calm.IsEmpty);
        prices.PipeInput("pen", 3, timestamp: 5_000);
        Assert.Equal([new("hat", 2)], calm.ReadKeyValuesToList());
        // </snippet>
    }

    [Fact]
    public void Versioned_table()
    {
        // <snippet versioned>
        var builder = new StreamsBuilder();
        var rates = builder.Table<string, double>("rates", materialized: Materialized.As("rates-store").WithHistoryRetention(TimeSpan.FromHours(1)));
        builder.Stream<string, double>("payments").Join(rates, (amount, rate) => amount * rate).To("converted");

        using var driver = new TopologyTestDriver(builder.Build());
        var rate = driver.CreateInputTopic<string, double>("rates");
        rate.PipeInput("USD", 2.0, timestamp: 0);
        rate.PipeInput("USD", 3.0, timestamp: 60_000);

        var payments = driver.CreateInputTopic<string, double>("payments");
        payments.PipeInput("USD", 10, timestamp: 59_000);      // late, and still gets the rate of its own time
        payments.PipeInput("USD", 10, timestamp: 61_000);
        Assert.Equal([20.0, 30.0], driver.CreateOutputTopic<string, double>("converted").ReadValuesToList());
        // </snippet>
    }
}
