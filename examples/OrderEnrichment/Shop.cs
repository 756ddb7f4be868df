namespace OrderEnrichment;

/// <summary>An order, keyed by its number.</summary>
public sealed record Order(string CustomerId, string ProductId, int Quantity);

/// <summary>A customer, keyed by <see cref="Id"/>.</summary>
public sealed record Customer(string Id, string Name, string City);

/// <summary>A product, keyed by <see cref="Id"/>.</summary>
public sealed record Product(string Id, string Name, long Cents);

/// <summary>An order with what the shop knows about it.</summary>
public sealed record EnrichedOrder(string Customer, string City, string Product, long TotalCents);
