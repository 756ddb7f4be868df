using Streams.Core;
using Streams.Dsl;

namespace OrderEnrichment;

/// <summary>What the program computes; apart from the program, so that tests can run it without a broker.</summary>
public static class OrderEnrichmentTopology
{
    public const string Orders = "orders";
    public const string Customers = "customers";
    public const string Products = "products";
    public const string EnrichedOrders = "enriched-orders";
    public const string RevenueByCity = "revenue-by-city";

    public static ISerde<Order> OrderSerde { get; } = Serdes.Json<Order>();

    public static ISerde<Customer> CustomerSerde { get; } = Serdes.Json<Customer>();

    public static ISerde<Product> ProductSerde { get; } = Serdes.Json<Product>();

    public static ISerde<EnrichedOrder> EnrichedOrderSerde { get; } = Serdes.Json<EnrichedOrder>();

    public static Topology Build()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions
        {
            Serdes = new SerdeRegistry().Add(OrderSerde).Add(CustomerSerde).Add(ProductSerde).Add(EnrichedOrderSerde),
        });
        var orders = builder.Table<string, Order>(Orders);
        var customers = builder.Table<string, Customer>(Customers);
        var products = builder.Table<string, Product>(Products);

        var enriched =
            from order in orders
            join customer in customers on order.CustomerId equals customer.Id
            join product in products on order.ProductId equals product.Id
            select new EnrichedOrder(customer.Name, customer.City, product.Name, order.Quantity * product.Cents);
        enriched.ToStream().To(EnrichedOrders);

        var revenue =
            from order in enriched
            group order.TotalCents by order.City into city
            select city.Reduce((sum, cents) => sum + cents, (sum, cents) => sum - cents, Materialized.As("revenue"));
        revenue.ToStream().To(RevenueByCity);
        return builder.Build();
    }
}
