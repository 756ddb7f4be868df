using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using OrdersCqrs;

namespace Examples;

public sealed partial class OrdersCqrsTests
{
    [Fact]
    public void Commands_become_events_and_events_become_views()
    {
        using var driver = new TopologyTestDriver(OrdersTopology.Build());
        var commands = driver.CreateInputTopic(OrdersTopology.Commands, Serdes.String, OrdersTopology.CommandSerde);
        commands.PipeInput("1", new OrderCommand(CommandKind.Pay, "a"));
        commands.PipeInput("1", new OrderCommand(CommandKind.Place, "b", "ann", 500));
        commands.PipeInput("1", new OrderCommand(CommandKind.Ship, "c"));
        commands.PipeInput("1", new OrderCommand(CommandKind.Pay, "d"));
        commands.PipeInput("1", new OrderCommand(CommandKind.Cancel, "e"));
        commands.PipeInput("1", new OrderCommand(CommandKind.Ship, "f"));
        commands.PipeInput("2", new OrderCommand(CommandKind.Place, "g", "ann", 0));
        commands.PipeInput("2", new OrderCommand(CommandKind.Place, "h", "ann", 700));
        commands.PipeInput("2", new OrderCommand(CommandKind.Cancel, "i"));

        var events = driver.CreateOutputTopic(OrdersTopology.Events, Serdes.String, OrdersTopology.EventSerde).ReadValuesToList();
        Assert.Equal(
            [EventKind.Refused, EventKind.Placed, EventKind.Refused, EventKind.Paid, EventKind.Refused, EventKind.Shipped, EventKind.Refused, EventKind.Placed, EventKind.Cancelled],
            events.Select(happened => happened!.Kind));
        Assert.Equal("abcdefghi", string.Concat(events.Select(happened => happened!.Command)));

        Assert.Equal(new OrderView(OrderStatus.Shipped, "ann", 500), Get<OrderView>(OrdersTopology.Orders, "1"));
        Assert.Equal(new OrderView(OrderStatus.Cancelled, "ann", 700), Get<OrderView>(OrdersTopology.Orders, "2"));
        Assert.Equal(new CustomerView(2, 1, 500), Get<CustomerView>(OrdersTopology.Customers, "ann"));
        Assert.Equal(new CommandResult(true, EventKind.Paid, null), Get<CommandResult>(OrdersTopology.Results, "d"));
        Assert.Equal(new CommandResult(false, EventKind.Refused, "the order is Paid"), Get<CommandResult>(OrdersTopology.Results, "e"));

        V Get<V>(string store, string key) => driver.GetTimestampedKeyValueStore<string, V>(store).TryGet(key, out var row) ? row.Value : throw new KeyNotFoundException(key);
    }

    [Fact]
    public async Task Program_agrees_with_its_check_and_its_readme() => ReadmeOutput.AssertShows("OrdersCqrs", await ExampleProcess.RunAsync("OrdersCqrs"));

    [Fact]
    public async Task Server_takes_commands_and_shows_views_and_metrics()
    {
        using var server = ExampleProcess.Start("OrdersCqrs", "--serve");
        await server.WaitForTextAsync("serving ");
        using var http = new HttpClient { BaseAddress = new Uri(Address().Match(server.Output).Value), Timeout = ExampleProcess.Patience };
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync("/orders/1/place", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync("/orders/1/praise", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync("/orders/1/7", null)).StatusCode);
        using var placed = await http.PostAsJsonAsync("/orders/1/place", new { customer = "ann", cents = 1250 });
        Assert.Equal(HttpStatusCode.Accepted, placed.StatusCode);
        Assert.Equal("""{"done":true,"event":"Placed","reason":null}""", await WaitAsync(http, placed.Headers.Location!.ToString()));
        Assert.Equal("""{"status":"Placed","customer":"ann","cents":1250}""", await WaitAsync(http, "/orders/1"));
        Assert.Equal("Healthy", await http.GetStringAsync("/health"));

        var metrics = await http.GetStringAsync("/metrics");
        Assert.Contains("# TYPE kafka_streams_topic_records_consumed_total counter\n", metrics, StringComparison.Ordinal);
        Assert.Matches("""(?m)^kafka_streams_topic_records_consumed_total\{application_id="orders",client_id="[^"]+",thread_id="[^"]+",task_id="0_[0-3]",processor_node_id="[^"]+",topic_name="order-commands"\} 1$""", metrics);
        Assert.Matches("""(?m)^kafka_streams_store_put_latency_avg\{[^}]*store="decisions"[^}]*\} [0-9.E+-]+$""", metrics);
        Assert.Matches("""(?m)^kafka_streams_task_restore_remaining_records_total\{[^}]*\} 0$""", metrics);
        foreach (var line in metrics.TrimEnd('\n').Split('\n')) Assert.Matches("""^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+\{([a-z_]+="([^"\\]|\\.)*",?)+\} -?[0-9.E+-]+)$""", line);
    }

    private static async Task<string> WaitAsync(HttpClient http, string path)
    {
        using var timeout = new CancellationTokenSource(ExampleProcess.Patience);
        for (;;)
        {
            using var response = await http.GetAsync(path, timeout.Token);
            if (response.IsSuccessStatusCode) return await response.Content.ReadAsStringAsync(timeout.Token);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            await Task.Delay(20, timeout.Token);
        }
    }

    [GeneratedRegex("http://[0-9.:]+")]
    private static partial Regex Address();
}
