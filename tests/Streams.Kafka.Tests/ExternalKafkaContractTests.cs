using Streams.Core;
using Streams.Kafka.Tests.Support;
using Streams.Tests.Shared;

namespace Streams.Kafka.Tests;

/// <summary>The ports' contract on a running Apache Kafka, with either library's clients; skipped without one.</summary>
public abstract class ExternalKafkaContractTests(string library) : ClusterContractTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ExternalKafka.ConnectAsync(library);
}

/// <inheritdoc/>
public sealed class ExternalKafkaContractTestsWithConfluent() : ExternalKafkaContractTests(Library.Confluent);

/// <inheritdoc/>
public sealed class ExternalKafkaContractTestsWithManaged() : ExternalKafkaContractTests(Library.Managed);
