using Streams.Core;
using Streams.Kafka.Tests.Support;
using Streams.Tests.Shared;

namespace Streams.Kafka.Tests;

/// <summary>Whole applications on a running Apache Kafka; skipped without one.</summary>
public sealed class ExternalKafkaApplicationTests : ApplicationContractTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ExternalKafka.ConnectAsync();
}
