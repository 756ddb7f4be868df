using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Streams.Client;
using Streams.Core;
using Streams.Hosting;
using Streams.Hosting.AspNetCore;

namespace OrdersCqrs;

/// <summary>The web application: commands go in, views come out.</summary>
public static class OrdersApp
{
    public static WebApplication Build(ICluster cluster, string stateFolder, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new JsonStringEnumConverter()));
        builder.Services.AddSingleton(new Producer<string, OrderCommand>(cluster, new ProducerSettings(), valueSerializer: OrdersTopology.CommandSerde));
        builder.Services.AddSingleton<PrometheusText>();
        builder.Services.AddKafkaStreams("orders", streams => streams
            .Configure(config => config with
            {
                Cluster = cluster,
                StateDirectory = stateFolder,
                ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
                NumStreamThreads = 2,
                MetricsRecordingLevel = MetricsRecordingLevel.Debug,

                // With several instances: ApplicationServer = "host:port" of each, and every one answers for every key.
            })
            .Topology(_ => OrdersTopology.Build()));
        builder.Services.AddHealthChecks().AddKafkaStreams("orders");
        var app = builder.Build();

        // The write side answers when the command is safe, not when it is carried out: what became of it is at the address that it gives.
        app.MapPost("/orders/{order}/{kind}", async (string order, string kind, PlaceBody? body, Producer<string, OrderCommand> producer, CancellationToken cancellationToken) =>
        {
            if (!Enum.TryParse<CommandKind>(kind, ignoreCase: true, out var command) || !Enum.IsDefined(command)) return Results.NotFound();
            if (command == CommandKind.Place && string.IsNullOrEmpty(body?.Customer)) return Results.BadRequest("customer and cents are expected");
            var id = Guid.NewGuid().ToString("n");
            await producer.ProduceAsync(OrdersTopology.Commands, order, new OrderCommand(command, id, body?.Customer ?? "", body?.Cents ?? 0), cancellationToken);
            return Results.Accepted($"/{OrdersTopology.Results}/{id}");
        });

        // The read side.
        app.MapStateStore<string, OrderView>(OrdersTopology.Orders);
        app.MapStateStore<string, CustomerView>(OrdersTopology.Customers);
        app.MapStateStore<string, CommandResult>(OrdersTopology.Results);
        app.MapGet("/metrics", (PrometheusText metrics) => Results.Text(metrics.Collect(), "text/plain; version=0.0.4"));
        app.MapHealthChecks("/health");
        return app;
    }

    public sealed record PlaceBody(string Customer, long Cents);
}
