using System.Net;
using System.Net.Http.Json;

namespace OrdersCqrs;

/// <summary>Sends commands made from a seed over HTTP, and knows, by a plain loop over the same commands, what the views have to say in the end.</summary>
internal sealed class Shoppers(HttpClient http, int seed, int orderCount)
{
    private const int CustomerCount = 20;
    private const int Parallel = 8;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private int _commands;

    public int CommandCount => _commands;

    public Dictionary<OrderStatus, int> Statuses { get; } = [];

    public int RefusedCount { get; private set; }

    public List<string> Faults { get; } = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var orders = Enumerable.Range(0, orderCount).Select(number => (Name: $"order-{number}", Commands: Make(number))).ToList();
        var last = new string[orderCount];
        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, orderCount),
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (number, cancellation) =>
            {
                // One after the other, because each waits for the one before to be acknowledged.
                foreach (var command in orders[number].Commands)
                {
                    object? body = command.Kind == CommandKind.Place ? new OrdersApp.PlaceBody(command.Customer, command.Cents) : null;
                    using var response = await http.PostAsJsonAsync($"/orders/{orders[number].Name}/{command.Kind}", body, cancellation);
                    response.EnsureSuccessStatusCode();
                    last[number] = response.Headers.Location!.ToString();
                    Interlocked.Increment(ref _commands);
                }
            });

        var customers = new Dictionary<string, CustomerView>();
        for (var number = 0; number < orderCount; number++)
        {
            var order = Expect(orders[number].Commands, customers);
            Statuses[order.Status] = Statuses.GetValueOrDefault(order.Status) + 1;
            await CheckAsync(last[number], (CommandResult? result) => result is not null, cancellationToken);
            await CheckAsync($"/{OrdersTopology.Orders}/{orders[number].Name}", (OrderView? view) => view == order, cancellationToken);
        }

        foreach (var (customer, expected) in customers) await CheckAsync($"/{OrdersTopology.Customers}/{customer}", (CustomerView? view) => view == expected, cancellationToken);
    }

    private List<OrderCommand> Make(int number)
    {
        var random = new Random(unchecked((seed * 1_000_003) + number));
        var commands = new List<OrderCommand> { new(CommandKind.Place, "", $"customer-{random.Next(CustomerCount):00}", random.Next(100, 20_000)) };
        for (var left = random.Next(5); left > 0; left--) commands.Add(new OrderCommand((CommandKind)random.Next(1, 4), ""));
        return commands;
    }

    // Written without the rules of Order, so that a mistake there shows.
    private OrderView Expect(List<OrderCommand> commands, Dictionary<string, CustomerView> customers)
    {
        var (name, cents) = (commands[0].Customer, commands[0].Cents);
        var (isPaid, isShipped, isCancelled) = (false, false, false);
        foreach (var command in commands.Skip(1))
        {
            if (command.Kind == CommandKind.Pay && !isPaid && !isCancelled) isPaid = true;
            else if (command.Kind == CommandKind.Ship && isPaid && !isShipped) isShipped = true;
            else if (command.Kind == CommandKind.Cancel && !isPaid && !isCancelled) isCancelled = true;
            else RefusedCount++;
        }

        var customer = customers.GetValueOrDefault(name) ?? new CustomerView(0, 0, 0);
        customers[name] = new CustomerView(customer.Orders + 1, customer.Cancelled + (isCancelled ? 1 : 0), customer.PaidCents + (isPaid ? cents : 0));
        return new OrderView(isShipped ? OrderStatus.Shipped : isPaid ? OrderStatus.Paid : isCancelled ? OrderStatus.Cancelled : OrderStatus.Placed, name, cents);
    }

    // Views follow the commands at a distance: they are asked until they have arrived.
    private async Task CheckAsync<T>(string path, Func<T?, bool> isRight, CancellationToken cancellationToken)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        var last = "";
        while (TimeProvider.System.GetElapsedTime(deadline) < _patience)
        {
            using var response = await http.GetAsync(path, cancellationToken);
            if (response.StatusCode is HttpStatusCode.OK && isRight(await response.Content.ReadFromJsonAsync<T>(cancellationToken))) return;
            last = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}";
            await Task.Delay(20, cancellationToken);
        }

        Faults.Add($"GET {path} says {last}");
    }
}
