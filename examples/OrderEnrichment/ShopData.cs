namespace OrderEnrichment;

/// <summary>Makes customers, products and orders, the same ones for the same seed, and changes some of them later.</summary>
internal sealed class ShopData
{
    private static readonly string[] _cities = ["Lima", "Oslo", "Pune", "Rome"];
    private static readonly string[] _names = ["Ann", "Bob", "Cid", "Dee", "Eve", "Fay", "Gus", "Hal"];
    private static readonly string[] _products = ["hat", "pen", "mug", "bag", "map"];
    private readonly Random _random;

    public ShopData(int seed, int orderCount)
    {
        _random = new Random(seed);
        for (var number = 0; number < 200; number++)
        {
            var id = $"c{number}";
            Customers[id] = new Customer(id, $"{Pick(_names)} {number}", Pick(_cities));
        }

        foreach (var name in _products) Products["p-" + name] = new Product("p-" + name, name, _random.Next(100, 5000));

        // Some orders name a customer that does not exist; an inner join leaves them out.
        for (var number = 0; number < orderCount; number++) Orders[$"o{number}"] = new Order($"c{_random.Next(210)}", "p-" + Pick(_products), _random.Next(1, 5));
    }

    public Dictionary<string, Order> Orders { get; } = [];

    public Dictionary<string, Customer> Customers { get; } = [];

    public Dictionary<string, Product> Products { get; } = [];

    /// <summary>The same query over these collections, to compare with.</summary>
    public Dictionary<string, EnrichedOrder> Enrich() =>
        (from entry in Orders
         let order = entry.Value
         join customer in Customers.Values on order.CustomerId equals customer.Id
         join product in Products.Values on order.ProductId equals product.Id
         select KeyValuePair.Create(entry.Key, new EnrichedOrder(customer.Name, customer.City, product.Name, order.Quantity * product.Cents))).ToDictionary();

    public Dictionary<string, long> Revenue() => Enrich().Values.GroupBy(order => order.City).ToDictionary(city => city.Key, city => city.Sum(order => order.TotalCents));

    /// <summary>A customer moves; all their orders are enriched anew.</summary>
    public Customer Move()
    {
        var customer = Pick([.. Customers.Values]);
        return Customers[customer.Id] = customer with { City = Pick(_cities) };
    }

    /// <summary>A price changes.</summary>
    public Product Reprice()
    {
        var product = Pick([.. Products.Values]);
        return Products[product.Id] = product with { Cents = _random.Next(100, 5000) };
    }

    /// <summary>An order is cancelled: its row is deleted.</summary>
    public string Cancel()
    {
        var number = Pick([.. Orders.Keys]);
        Orders.Remove(number);
        return number;
    }

    private T Pick<T>(T[] all) => all[_random.Next(all.Length)];
}
