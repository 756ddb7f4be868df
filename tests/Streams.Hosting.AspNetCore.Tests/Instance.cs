using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Streams.Core;
using Streams.Dsl;
using Streams.Embedded;

namespace Streams.Hosting.AspNetCore.Tests;

/// <summary>A web application with a topology on an embedded broker, at a real port.</summary>
internal sealed class Instance : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly string _folder;

    private Instance(WebApplication app, string folder, int port)
    {
        _app = app;
        _folder = folder;
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = _patience };
    }

    public HttpClient Http { get; }

    public KafkaStreams Streams => _app.Services.GetRequiredService<KafkaStreams>();

    public static async Task<Instance> StartAsync(
        EmbeddedCluster cluster,
        Action<StreamsBuilder> topology,
        Action<WebApplication> map,
        Func<StreamsConfig, StreamsConfig>? configure = null,
        Action<IServiceCollection>? services = null,
        bool named = true)
    {
        var port = Ports.Take();
        var folder = Path.Combine(Path.GetTempPath(), "streams-web-tests", Guid.NewGuid().ToString("n"));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddKafkaStreams("web", streams => streams
            .Configure(config => config with
            {
                Cluster = cluster,
                CommitInterval = TimeSpan.FromMilliseconds(100),
                HeartbeatInterval = TimeSpan.FromMilliseconds(50),
                StateDirectory = folder,
                ApplicationServer = named ? $"127.0.0.1:{port}" : null,
            })
            .Configure(configure ?? (config => config))
            .Topology(topology));
        services?.Invoke(builder.Services);
        var app = builder.Build();
        map(app);
        var instance = new Instance(app, folder, port);
        await app.StartAsync();
        return instance;
    }

    public static async Task<EmbeddedCluster> ClusterAsync(int partitions, params string[] topics)
    {
        var cluster = EmbeddedCluster.InMemory();
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, partitions, 1, new Dictionary<string, string>()))], CancellationToken.None);
        return cluster;
    }

    /// <summary>Writes records to where their keys belong.</summary>
    public static void Produce(ICluster cluster, string topic, int partitions, IEnumerable<(byte[] Key, string Value, long Timestamp)> records)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        var handle = producer.GetTopic(topic);
        foreach (var (key, value, timestamp) in records)
            producer.Send(handle, Murmur2Partition(key, partitions), new OutgoingRecord(key, true, Encoding.UTF8.GetBytes(value), true, timestamp, null));
        producer.Flush(CancellationToken.None);
    }

    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    // What is waited for happens on other threads that have no event to offer.
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var timeout = new CancellationTokenSource(_patience);
        while (!await condition()) await Task.Delay(10, timeout.Token);
    }

    public async Task<string> GetAsync(string path)
    {
        using var response = await Http.GetAsync(path);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    // Kafka's default partitioning, written down once more, so that the tests do not believe the code that they test.
    public static int Murmur2Partition(ReadOnlySpan<byte> key, int partitions)
    {
        const uint M = 0x5bd1e995;
        var hash = 0x9747b28c ^ (uint)key.Length;
        var index = 0;
        for (; key.Length - index >= 4; index += 4)
        {
            var word = (uint)(key[index] | (key[index + 1] << 8) | (key[index + 2] << 16) | (key[index + 3] << 24)) * M;
            hash = (hash * M) ^ ((word ^ (word >> 24)) * M);
        }

        var rest = key.Length - index;
        if (rest >= 3) hash ^= (uint)key[index + 2] << 16;
        if (rest >= 2) hash ^= (uint)key[index + 1] << 8;
        if (rest >= 1) hash = (hash ^ key[index]) * M;
        hash = (hash ^ (hash >> 13)) * M;
        return (int)((hash ^ (hash >> 15)) & 0x7fffffff) % partitions;
    }
}
