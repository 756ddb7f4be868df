using System.Globalization;
using Microsoft.Extensions.Hosting;
using OrdersCqrs;
using Streams.Core;
using Streams.Embedded;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const string Usage = """
    Orders as events, with commands and views over HTTP.

      OrdersCqrs [options]

      --serve           only serve, until Ctrl+C; send commands with curl
      --data FOLDER     keep topics and state here (default: a temporary folder that is deleted at the end)
      --port N          default: a free one
      --orders N        default 300
      --seed N          default 1
    """;

string? data = null;
var (serve, port, orderCount, seed) = (false, 0, 300, 1);
for (var index = 0; index < args.Length; index++)
{
    var value = args.ElementAtOrDefault(index + 1);
    if (args[index] == "--serve") serve = true;
    else if (args[index] == "--data" && value is not null) (data, index) = (value, index + 1);
    else if (args[index] == "--port" && int.TryParse(value, out port) && port is >= 0 and <= 65535) index++;
    else if (args[index] == "--orders" && int.TryParse(value, out orderCount) && orderCount is > 0 and < 1_000_000) index++;
    else if (args[index] == "--seed" && int.TryParse(value, out seed)) index++;
    else
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }
}

var folder = data ?? Directory.CreateTempSubdirectory("orders-cqrs-").FullName;
try
{
    return await RunAsync();
}
finally
{
    if (data is null) Directory.Delete(folder, recursive: true);
}

async Task<int> RunAsync()
{
    // The one setting that decides where it all runs; for a Kafka cluster: new KafkaCluster("localhost:9092"), from Streams.Kafka.
    await using var cluster = EmbeddedCluster.At(Path.Combine(folder, "broker"));
    using (var admin = cluster.CreateAdmin("orders-cqrs"))
    {
        await admin.CreateTopicsAsync(
            [
                new NewTopic(OrdersTopology.Commands, 4, -1, new Dictionary<string, string>()),

                // The events are the truth, and are kept for ever.
                new NewTopic(OrdersTopology.Events, 4, -1, new Dictionary<string, string> { ["retention.ms"] = "-1" }),
            ],
            CancellationToken.None);
    }

    await using var app = OrdersApp.Build(cluster, Path.Combine(folder, "state"), port);
    await app.StartAsync();
    var address = app.Urls.Single();
    Console.WriteLine($"serving    {address}");
    if (serve)
    {
        await app.WaitForShutdownAsync();
        return 0;
    }

    using var http = new HttpClient { BaseAddress = new Uri(address) };
    var shoppers = new Shoppers(http, seed, orderCount);
    await shoppers.RunAsync(CancellationToken.None);
    Console.WriteLine($"commands   {shoppers.CommandCount:N0}: {shoppers.CommandCount - shoppers.RefusedCount:N0} carried out, {shoppers.RefusedCount:N0} refused");
    Console.WriteLine($"orders     {orderCount:N0}: {string.Join(", ", shoppers.Statuses.OrderBy(entry => entry.Key).Select(entry => $"{entry.Value:N0} {entry.Key}"))}");
    foreach (var path in (string[])["/orders/order-7", "/customers/customer-07"])
    {
        using var response = await http.GetAsync(path);
        Console.WriteLine($"GET        {path}   {await response.Content.ReadAsStringAsync()}");
    }

    await app.StopAsync();
    Console.WriteLine(shoppers.Faults.Count == 0 ? "check      a plain loop over the same commands agrees with every view" : $"check      FAILED\n           {string.Join("\n           ", shoppers.Faults.Take(20))}");
    return shoppers.Faults.Count == 0 ? 0 : 1;
}
