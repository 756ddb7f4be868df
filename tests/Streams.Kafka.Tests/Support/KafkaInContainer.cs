using DotNet.Testcontainers.Builders;
using Streams.Kafka.Tests.Support;
using Testcontainers.Kafka;
using Xunit;

[assembly: AssemblyFixture(typeof(KafkaInContainer))]

namespace Streams.Kafka.Tests.Support;

/// <summary>An Apache Kafka in a container, started by the first test that wants one and stopped with the last test of the assembly.</summary>
/// <remarks>
/// Compiled with <c>-p:WithTestcontainers=true</c> only. It was written where the package cannot be restored, against its documentation and source (version in
/// Directory.Packages.props), so it is kept as small as it can be.
/// </remarks>
public sealed class KafkaInContainer : IAsyncDisposable
{
    private const string Image = "apache/kafka:3.9.1";

    private static readonly Lazy<Task<KafkaContainer>> _started = new(StartAsync);

    /// <summary>Where it listens; skips the running test where there is no Docker.</summary>
    internal static async Task<string> BootstrapServersAsync()
    {
        try
        {
            var container = await _started.Value;
            return $"{container.Hostname}:{container.GetMappedPublicPort(KafkaBuilder.KafkaPort)}";
        }
        catch (DockerUnavailableException unavailable)
        {
            Assert.Skip($"KAFKA_BOOTSTRAP_SERVERS is not set, and there is no Docker: {unavailable.Message}");
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_started.IsValueCreated || !_started.Value.IsCompletedSuccessfully) return;
        await (await _started.Value).DisposeAsync();
    }

    private static async Task<KafkaContainer> StartAsync()
    {
        var container = new KafkaBuilder().WithImage(Image).Build();
        await container.StartAsync();
        return container;
    }
}
