using System.Buffers.Binary;
using System.Net.Sockets;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Network;

/// <summary>
/// Clients that are slow, silent or greedy, by mistake or on purpose: what they hold is bounded, they are closed in the end, and the others
/// do not notice. Over real sockets, on a manual clock.
/// </summary>
public sealed class SlowClientTests
{
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Client_that_trickles_a_request_is_closed_after_the_idle_time_however_regularly_it_does()
    {
        await using var broker = await StartAsync();
        var slow = Enumerable.Range(0, 50).Select(_ => new RawClient(broker.Port)).ToList();
        using var frame = MessageFrames.EncodeRequest(new MetadataRequest { Topics = null }, 12, 3, "slow");
        var bytes = frame.ToArray();
        // One byte every five seconds: after the idle time the request is still not whole.
        for (var sent = 0; sent < _idle / TimeSpan.FromSeconds(5); sent++)
        {
            foreach (var client in slow)
                await client.SendAsync(bytes.AsMemory(sent, 1));
            await AssertServesAsync(broker);
            broker.Clock.Advance(TimeSpan.FromSeconds(5));
        }

        broker.Clock.Advance(_idle / 2);
        foreach (var client in slow)
        {
            await client.AssertClosedAsync();
            client.Dispose();
        }

        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Client_that_announces_a_large_request_and_stops_in_the_middle_gives_its_memory_back()
    {
        const int Limit = 4 << 20;
        await using var broker = await StartAsync(("queued.max.request.bytes", $"{Limit}"));
        await broker.CreateTopicAsync("t", 1, ("max.message.bytes", "20000000"));
        // Each holds half of what all requests together may hold, and never finishes.
        var half = new byte[4 + Limit / 2];
        BinaryPrimitives.WriteInt32BigEndian(half, 20_000_000);
        var stuck = Enumerable.Range(0, 4).Select(_ => new RawClient(broker.Port)).ToList();
        var sending = stuck.Select(client => SendUntilClosedAsync(client, half)).ToList();
        // Small requests need none of that memory.
        await AssertServesAsync(broker);
        using var large = new RawClient(broker.Port);
        var produce = TestBroker.Produce("t", Batches.Of(new string('y', 3_000_000)));
        var producing = large.CallAsync(produce, 9);
        for (var step = 0; step < 8; step++)
        {
            await AssertServesAsync(broker);
            broker.Clock.Advance(TimeSpan.FromSeconds(15));
        }

        foreach (var client in stuck)
            await client.AssertClosedAsync();
        await Task.WhenAll(sending).WaitAsync(_patience, TestContext.Current.CancellationToken);
        // The large request was refused for want of memory or taken; asked again it is taken, for there is room.
        try
        {
            await producing;
        }
        catch (InvalidOperationException)
        {
            // closed: it had waited for memory for as long as is allowed
        }

        using var again = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.None, (await again.CallAsync(produce, 9)).Responses[0].PartitionResponses[0].ErrorCode);
        stuck.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Client_that_never_reads_its_responses_holds_one_of_them_and_is_closed_after_the_idle_time()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.Of(new string('x', 900_000)));
        var deaf = Enumerable.Range(0, 20).Select(_ => new RawClient(broker.Port)).ToList();
        using var fetch = MessageFrames.EncodeRequest(TestBroker.Fetch("t", 0), 12, 1, "deaf");
        var requests = Enumerable.Repeat(fetch.ToArray(), 200).SelectMany(bytes => bytes).ToArray();
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var client in deaf)
            await client.SendAsync(requests);
        for (var i = 0; i < 20; i++)
            await AssertServesAsync(broker);
        // 20 clients asked for 200 answers of 900 KB each, 3.6 GB.
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(held < 100_000_000, $"{held} bytes are held");

        broker.Clock.Advance(_idle / 2);
        await AssertServesAsync(broker);
        broker.Clock.Advance(2 * _idle);
        foreach (var client in deaf)
        {
            await DrainAsync(client.Socket);
            client.Dispose();
        }

        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Connections_beyond_the_limits_are_refused_while_those_that_are_in_go_on()
    {
        await using var broker = await StartAsync(("max.connections", "20"));
        await broker.CreateTopicAsync("t");
        using var member = new RawClient(broker.Port);
        await member.CallAsync(new ApiVersionsRequest(), 0);
        var crowd = Enumerable.Range(0, 300).Select(_ => new RawClient(broker.Port)).ToList();
        for (var i = 0; i < 20; i++)
            Assert.Equal(ErrorCode.None, (await member.CallAsync(TestBroker.Produce("t", Batches.Of("x")), 9, i)).Responses[0].PartitionResponses[0].ErrorCode);
        var open = 0;
        foreach (var client in crowd)
        {
            try
            {
                await client.CallAsync(new ApiVersionsRequest(), 0);
                open++;
            }
            catch (Exception e) when (e is InvalidOperationException or SocketException)
            {
                // one of those that were refused
            }
        }

        Assert.Equal(19, open);
        crowd.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Requests_about_ten_thousand_partitions_are_answered_whole_and_hold_nobody_up()
    {
        const int Partitions = 10_000;
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("wide", Partitions);
        await broker.CreateTopicAsync("t");
        using var greedy = new RawClient(broker.Port);
        var fetch = TestBroker.Fetch("wide", 0, maxWaitMs: 600_000);
        fetch.Topics[0].Partitions = [.. Enumerable.Range(0, Partitions).Select(partition => new FetchRequest.FetchPartition { Partition = partition, PartitionMaxBytes = 1 << 20 })];
        await greedy.SendAsync(fetch, 12, 1);
        await broker.ParkedFetchesAsync("wide", 1, Partitions - 1);
        await AssertServesAsync(broker);
        await broker.ProduceAsync("wide", Batches.Of("x"), partition: 7777);
        var fetched = await greedy.ReceiveAsync(fetch, 12, 1);
        Assert.Equal(Partitions, fetched.Responses[0].Partitions.Count);
        Assert.Equal([7777], fetched.Responses[0].Partitions.Where(partition => partition.Records is { Length: > 0 }).Select(partition => partition.PartitionIndex));

        var listed = await greedy.CallAsync(
            new ListOffsetsRequest { Topics = [new() { Name = "wide", Partitions = [.. Enumerable.Range(0, Partitions).Select(partition => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = partition, Timestamp = -1 })] }] }, 7, 2);
        Assert.Equal(1, listed.Topics[0].Partitions.Sum(partition => partition.Offset));
        var batch = Batches.Of("y");
        var produced = await greedy.CallAsync(
            new ProduceRequest { Acks = -1, TopicData = [new() { Name = "wide", PartitionData = [.. Enumerable.Range(0, Partitions).Select(partition => new ProduceRequest.PartitionProduceData { Index = partition, Records = batch })] }] }, 9, 3);
        Assert.All(produced.Responses[0].PartitionResponses, partition => Assert.Equal(ErrorCode.None, partition.ErrorCode));
        var committed = await greedy.CallAsync(
            new OffsetCommitRequest { GroupId = "g", GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "wide", Partitions = [.. Enumerable.Range(0, Partitions).Select(partition => new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = partition, CommittedOffset = 1 })] }] }, 8, 4);
        Assert.All(committed.Topics[0].Partitions, partition => Assert.Equal(ErrorCode.None, partition.ErrorCode));
        var described = await greedy.CallAsync(new MetadataRequest { Topics = null }, 12, 5);
        Assert.Equal(Partitions + 1 + 1, described.Topics.Sum(topic => topic.Partitions.Count)); // and __consumer_offsets
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Ten_thousand_partitions_that_do_not_exist_are_so_many_errors()
    {
        const int Partitions = 10_000;
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("t");
        using var client = new RawClient(broker.Port);
        var fetch = TestBroker.Fetch("t", 0, maxWaitMs: 600_000);
        fetch.Topics[0].Partitions = [.. Enumerable.Range(1, Partitions).Select(partition => new FetchRequest.FetchPartition { Partition = partition })];
        var fetched = await client.CallAsync(fetch, 12, 1);
        Assert.All(fetched.Responses[0].Partitions, partition => Assert.Equal(ErrorCode.UnknownTopicOrPartition, partition.ErrorCode));
        Assert.Equal(Partitions, fetched.Responses[0].Partitions.Count);
        var names = Enumerable.Range(0, Partitions).Select(number => new MetadataRequest.MetadataRequestTopic { Name = $"missing-{number}" });
        var metadata = await client.CallAsync(new MetadataRequest { Topics = [.. names], AllowAutoTopicCreation = false }, 12, 2);
        Assert.All(metadata.Topics, topic => Assert.Equal(ErrorCode.UnknownTopicOrPartition, topic.ErrorCode));
        await AssertServesAsync(broker);
    }

    private static Task<TestBroker> StartAsync(params (string Key, string Value)[] settings) => TestBroker.StartAsync(new BrokerOptions
    {
        Port = 0,
        Settings = settings.Append(("connections.max.idle.ms", $"{_idle.TotalMilliseconds}")).ToDictionary(setting => setting.Item1, setting => setting.Item2),
    });

    private static async Task AssertServesAsync(TestBroker broker)
    {
        using var client = new RawClient(broker.Port);
        Assert.Single((await client.CallAsync(new MetadataRequest { Topics = [] }, 12)).Brokers);
    }

    /// <summary>Sends until everything is out or the broker has had enough; whatever it left in the sockets' buffers is its business.</summary>
    private static async Task SendUntilClosedAsync(RawClient client, byte[] bytes)
    {
        try
        {
            await client.SendAsync(bytes);
        }
        catch (SocketException)
        {
            // closed meanwhile
        }
    }

    /// <summary>Reads what is in flight, to the end that the broker must have set.</summary>
    private static async Task DrainAsync(Socket socket)
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(_patience, TestContext.Current.CancellationToken) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // reset, because requests of ours were unread
        }
    }
}
