using Streams.Core;
using Streams.Tests.Shared;
using Xunit;

namespace Streams.Kafka.Tests;

/// <summary>The contract against a running Apache Kafka named by <c>KAFKA_BOOTSTRAP_SERVERS</c>; skipped without one.</summary>
public sealed class ExternalKafkaContractTests : ClusterContractTests
{
    private const string Variable = "KAFKA_BOOTSTRAP_SERVERS";

    protected override ValueTask<ICluster> StartClusterAsync()
    {
        var servers = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(servers)) Assert.Skip($"{Variable} is not set.");
        return new(new KafkaCluster(servers));
    }
}
