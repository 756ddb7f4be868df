using Broker.Lite.Tests.Support;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Security;

public sealed class ListenerTests
{
    [Fact]
    public async Task Several_listeners_serve_and_each_tells_its_own_address()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["listeners"] = "INTERNAL://127.0.0.1:0,EXTERNAL://127.0.0.1:0",
                ["advertised.listeners"] = "EXTERNAL://broker.example:1234",
                ["listener.security.protocol.map"] = "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT",
                ["listener.name.external.max.connections"] = "1",
            },
        });
        var ends = broker.Server.EndPoints;
        using var inside = new RawClient(ends["INTERNAL"].Port);
        using var outside = new RawClient(ends["EXTERNAL"].Port);
        var seenInside = (await inside.CallAsync(new MetadataRequest { Topics = [] }, 4)).Brokers.Single();
        var seenOutside = (await outside.CallAsync(new MetadataRequest { Topics = [] }, 4)).Brokers.Single();
        Assert.Equal(("127.0.0.1", ends["INTERNAL"].Port), (seenInside.Host, seenInside.Port));
        Assert.Equal(("broker.example", 1234), (seenOutside.Host, seenOutside.Port));

        using var tooMany = new RawClient(ends["EXTERNAL"].Port);
        await tooMany.AssertClosedAsync();
        using var elsewhere = new RawClient(ends["INTERNAL"].Port);
        await elsewhere.CallAsync(new MetadataRequest { Topics = [] }, 4);
    }

    [Fact]
    public void Everything_wrong_with_the_listeners_is_reported_together()
    {
        var fault = Assert.Throws<ArgumentException>(() => new BrokerOptions
        {
            Port = 1,
            Settings = new Dictionary<string, string>
            {
                ["listeners"] = "A://:1,SSL://no-address:2,SSL://:3,PLAINTEXT://:x,PLAINTEXT://:70000,nonsense",
                ["advertised.listeners"] = "OTHER://h:1,SSL://0.0.0.0:1",
                ["listener.security.protocol.map"] = "B:NOPE",
                ["listener.name.ssl.ssl.client.auth"] = "maybe",
                ["listener.name.ssl.num.partitions"] = "1",
                ["listener.name.gone.ssl.client.auth"] = "none",
            },
        }.Validate());
        foreach (var part in new[]
            { "protocol listener A", "'no-address'", "'PLAINTEXT://:x'", "'PLAINTEXT://:70000'", "'nonsense'", "OTHER", "'B:NOPE'", "maybe", "listener.name.ssl.num.partitions", "'gone'", "cannot both be given" })
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_from_one_address_are_limited_and_the_place_is_free_again_when_one_ends()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0, Settings = new Dictionary<string, string> { ["max.connections.per.ip"] = "9", ["max.connections.per.ip.overrides"] = "127.0.0.1:1" } });
        var first = new RawClient(broker.Port);
        await first.CallAsync(new ListGroupsRequest(), 0);
        using (var second = new RawClient(broker.Port))
            await second.AssertClosedAsync();
        first.Dispose();
        while (true)
        {
            using var third = new RawClient(broker.Port);
            await third.SendAsync(new ListGroupsRequest(), 0, 1);
            if (await third.ReceiveFrameAsync() is not null)
                break;
        }
    }
}
