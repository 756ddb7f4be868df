using Broker.Lite;
using Streams.Core;
using Streams.Embedded;
using Streams.Kafka;

namespace Streams.Client.Tests;

/// <summary>The clients on a broker in this process, called directly.</summary>
public sealed class EmbeddedClientTests : ClientTests
{
    protected override ValueTask<ICluster> StartClusterAsync() => ValueTask.FromResult<ICluster>(EmbeddedCluster.InMemory());
}

/// <summary>The clients over TCP and Confluent.Kafka, on a Broker.Lite.</summary>
public sealed class KafkaClientTests : ClientTests
{
    private BrokerServer? _broker;

    protected override async ValueTask<ICluster> StartClusterAsync()
    {
        _broker = await BrokerServer.StartAsync(new BrokerOptions { Port = 0 }, Token);
        return new KafkaCluster($"127.0.0.1:{_broker.EndPoint!.Port}");
    }

    protected override async ValueTask StopClusterAsync()
    {
        if (_broker is not null) await _broker.DisposeAsync();
    }
}
