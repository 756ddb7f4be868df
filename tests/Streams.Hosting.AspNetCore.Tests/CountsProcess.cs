using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Dsl;

namespace Streams.Hosting.AspNetCore.Tests;

/// <summary>One instance of an application in the generic host that serves its counts: bootstrap servers, state folder, port, session time-out in ms, standbys, whose clients.</summary>
internal static class CountsProcess
{
    public const string Input = "in";
    public const string Store = "counts";

    public static async Task<int> RunAsync(string[] args)
    {
        var port = int.Parse(args[2], CultureInfo.InvariantCulture);
        var session = TimeSpan.FromMilliseconds(int.Parse(args[3], CultureInfo.InvariantCulture));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddKafkaStreams("web-counts", streams => streams
            .Configure(config => config with
            {
                BootstrapServers = args[0],
                ClientProperties = new Dictionary<string, string> { ["client.library"] = args[5] },
                StateDirectory = args[1],
                ApplicationServer = $"127.0.0.1:{port}",
                ProcessingGuarantee = ProcessingGuarantee.ExactlyOnce,
                TransactionTimeout = session,
                CommitInterval = TimeSpan.FromMilliseconds(100),
                SessionTimeout = session,
                HeartbeatInterval = session / 10,
                NumStandbyReplicas = int.Parse(args[4], CultureInfo.InvariantCulture),
            })
            .Topology(topology => topology.Stream<string, string>(Input).GroupByKey().Count(Materialized.As(Store).WithCachingDisabled())));
        await using var app = builder.Build();

        // Without standbys not even a store that has been restored and is about to run may answer: every answer is an active task's.
        app.MapStateStore<string, long>(Store, new() { RetryTimeout = TimeSpan.FromSeconds(60), MaxStaleLag = args[4] == "0" ? null : 0 });
        await app.StartAsync();

        // Whoever started it holds the other end of its input; when that is gone, so is the reason to be here.
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await app.StopAsync();
        return 0;
    }
}
