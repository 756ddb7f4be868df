using Streams.Core;
using Streams.Dsl;
using Streams.State;

namespace OrdersCqrs;

/// <summary>The write side and the read side; apart from the program, so that tests can run them without a broker.</summary>
public static class OrdersTopology
{
    public const string Commands = "order-commands";
    public const string Events = "order-events";
    public const string Orders = "orders";
    public const string Customers = "customers";
    public const string Results = "results";
    private const int ResultsKept = 100_000;

    public static ISerde<OrderCommand> CommandSerde { get; } = Serdes.Json<OrderCommand>();

    public static ISerde<OrderEvent> EventSerde { get; } = Serdes.Json<OrderEvent>();

    public static Topology Build()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions
        {
            Serdes = new SerdeRegistry().Add(CommandSerde).Add(EventSerde)
                .Add(Serdes.Json<Order>()).Add(Serdes.Json<OrderView>()).Add(Serdes.Json<CustomerView>()).Add(Serdes.Json<CommandResult>()),
        });

        // The write side. Without a cache, so that every decision becomes an event, not only the last one before a commit.
        builder.Stream<string, OrderCommand>(Commands)
            .GroupByKey()
            .Aggregate(() => Order.New, (_, command, order) => order.Handle(command), Materialized.As("decisions").WithCachingDisabled())
            .ToStream()
            .MapValues(order => order.Last!)
            .To(Events);

        // The read side: views of what has happened, each in the shape that it is asked for. More of them can be added later; the events are there.
        var events = builder.Stream<string, OrderEvent>(Events);
        var happened = events.Filter(entry => entry.Kind != EventKind.Refused);
        happened.GroupByKey().Aggregate(
            () => new OrderView(OrderStatus.None, "", 0),
            (_, entry, order) => new OrderView(StatusAfter(entry.Kind), entry.Customer, entry.Cents),
            Materialized.As(Orders));
        happened.GroupBy((_, entry) => entry.Customer, Grouped.As("by-customer")).Aggregate(
            () => new CustomerView(0, 0, 0),
            (_, entry, customer) => After(customer, entry),
            Materialized.As(Customers));
        events.Map((_, entry) => KeyValuePair.Create(entry.Command, new CommandResult(entry.Kind != EventKind.Refused, entry.Kind, entry.Reason)))
            .GroupByKey(Grouped.As("by-command"))
            .Reduce((_, result) => result, Materialized.As(Stores.LruMap(Results, ResultsKept)));
        return builder.Build();
    }

    private static OrderStatus StatusAfter(EventKind kind) => kind switch
    {
        EventKind.Placed => OrderStatus.Placed,
        EventKind.Paid => OrderStatus.Paid,
        EventKind.Shipped => OrderStatus.Shipped,
        _ => OrderStatus.Cancelled,
    };

    private static CustomerView After(CustomerView customer, OrderEvent entry) => entry.Kind switch
    {
        EventKind.Placed => customer with { Orders = customer.Orders + 1 },
        EventKind.Paid => customer with { PaidCents = customer.PaidCents + entry.Cents },
        EventKind.Cancelled => customer with { Cancelled = customer.Cancelled + 1 },
        _ => customer,
    };
}
