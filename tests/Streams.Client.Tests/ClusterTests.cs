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

/// <summary>The clients over TCP on a Broker.Lite, with either library under them.</summary>
public abstract class KafkaClientTests(string library) : ClientTests
{
    private BrokerServer? _broker;

    protected override async ValueTask<ICluster> StartClusterAsync()
    {
        _broker = await BrokerServer.StartAsync(new BrokerOptions { Port = 0 }, Token);
        return new KafkaCluster($"127.0.0.1:{_broker.EndPoint!.Port}", new Dictionary<string, string> { ["client.library"] = library });
    }

    protected override async ValueTask StopClusterAsync()
    {
        if (_broker is not null) await _broker.DisposeAsync();
    }
}

/// <inheritdoc/>
public sealed class KafkaClientTestsWithConfluent() : KafkaClientTests("confluent");

/// <inheritdoc/>
public sealed class KafkaClientTestsWithManaged() : KafkaClientTests("managed");
