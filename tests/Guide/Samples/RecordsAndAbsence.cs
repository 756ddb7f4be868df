namespace Guide.Samples;

/// <summary>docs/guide/records-and-absence.md.</summary>
public sealed class RecordsAndAbsence
{
    [Fact]
    public void Tombstone_is_not_zero()
    {
        // <snippet tombstone>
        var builder = new StreamsBuilder();
        builder.Table<string, long>("stock", materialized: Materialized.As("stock-store")).ToStream().To("stock-changes");

        using var driver = new TopologyTestDriver(builder.Build());
        var stock = driver.CreateInputTopic<string, long>("stock");
        var changes = driver.CreateOutputTopic<string, long>("stock-changes");

        stock.PipeInput("apple", 0L);
        stock.PipeTombstone("apple");

        var zero = changes.ReadRecord();
        Assert.True(zero.HasValue);
        Assert.Equal(0, zero.Value);
        Assert.False(changes.ReadRecord().HasValue);
        Assert.False(driver.GetKeyValueStore<string, long>("stock-store").TryGet("apple", out _));
        // </snippet>
    }

    // <snippet absence-processor>
    private sealed class StockWarning : Processor<string, long?, string, string>
    {
        public override void Process(in Record<string, long?> record)
        {
            if (!record.HasValue) Forward(record.WithoutValue<string>());       // the article is gone: delete the warning too
            else if (record.Value == 0) Forward(record.WithValue("sold out"));
        }
    }
    // </snippet>

    [Fact]
    public void Processor_sees_absence_as_a_flag()
    {
        var builder = new StreamsBuilder();
        // <snippet absence-stream>
        builder.Stream<string, long?>("stock").Process<string, string>(() => new StockWarning()).To("warnings");
        // </snippet>
        using var driver = new TopologyTestDriver(builder.Build());
        var stock = driver.CreateInputTopic<string, long>("stock");
        stock.PipeInput("apple", 3L);
        stock.PipeInput("apple", 0L);
        stock.PipeTombstone("apple");
        Assert.Equal(
            [new TestRecord<string, string>("apple", "sold out", 0), TestRecord<string, string>.Tombstone("apple", 0)],
            driver.CreateOutputTopic<string, string>("warnings").ReadRecordsToList());
    }

    [Fact]
    public void Missing_side_is_null_for_structs_too()
    {
        // <snippet absent-side>
        var builder = new StreamsBuilder();
        var orders = builder.Stream<string, string>("orders");
        var stock = builder.Table<string, long>("stock");

        orders.LeftJoin(stock, (string order, long? left) => left is { } count ? $"{order}: {count} left" : $"{order}: not in the catalogue")
            .To("answers");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, long>("stock").PipeInput("apple", 0L);
        var input = driver.CreateInputTopic<string, string>("orders");
        input.PipeInput("apple", "o1");
        input.PipeInput("pear", "o2");
        Assert.Equal(["o1: 0 left", "o2: not in the catalogue"], driver.CreateOutputTopic<string, string>("answers").ReadValuesToList());
    }

    [Fact]
    public void Headers_are_never_changed_in_place()
    {
        // <snippet headers>
        var headers = Headers.Empty.Add("trace", "a1").Add("trace", "a2");
        var more = headers.Add("origin", "shop");

        Assert.Equal(2, headers.Count);
        Assert.Equal(3, more.Count);
        Assert.True(more.TryGetLast("trace", out var trace));
        Assert.Equal("a2", trace.ValueAsString());
        Assert.Equal(["origin"], more.Remove("trace").Select(header => header.Key));
        // </snippet>
    }
}
