using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Streams.Embedded;
using Streams.Hosting;

namespace Guide.Samples;

/// <summary>docs/guide/made-for-dotnet.md.</summary>
public sealed class MadeForDotNet
{
    [Fact]
    public void Queries()
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions
        {
            Serdes = new SerdeRegistry().Add(Serdes.Json<Order>()).Add(Serdes.Json<Customer>()),
        });
        var orders = builder.Stream<string, Order>("orders");
        var customers = builder.Table<string, Customer>("customers");

        // <snippet query>
        var enriched =
            from order in orders                              // KStream<string, Order>
            where order.Total > 100
            join customer in customers on order.CustomerId equals customer.Id   // KTable: repartitions by itself
            select new EnrichedOrder(order, customer);

        var perCity =
            from o in enriched
            group o by o.City into city
            select city.WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(5))).Count();
        // </snippet>
        perCity.ToStream((window, _) => window.Key).To("per-city");

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic("customers", Serdes.String, Serdes.Json<Customer>()).PipeInput("c1", new Customer("c1", "Rome"));
        var input = driver.CreateInputTopic("orders", Serdes.String, Serdes.Json<Order>());
        input.PipeInput("o1", new Order("c1", 250));
        input.PipeInput("o2", new Order("c1", 50));
        input.PipeInput("o3", new Order("c1", 101));
        Assert.Equal(new Dictionary<string, long> { ["Rome"] = 2 }, driver.CreateOutputTopic<string, long>("per-city").ReadKeyValuesToMap());
    }

    [Fact]
    public void AsyncCalls()
    {
        // <snippet async>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("orders")
            .MapValuesAsync(
                async (order, cancellationToken) =>
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(10), cancellationToken);   // a web service, a database …
                    return $"{order} is paid";
                },
                new AsyncOptions { MaxConcurrency = 256, Order = AsyncOrder.Key, Timeout = TimeSpan.FromSeconds(2), MaxRetries = 3 })
            .To("paid-orders");

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("orders").PipeInput("ann", "order 1");
        driver.WaitForAsyncCalls(TimeSpan.FromSeconds(30));
        Assert.Equal("order 1 is paid", driver.CreateOutputTopic<string, string>("paid-orders").ReadValue());
        // </snippet>
    }

    [Fact]
    public async Task Hosting()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        using (var admin = cluster.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("lines", 1, 1, new Dictionary<string, string>()), new NewTopic("word-counts", 1, 1, new Dictionary<string, string>())], CancellationToken.None);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("Streams:num.stream.threads", "2")]);

        // <snippet hosting>
        builder.Services.AddKafkaStreams("counting-words", streams => streams
            .Configure(config => config with { Cluster = cluster })              // or BootstrapServers, in the section below
            .Configure(builder.Configuration.GetSection("Streams"))              // "num.stream.threads" or "NumStreamThreads"
            .Topology((services, topology) => topology.Stream<string, string>("lines")
                .FlatMapValues(line => line.Split(' '))
                .GroupBy((_, word) => word)
                .Count(Materialized.As("counts"))
                .ToStream()
                .To("word-counts")));
        builder.Services.AddHealthChecks().AddKafkaStreams("counting-words", new KafkaStreamsHealthCheckOptions { MaxLag = 10_000 });

        using var host = builder.Build();
        await host.StartAsync();
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        await host.StopAsync();                                                  // commits, closes the tasks, leaves the group
        // </snippet>
        Assert.Equal(HealthStatus.Healthy, health.Status);
    }

    [Fact]
    public void Telemetry()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").To("out");
        using var driver = new TopologyTestDriver(builder.Build(), new StreamsConfig { ApplicationId = "telemetry-page" });

        // <snippet telemetry>
        var consumed = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument is { Meter.Name: "Streams", Name: "kafka.streams.topic.records-consumed-total" }) meters.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            foreach (var (key, tag) in tags)
            {
                if (key == "topic-name") consumed[(string)tag!] = value;
            }
        });
        listener.Start();

        driver.CreateInputTopic<string, string>("in").PipeInput("k", "v");
        listener.RecordObservableInstruments();
        Assert.Equal(1, consumed["in"]);
        // </snippet>
    }

    private sealed record Order(string CustomerId, int Total);

    private sealed record Customer(string Id, string City);

    private sealed record EnrichedOrder(Order Order, Customer Customer)
    {
        public string City => Customer.City;
    }
}
