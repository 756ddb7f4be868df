using Streams.Core;
using Streams.Kafka.Tests.Support;
using Streams.Tests.Shared;

namespace Streams.Kafka.Tests;

/// <summary>Whole applications on a running Apache Kafka, with either library's clients; skipped without one.</summary>
public abstract class ExternalKafkaApplicationTests(string library) : ApplicationContractTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ExternalKafka.ConnectAsync(library);
}

/// <inheritdoc/>
public sealed class ExternalKafkaApplicationTestsWithConfluent() : ExternalKafkaApplicationTests(Library.Confluent);

/// <inheritdoc/>
public sealed class ExternalKafkaApplicationTestsWithManaged() : ExternalKafkaApplicationTests(Library.Managed);
