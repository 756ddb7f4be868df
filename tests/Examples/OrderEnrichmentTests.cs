using OrderEnrichment;

namespace Examples;

public sealed class OrderEnrichmentTests : IDisposable
{
    private readonly TopologyTestDriver _driver = new(OrderEnrichmentTopology.Build(), options: new TopologyTestDriverOptions
    {
        Partitions = new Dictionary<string, int> { [OrderEnrichmentTopology.Orders] = 4, [OrderEnrichmentTopology.Customers] = 3 },
    });

    private readonly TestInputTopic<string, Order> _orders;
    private readonly TestInputTopic<string, Customer> _customers;
    private readonly TestInputTopic<string, Product> _products;

    public OrderEnrichmentTests()
    {
        _orders = _driver.CreateInputTopic(OrderEnrichmentTopology.Orders, Serdes.String, OrderEnrichmentTopology.OrderSerde);
        _customers = _driver.CreateInputTopic(OrderEnrichmentTopology.Customers, Serdes.String, OrderEnrichmentTopology.CustomerSerde);
        _products = _driver.CreateInputTopic(OrderEnrichmentTopology.Products, Serdes.String, OrderEnrichmentTopology.ProductSerde);
    }

    public void Dispose() => _driver.Dispose();

    [Fact]
    public void Order_is_enriched_when_the_last_of_its_parts_is_there()
    {
        _orders.PipeInput("o1", new Order("ann", "hat", 2));
        _products.PipeInput("hat", new Product("hat", "a hat", 700));
        Assert.Empty(Enriched());
        _customers.PipeInput("ann", new Customer("ann", "Ann", "Rome"));
        Assert.Equal(new EnrichedOrder("Ann", "Rome", "a hat", 1400), Assert.Single(Enriched()).Value);
    }

    [Fact]
    public void Revenue_follows_a_customer_who_moves_a_price_and_an_order_that_is_cancelled()
    {
        _products.PipeInput("hat", new Product("hat", "a hat", 700));
        _customers.PipeInput("ann", new Customer("ann", "Ann", "Rome"));
        _customers.PipeInput("bob", new Customer("bob", "Bob", "Rome"));
        _orders.PipeInput("o1", new Order("ann", "hat", 2));
        _orders.PipeInput("o2", new Order("bob", "hat", 1));
        Assert.Equal(new Dictionary<string, long> { ["Rome"] = 2100 }, Revenue());

        _customers.PipeInput("ann", new Customer("ann", "Ann", "Oslo"));
        Assert.Equal(new Dictionary<string, long> { ["Rome"] = 700, ["Oslo"] = 1400 }, Revenue());

        _products.PipeInput("hat", new Product("hat", "a hat", 100));
        Assert.Equal(new Dictionary<string, long> { ["Rome"] = 100, ["Oslo"] = 200 }, Revenue());

        _orders.PipeTombstone("o1");
        Assert.Equal(new Dictionary<string, long> { ["Oslo"] = 0 }, Revenue());

        _orders.PipeInput("o2", new Order("ann", "hat", 1));
        Assert.Equal(new Dictionary<string, long> { ["Rome"] = 0, ["Oslo"] = 100 }, Revenue());
    }

    [Fact]
    public async Task Program_agrees_with_its_check_and_its_readme() => ReadmeOutput.AssertShows("OrderEnrichment", await ExampleProcess.RunAsync("OrderEnrichment"));

    private IReadOnlyDictionary<string, EnrichedOrder> Enriched() =>
        _driver.CreateOutputTopic(OrderEnrichmentTopology.EnrichedOrders, Serdes.String, OrderEnrichmentTopology.EnrichedOrderSerde).ReadKeyValuesToMap();

    // What has changed since the last look.
    private Dictionary<string, long> Revenue() => new(_driver.CreateOutputTopic<string, long>(OrderEnrichmentTopology.RevenueByCity).ReadKeyValuesToMap());
}
