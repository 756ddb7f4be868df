using System.Globalization;
using OrderEnrichment;
using Streams.Client;
using Streams.Core;
using Streams.Embedded;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (orderCount, seed) = (2_000, 1);
for (var index = 0; index < args.Length; index += 2)
{
    var hasNumber = int.TryParse(args.ElementAtOrDefault(index + 1), out var number);
    if (args[index] == "--orders" && hasNumber && number > 100) orderCount = number;
    else if (args[index] == "--seed" && hasNumber) seed = number;
    else
    {
        Console.Error.WriteLine("OrderEnrichment [--orders N] [--seed N]      default: 2000 orders (more than 100), seed 1");
        return 2;
    }
}

// The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
await using var cluster = EmbeddedCluster.InMemory();
var stateFolder = Directory.CreateTempSubdirectory("order-enrichment-").FullName;
try
{
    return await RunAsync();
}
finally
{
    Directory.Delete(stateFolder, recursive: true);
}

async Task<int> RunAsync()
{
    // The tables may have different numbers of partitions: joins by foreign key send what they need to where it is.
    var partitions = new Dictionary<string, int>
    {
        [OrderEnrichmentTopology.Orders] = 4,
        [OrderEnrichmentTopology.Customers] = 3,
        [OrderEnrichmentTopology.Products] = 1,
        [OrderEnrichmentTopology.EnrichedOrders] = 4,
        [OrderEnrichmentTopology.RevenueByCity] = 1,
    };
    using (var admin = cluster.CreateAdmin("order-enrichment"))
        await admin.CreateTopicsAsync([.. partitions.Select(topic => new NewTopic(topic.Key, topic.Value, -1, new Dictionary<string, string> { ["cleanup.policy"] = "compact" }))], CancellationToken.None);

    await using var app = new KafkaStreams(OrderEnrichmentTopology.Build(), new StreamsConfig
    {
        ApplicationId = "order-enrichment",
        Cluster = cluster,
        StateDirectory = stateFolder,
        CommitInterval = TimeSpan.FromMilliseconds(100),
    });
    await app.StartAsync(CancellationToken.None);

    await using var orders = new Producer<string, Order>(cluster, valueSerializer: OrderEnrichmentTopology.OrderSerde);
    await using var customers = new Producer<string, Customer>(cluster, valueSerializer: OrderEnrichmentTopology.CustomerSerde);
    await using var products = new Producer<string, Product>(cluster, valueSerializer: OrderEnrichmentTopology.ProductSerde);
    await using var enriched = new OutputTable<EnrichedOrder>(cluster, OrderEnrichmentTopology.EnrichedOrders, OrderEnrichmentTopology.EnrichedOrderSerde);
    await using var revenue = new OutputTable<long>(cluster, OrderEnrichmentTopology.RevenueByCity, Serdes.Int64);

    var shop = new ShopData(seed, orderCount);
    foreach (var (number, order) in shop.Orders) await orders.PostAsync(OrderEnrichmentTopology.Orders, number, order);
    foreach (var (id, customer) in shop.Customers) await customers.PostAsync(OrderEnrichmentTopology.Customers, id, customer);
    foreach (var (id, product) in shop.Products) await products.PostAsync(OrderEnrichmentTopology.Products, id, product);
    if (!await CheckAsync("all orders")) return 1;

    for (var move = 0; move < 20; move++)
    {
        var customer = shop.Move();
        await customers.PostAsync(OrderEnrichmentTopology.Customers, customer.Id, customer);
    }

    if (!await CheckAsync("20 customers moved")) return 1;
    var repriced = shop.Reprice();
    await products.PostAsync(OrderEnrichmentTopology.Products, repriced.Id, repriced);
    if (!await CheckAsync($"the price of a {repriced.Name} changed")) return 1;
    for (var cancelled = 0; cancelled < 100; cancelled++) await orders.PostAsync(OrderEnrichmentTopology.Orders, shop.Cancel(), null!);
    return await CheckAsync("100 orders cancelled") ? 0 : 1;

    // Waits until both output tables are what the same query gives over the collections in memory.
    async Task<bool> CheckAsync(string what)
    {
        await Task.WhenAll(orders.FlushAsync(), customers.FlushAsync(), products.FlushAsync());
        var isEqual = await enriched.BecomesAsync(shop.Enrich(), app) && await revenue.BecomesAsync(shop.Revenue(), app);
        var cities = revenue.Rows.OrderBy(city => city.Key, StringComparer.Ordinal).Select(city => $"{city.Key} {city.Value / 100m,9:N2}");
        Console.WriteLine($"{what,-30} {enriched.Rows.Count,5:N0} enriched   {string.Join("   ", cities)}   {(isEqual ? "as a query over collections" : "FAILED: a query over collections has another result")}");
        return isEqual;
    }
}
