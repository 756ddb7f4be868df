using Streams.Core;
using Streams.Kafka.Tests.Support;
using Streams.Tests.Shared;

namespace Streams.Kafka.Tests;

/// <summary>The ports' contract on a running Apache Kafka; skipped without one.</summary>
public sealed class ExternalKafkaContractTests : ClusterContractTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ExternalKafka.ConnectAsync();
}
