using Broker.Lite;
using Streams.Core;
using Streams.Kafka.Tests.Support;
using Streams.Tests.Shared;

namespace Streams.Kafka.Tests;

/// <summary>The contract over TCP against Broker.Lite, with either library's clients.</summary>
public abstract class BrokerLiteContractTests(string library) : ClusterContractTests
{
    private BrokerServer? _broker;

    protected override async ValueTask<ICluster> StartClusterAsync()
    {
        _broker = await BrokerServer.StartAsync(new BrokerOptions { Port = 0 }, Token);
        return new KafkaCluster($"127.0.0.1:{_broker.EndPoint!.Port}", Library.Settings(library));
    }

    protected override async ValueTask StopClusterAsync()
    {
        if (_broker is not null) await _broker.DisposeAsync();
    }
}

/// <inheritdoc/>
public sealed class BrokerLiteContractTestsWithConfluent() : BrokerLiteContractTests(Library.Confluent);

/// <inheritdoc/>
public sealed class BrokerLiteContractTestsWithManaged() : BrokerLiteContractTests(Library.Managed);
