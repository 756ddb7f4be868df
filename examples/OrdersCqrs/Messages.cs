using System.Text.Json.Serialization;

namespace OrdersCqrs;

[JsonConverter(typeof(JsonStringEnumConverter<CommandKind>))]
public enum CommandKind
{
    Place,
    Pay,
    Ship,
    Cancel,
}

/// <summary>What somebody wants to happen to an order. The key is the order.</summary>
/// <param name="Kind">What.</param>
/// <param name="Id">Unique, to ask for the result by.</param>
/// <param name="Customer">Who orders; in <see cref="CommandKind.Place"/> only.</param>
/// <param name="Cents">For how much; in <see cref="CommandKind.Place"/> only.</param>
public sealed record OrderCommand(CommandKind Kind, string Id, string Customer = "", long Cents = 0);

[JsonConverter(typeof(JsonStringEnumConverter<EventKind>))]
public enum EventKind
{
    Placed,
    Paid,
    Shipped,
    Cancelled,

    /// <summary>The command was against the rules: nothing has happened to the order.</summary>
    Refused,
}

/// <summary>What has happened. The key is the order.</summary>
/// <param name="Kind">What.</param>
/// <param name="Command">Id of the command that it is the answer to.</param>
/// <param name="Customer">Whose order it is.</param>
/// <param name="Cents">Its amount.</param>
/// <param name="Reason">Why it was refused.</param>
public sealed record OrderEvent(EventKind Kind, string Command, string Customer, long Cents, string? Reason = null);

[JsonConverter(typeof(JsonStringEnumConverter<OrderStatus>))]
public enum OrderStatus
{
    None,
    Placed,
    Paid,
    Shipped,
    Cancelled,
}

/// <summary>View: an order as it is.</summary>
public sealed record OrderView(OrderStatus Status, string Customer, long Cents);

/// <summary>View: what a customer has ordered and paid.</summary>
public sealed record CustomerView(int Orders, int Cancelled, long PaidCents);

/// <summary>View: what has become of a command.</summary>
public sealed record CommandResult(bool Done, EventKind Event, string? Reason);
