using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Streams.Core;
using Streams.Embedded;

namespace Streams.Hosting.Tests;

/// <summary>Applications in a generic host, on an embedded broker in memory.</summary>
public sealed class HostTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Application_starts_and_closes_with_its_host()
    {
        await using var cluster = await ClusterAsync("in", "out");
        Produce(cluster, "in", "a", "b");
        using var host = Host(services => services.AddKafkaStreams("upper", streams => streams
            .Configure(config => Fast(config, cluster))
            .Topology(builder => builder.Stream<string, string>("in").MapValues(value => value.ToUpperInvariant()).To("out"))));
        var app = host.Services.GetRequiredService<KafkaStreams>();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => EndOffset(cluster, "out") == 2);
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(KafkaStreamsState.NotRunning, app.State);

        // What was processed was committed on the way out: a second host begins behind it.
        using var again = Host(services => services.AddKafkaStreams("upper", streams => streams
            .Configure(config => Fast(config, cluster))
            .Topology(builder => builder.Stream<string, string>("in").MapValues(value => value.ToUpperInvariant()).To("out"))));
        Produce(cluster, "in", "c");
        await again.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => EndOffset(cluster, "out") >= 3);
        await again.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, EndOffset(cluster, "out"));
    }

    [Fact]
    public async Task Two_applications_run_in_one_host_with_settings_of_their_own()
    {
        await using var cluster = await ClusterAsync("in", "one", "two");
        Produce(cluster, "in", "a");
        var settings = new ConfigurationBuilder().AddInMemoryCollection(
            [KeyValuePair.Create<string, string?>("Two:application.id", "renamed"), KeyValuePair.Create<string, string?>("Two:NumStreamThreads", "2")]).Build();
        using var host = Host(services => services
            .AddKafkaStreams("one", streams => streams.Configure(config => Fast(config, cluster)).Topology(builder => builder.Stream<string, string>("in").To("one")))
            .AddKafkaStreams("two", streams => streams
                .Configure(config => Fast(config, cluster)).Configure(settings.GetSection("Two"))
                .Topology(builder => builder.Stream<string, string>("in").To("two"))));
        await host.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => EndOffset(cluster, "one") == 1 && EndOffset(cluster, "two") == 1);
        Assert.Same(host.Services.GetRequiredKeyedService<KafkaStreams>("one"), host.Services.GetRequiredService<KafkaStreams>());
        var second = host.Services.GetRequiredKeyedService<KafkaStreams>("two");
        Assert.Equal(2, second.TasksByThread.Count);
        Assert.All(second.Metrics, metric => Assert.Equal("renamed", metric.Tags["application-id"]));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Second_application_of_a_name_is_refused()
    {
        var services = new ServiceCollection();
        services.AddKafkaStreams("app", _ => { });
        Assert.Throws<ArgumentException>(() => services.AddKafkaStreams("app", _ => { }));
    }

    [Fact]
    public async Task Processors_and_serdes_come_from_the_services()
    {
        await using var cluster = await ClusterAsync("in");
        Produce(cluster, "in", "1,2", "3,4");
        using var host = Host(services => services
            .AddSingleton<Seen>()
            .AddSingleton<ISerde<Point>, PointSerde>()
            .AddKafkaStreams("points", streams => streams
                .Configure(config => Fast(config, cluster))
                .Topology((provider, builder) => builder.Stream<string, Point>("in").Process(provider.ProcessorFactory<Collect>()))));
        await host.StartAsync(TestContext.Current.CancellationToken);
        var seen = host.Services.GetRequiredService<Seen>();
        await UntilAsync(() => seen.Points.Count == 2);
        Assert.Equal([new Point(1, 2), new Point(3, 4)], seen.Points);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Failing_application_stops_its_host_and_is_unhealthy()
    {
        await using var cluster = await ClusterAsync("in");
        Produce(cluster, "in", "boom");
        using var host = Host(services => services
            .AddKafkaStreams("failing", streams => streams
                .Configure(config => Fast(config, cluster))
                .Topology(builder => builder.Stream<string, string>("in").ForEach((_, _) => throw new FormatException("boom"))))
            .AddHealthChecks().AddKafkaStreams("failing"));
        var stopping = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await stopping.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, Environment.ExitCode);
        Environment.ExitCode = 0;
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.IsType<ProcessorException>(report.Entries["failing"].Exception);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Running_application_is_healthy_and_reports_its_numbers()
    {
        await using var cluster = await ClusterAsync("in", "out");
        Produce(cluster, "in", "a", "b", "c");
        using var host = Host(services => services
            .AddKafkaStreams("healthy", streams => streams
                .Configure(config => Fast(config, cluster))
                .Topology(builder => builder.Stream<string, string>("in").To("out")))
            .AddHealthChecks().AddKafkaStreams("healthy", tags: ["ready"]));
        await host.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => EndOffset(cluster, "out") == 3 && host.Services.GetRequiredService<KafkaStreams>().State == KafkaStreamsState.Running);
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("ready"), TestContext.Current.CancellationToken);
        var entry = report.Entries["healthy"];
        Assert.Equal(HealthStatus.Healthy, entry.Status);
        Assert.Equal(3L, entry.Data["processed"]);
        Assert.Equal(1, entry.Data["tasks"]);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Start_of_the_host_fails_when_the_settings_cannot_be_used()
    {
        using var host = Host(services => services.AddKafkaStreams("broken", streams => streams
            .Configure(config => config with { NumStreamThreads = 0 })
            .Topology(builder => builder.Stream<string, string>("in").To("out"))));
        await Assert.ThrowsAsync<ConfigException>(() => host.StartAsync(TestContext.Current.CancellationToken));
    }

    private static IHost Host(Action<IServiceCollection> add)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        add(builder.Services);
        return builder.Build();
    }

    private static StreamsConfig Fast(StreamsConfig config, EmbeddedCluster cluster) => config with
    {
        Cluster = cluster,
        CommitInterval = TimeSpan.FromMilliseconds(100),
        HeartbeatInterval = TimeSpan.FromMilliseconds(50),
        StateDirectory = Path.Combine(Path.GetTempPath(), "streams-hosting-tests", Guid.NewGuid().ToString("n")),
    };

    private static async Task<EmbeddedCluster> ClusterAsync(params string[] topics)
    {
        var cluster = EmbeddedCluster.InMemory();
        using var admin = cluster.CreateAdmin("test");
        await admin.CreateTopicsAsync([.. topics.Select(topic => new NewTopic(topic, 1, 1, new Dictionary<string, string>()))], CancellationToken.None);
        return cluster;
    }

    private static void Produce(EmbeddedCluster cluster, string topic, params string[] values)
    {
        using var producer = cluster.CreateProducer(new ProducerOptions { ClientId = "test" });
        var handle = producer.GetTopic(topic);
        foreach (var value in values) producer.Send(handle, 0, new OutgoingRecord("k"u8, true, Encoding.UTF8.GetBytes(value), true, 1_700_000_000_000, null));
        producer.Flush(CancellationToken.None);
    }

    private static long EndOffset(EmbeddedCluster cluster, string topic)
    {
        using var admin = cluster.CreateAdmin("test");
        return admin.EndOffsetsAsync([new TopicPartition(topic, 0)], false, CancellationToken.None).GetAwaiter().GetResult().Values.Single();
    }

    // What is waited for happens on other threads that have no event to offer.
    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(_patience);
        while (!condition()) await Task.Delay(10, timeout.Token);
    }

    private sealed record Point(int X, int Y);

    private sealed class Seen
    {
        public ConcurrentQueue<Point> Points { get; } = new();
    }

    private sealed class Collect(Seen seen) : Processor<string, Point, string, Point>
    {
        public override void Process(in Record<string, Point> record) => seen.Points.Enqueue(record.Value);
    }

    private sealed class PointSerde : ISerde<Point>
    {
        public void Serialize(Point value, IBufferWriter<byte> output) => output.Write(Encoding.UTF8.GetBytes($"{value.X},{value.Y}"));

        public Point Deserialize(ReadOnlySpan<byte> data)
        {
            var parts = Encoding.UTF8.GetString(data).Split(',');
            return new Point(int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}
