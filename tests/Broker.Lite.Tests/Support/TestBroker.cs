using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Support;

/// <summary>A broker in this process on a manual clock, in memory unless given a folder, with short forms of the requests tests send most.</summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private readonly BrokerServer _server;

    private TestBroker(BrokerServer server, ManualClock clock)
    {
        _server = server;
        Clock = clock;
        Client = server.Connect("test");
    }

    public ManualClock Clock { get; }

    public LocalConnection Client { get; }

    public BrokerServer Server => _server;

    public int Port => _server.EndPoint!.Port;

    public static Task<TestBroker> StartAsync(params (string Key, string Value)[] settings) =>
        StartAsync(new BrokerOptions { Settings = settings.ToDictionary(setting => setting.Key, setting => setting.Value) });

    public static async Task<TestBroker> StartAsync(BrokerOptions options, ManualClock? clock = null)
    {
        clock ??= new ManualClock();
        return new TestBroker(await BrokerServer.StartAsync(options with { TimeProvider = clock }), clock);
    }

    public async Task<TResponse> SendAsync<TResponse>(IRequest<TResponse> request)
        where TResponse : IApiMessage, new() => await Client.SendAsync(request);

    public async Task CreateTopicAsync(string name, int partitions = 1, params (string Key, string Value)[] configs)
    {
        var response = await SendAsync(new CreateTopicsRequest
        {
            Topics =
            [
                new()
                {
                    Name = name,
                    NumPartitions = partitions,
                    ReplicationFactor = 1,
                    Configs = [.. configs.Select(config => new CreateTopicsRequest.CreatableTopicConfig { Name = config.Key, Value = config.Value })],
                },
            ],
        });
        Assert.Equal(ErrorCode.None, response.Topics[0].ErrorCode);
    }

    public async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(string topic, byte[] batch, int partition = 0, short acks = -1)
    {
        var response = await SendAsync(Produce(topic, batch, partition, acks));
        return response.Responses[0].PartitionResponses[0];
    }

    public static ProduceRequest Produce(string topic, byte[] batch, int partition = 0, short acks = -1) => new()
    {
        Acks = acks,
        TimeoutMs = 1000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = batch }] }],
    };

    public async Task<FetchResponse.PartitionData> FetchAsync(string topic, long offset, int partition = 0, int maxWaitMs = 0, int minBytes = 1, int maxBytes = 1 << 20)
    {
        var response = await SendAsync(Fetch(topic, offset, partition, maxWaitMs, minBytes, maxBytes));
        return response.Responses[0].Partitions[0];
    }

    public static FetchRequest Fetch(string topic, long offset, int partition = 0, int maxWaitMs = 0, int minBytes = 1, int maxBytes = 1 << 20) => new()
    {
        MaxWaitMs = maxWaitMs,
        MinBytes = minBytes,
        MaxBytes = maxBytes,
        Topics = [new() { Topic = topic, Partitions = [new() { Partition = partition, FetchOffset = offset, PartitionMaxBytes = maxBytes }] }],
    };

    /// <summary>Waits until that many fetches are parked on a partition, which over sockets happens a moment after they were sent.</summary>
    public async Task ParkedFetchesAsync(string topic, int count, int partition = 0)
    {
        var parked = _server.State.View.Find(topic, partition)!;
        while (parked.WaiterCount < count)
            await Task.Yield();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
