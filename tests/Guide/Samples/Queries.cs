using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Streams.Embedded;
using Streams.Hosting;
using Streams.Hosting.AspNetCore;

namespace Guide.Samples;

/// <summary>docs/guide/queries.md.</summary>
public sealed class Queries
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task In_the_process()
    {
        await using var cluster = await VisitsAsync();
        var topology = new StreamsBuilder();
        Write(topology);
        await using var app = new KafkaStreams(topology.Build(), new StreamsConfig { ApplicationId = "visits", Cluster = cluster, StateDirectory = Folders.New(), CommitInterval = TimeSpan.FromMilliseconds(100) });
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var timeout = new CancellationTokenSource(_patience);
        while (app.ProcessedRecords < 4 || app.State != KafkaStreamsState.Running) await Task.Delay(20, timeout.Token);
        var seen = new List<string>();

        // <snippet queries-local>
        var counts = app.Store(StoreQueryParameters.FromNameAndType("visits-by-page", QueryableStoreTypes.KeyValueStore<string, long>()));
        var home = counts.TryGet("home", out var count) ? count : 0;
        foreach (var (page, visits) in counts.Range("a", "m").AsEnumerable()) seen.Add($"{page}: {visits}");
        // </snippet>
        Assert.Equal(2, home);
        Assert.Equal(["about: 1", "home: 2"], seen);

        // <snippet queries-async>
        var query = StateQueryRequest.Of("visits-by-page", StoreQuery.Key<string, long>("home"));
        var answer = (await app.QueryAsync(query)).OnlyPartitionResult;
        var notOlder = await app.QueryAsync(query with { PositionBound = answer.Position, IsolationLevel = IsolationLevel.ReadCommitted });
        // </snippet>
        Assert.Equal(2, answer.Result.Value);
        Assert.Equal(2, notOlder.OnlyPartitionResult.Result.Value);
    }

    [Fact]
    public async Task Over_http()
    {
        await using var cluster = await VisitsAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("Streams:state.dir", Folders.New())]);

        // <snippet queries-http>
        builder.Services.AddKafkaStreams("visits", streams => streams
            .Configure(config => config with { Cluster = cluster, ApplicationServer = "127.0.0.1:8080" })   // where the other instances reach this one
            .Configure(builder.Configuration.GetSection("Streams"))
            .Topology(Write));

        var web = builder.Build();
        web.MapStateStore<string, long>("visits-by-page", new() { MaxStaleLag = 1_000 });
        // </snippet>
        await web.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = new Uri(web.Urls.Single()), Timeout = _patience };
        using var timeout = new CancellationTokenSource(_patience);
        for (;;)
        {
            using var response = await http.GetAsync("/visits-by-page/home", timeout.Token);
            if (response.IsSuccessStatusCode && await response.Content.ReadFromJsonAsync<long>(timeout.Token) == 2) break;
            await Task.Delay(20, timeout.Token);
        }

        await web.StopAsync(TestContext.Current.CancellationToken);
        await web.DisposeAsync();
    }

    private static void Write(StreamsBuilder builder)
    {
        // <snippet queries-topology>
        builder.Stream<string, string>("visits")
            .GroupByKey()
            .Count(Materialized.As("visits-by-page"));
        // </snippet>
    }

    private static async Task<EmbeddedCluster> VisitsAsync()
    {
        var cluster = EmbeddedCluster.InMemory();
        using (var admin = cluster.CreateAdmin("guide"))
            await admin.CreateTopicsAsync([new NewTopic("visits", 1, 1, new Dictionary<string, string>())], CancellationToken.None);
        Topics.Produce(cluster, "visits", [("home", "ann"), ("about", "bob"), ("home", "bob"), ("news", "ann")]);
        return cluster;
    }
}
