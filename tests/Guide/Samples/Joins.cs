namespace Guide.Samples;

/// <summary>docs/guide/joins.md.</summary>
public sealed class Joins
{
    [Fact]
    public void Stream_with_stream()
    {
        // <snippet stream-stream>
        var builder = new StreamsBuilder();
        var orders = builder.Stream<string, string>("orders");
        var payments = builder.Stream<string, long>("payments");
        var windows = JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(10));

        orders.LeftJoin(payments, (string order, long? cents) => cents is { } paid ? $"{order} paid {paid}" : $"{order} not paid", windows)
            .To("answers");

        using var driver = new TopologyTestDriver(builder.Build());
        var order = driver.CreateInputTopic<string, string>("orders");
        var payment = driver.CreateInputTopic<string, long>("payments");
        var answers = driver.CreateOutputTopic<string, string>("answers");

        order.PipeInput("1", "books", timestamp: 0);
        payment.PipeInput("1", 700, timestamp: 10_000);          // both ends belong to the window
        Assert.Equal("books paid 700", answers.ReadValue());

        order.PipeInput("2", "shoes", timestamp: 11_000);
        driver.AdvanceWallClockTime(TimeSpan.FromSeconds(1));
        order.PipeInput("3", "hats", timestamp: 21_002);         // shoes' window has closed: it is told now, not before
        Assert.Equal("shoes not paid", answers.ReadValue());
        // </snippet>
        Assert.True(answers.IsEmpty);
    }

    [Fact]
    public void Stream_with_table()
    {
        // <snippet stream-table>
        var builder = new StreamsBuilder();
        var customers = builder.Table<string, string>("customers");      // key: customer id

        builder.Stream<string, string>("orders")                         // key: order id, value: "customer-id article"
            .SelectKey((_, order) => order.Split(' ')[0])
            .Join(customers, (order, customer) => $"{customer} bought {order.Split(' ')[1]}")
            .To("sales");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build(), options: new TopologyTestDriverOptions { PartitionsPerTopic = 3 });
        driver.CreateInputTopic<string, string>("customers").PipeInput("c7", "Ann");
        var orders = driver.CreateInputTopic<string, string>("orders");
        orders.PipeInput("o1", "c7 hat");
        orders.PipeInput("o2", "c8 hat");
        Assert.Equal([new("c7", "Ann bought hat")], driver.CreateOutputTopic<string, string>("sales").ReadKeyValuesToList());
    }

    [Fact]
    public void Stream_with_global_table()
    {
        // <snippet global-table>
        var builder = new StreamsBuilder();
        var products = builder.GlobalTable<string, string>("products");

        builder.Stream<string, string>("orders")
            .Join(products, (orderId, productId) => productId, (productId, name) => name)
            .To("orders-with-names");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("products").PipeInput("p1", "hat");
        driver.CreateInputTopic<string, string>("orders").PipeInput("o1", "p1");
        Assert.Equal([new("o1", "hat")], driver.CreateOutputTopic<string, string>("orders-with-names").ReadKeyValuesToList());
    }

    [Fact]
    public void Table_with_table()
    {
        // <snippet table-table>
        var builder = new StreamsBuilder();
        var names = builder.Table<string, string>("names");
        var scores = builder.Table<string, long>("scores");

        names.OuterJoin(scores, (string? name, long? score) => $"{name ?? "?"}: {score?.ToString() ?? "-"}")
            .ToStream().To("ranking");

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("names").PipeInput("1", "ann");
        var points = driver.CreateInputTopic<string, long>("scores");
        points.PipeInput("1", 5L);
        points.PipeInput("2", 9L);
        points.PipeTombstone("2");

        var ranking = driver.CreateOutputTopic<string, string>("ranking").ReadKeyValuesToList();
        Assert.Equal([new("1", "ann: -"), new("1", "ann: 5"), new("2", "?: 9"), new("2", null!)], ranking);
        // </snippet>
    }

    [Fact]
    public void Table_with_foreign_key()
    {
        // <snippet foreign-key>
        var builder = new StreamsBuilder();
        var orders = builder.Table<string, string>("orders");            // key: order id, value: customer id
        var customers = builder.Table<string, string>("customers");      // key: customer id

        orders.Join(customers, customerId => customerId, (customerId, name) => $"ordered by {name}")
            .ToStream().To("orders-with-names");

        using var driver = new TopologyTestDriver(builder.Build(), options: new TopologyTestDriverOptions
        {
            Partitions = new Dictionary<string, int> { ["orders"] = 4, ["customers"] = 3 },
        });
        driver.CreateInputTopic<string, string>("orders").PipeInput("o1", "c7");
        var customer = driver.CreateInputTopic<string, string>("customers");
        customer.PipeInput("c7", "Ann");
        customer.PipeInput("c7", "Anna");                                // every order of hers is updated

        Assert.Equal(
            [new("o1", "ordered by Ann"), new("o1", "ordered by Anna")],
            driver.CreateOutputTopic<string, string>("orders-with-names").ReadKeyValuesToList());
        // </snippet>
    }

    [Fact]
    public void Partition_counts_must_agree()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("orders").Join(builder.Table<string, string>("customers"), (order, customer) => order + customer).To("out");

        // <snippet copartitioning>
        var options = new TopologyTestDriverOptions { Partitions = new Dictionary<string, int> { ["orders"] = 4, ["customers"] = 3 } };
        var failure = Assert.Throws<TopologyException>(() => new TopologyTestDriver(builder.Build(), options: options));
        // </snippet>
        Assert.Contains("orders", failure.Message, StringComparison.Ordinal);
        Assert.Contains("customers", failure.Message, StringComparison.Ordinal);
    }
}
