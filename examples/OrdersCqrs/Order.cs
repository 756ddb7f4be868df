namespace OrdersCqrs;

/// <summary>The rules: an order decides what a command makes happen, and is nothing but what has happened to it.</summary>
/// <param name="Status">Where it is.</param>
/// <param name="Customer">Whose it is.</param>
/// <param name="Cents">Its amount.</param>
/// <param name="Last">What happened last.</param>
public sealed record Order(OrderStatus Status, string Customer, long Cents, OrderEvent? Last)
{
    public static Order New { get; } = new(OrderStatus.None, "", 0, null);

    public Order Handle(OrderCommand command) => Apply(Decide(command));

    /// <summary>What a command makes happen, from what has happened so far.</summary>
    public OrderEvent Decide(OrderCommand command) => (command.Kind, Status) switch
    {
        (CommandKind.Place, OrderStatus.None) when command.Cents <= 0 => Refused(command, "an order is for more than nothing"),
        (CommandKind.Place, OrderStatus.None) => new OrderEvent(EventKind.Placed, command.Id, command.Customer, command.Cents),
        (CommandKind.Place, _) => Refused(command, "the order is there already"),
        (_, OrderStatus.None) => Refused(command, "there is no such order"),
        (CommandKind.Pay, OrderStatus.Placed) => Happened(EventKind.Paid, command),
        (CommandKind.Ship, OrderStatus.Paid) => Happened(EventKind.Shipped, command),
        (CommandKind.Cancel, OrderStatus.Placed) => Happened(EventKind.Cancelled, command),
        _ => Refused(command, $"the order is {Status}"),
    };

    /// <summary>The order after something has happened.</summary>
    public Order Apply(OrderEvent happened) => happened.Kind switch
    {
        EventKind.Placed => new Order(OrderStatus.Placed, happened.Customer, happened.Cents, happened),
        EventKind.Paid => this with { Status = OrderStatus.Paid, Last = happened },
        EventKind.Shipped => this with { Status = OrderStatus.Shipped, Last = happened },
        EventKind.Cancelled => this with { Status = OrderStatus.Cancelled, Last = happened },
        _ => this with { Last = happened },
    };

    private OrderEvent Happened(EventKind kind, OrderCommand command) => new(kind, command.Id, Customer, Cents);

    private OrderEvent Refused(OrderCommand command, string reason) => new(EventKind.Refused, command.Id, Customer, Cents, reason);
}
