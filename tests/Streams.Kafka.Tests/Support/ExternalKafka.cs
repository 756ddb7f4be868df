using Streams.Core;
using Xunit;

namespace Streams.Kafka.Tests.Support;

/// <summary>The Apache Kafka that the tests may use: the one named by <c>KAFKA_BOOTSTRAP_SERVERS</c>, else one in a container where the tests were built for it.</summary>
internal static class ExternalKafka
{
    private const string Variable = "KAFKA_BOOTSTRAP_SERVERS";

    /// <summary>Connects to it; skips the running test where there is none.</summary>
    public static async ValueTask<ICluster> ConnectAsync(string library)
    {
        var servers = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(servers)) servers = await StartAsync();
        return new KafkaCluster(servers, Library.Settings(library));
    }

#if WITH_TESTCONTAINERS
    private static Task<string> StartAsync() => KafkaInContainer.BootstrapServersAsync();
#else
    private static Task<string> StartAsync()
    {
        Assert.Skip($"{Variable} is not set, and the tests were built without Testcontainers (-p:WithTestcontainers=true).");
        return Task.FromResult("");
    }
#endif
}
