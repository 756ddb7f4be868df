using System.Buffers.Binary;
using System.Net.Sockets;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Network;

/// <summary>The broker over real sockets, raw bytes in and out. Its clock is manual, so nothing here can depend on timing.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task Port_is_not_shared_with_another_broker_and_is_free_again_as_soon_as_that_one_stops()
    {
        int port;
        await using (var first = await TestBroker.StartAsync(new BrokerOptions { Port = 0 }))
        {
            port = first.Port;
            var fault = await Assert.ThrowsAsync<SocketException>(() => TestBroker.StartAsync(new BrokerOptions { Port = port }));
            Assert.Equal(SocketError.AddressAlreadyInUse, fault.SocketErrorCode);

            // The side that closes first keeps the connection in TIME_WAIT: here the broker, when it stops.
            using var client = new RawClient(port);
            await client.CallAsync(new MetadataRequest { Topics = [] }, 12, 1);
            await first.Server.DisposeAsync();
            await client.AssertClosedAsync();
        }

        await using var second = await TestBroker.StartAsync(new BrokerOptions { Port = port });
        Assert.Equal(port, second.Port);
    }

    [Fact]
    public async Task ApiVersions_of_a_version_too_high_is_answered_in_version_0_and_the_connection_stays()
    {
        await using var broker = await StartAsync();
        using var client = new RawClient(broker.Port);
        // Header of ApiVersions v99, then a body of whatever that version may have.
        await client.SendAsync(Frame(ApiKey.ApiVersions, 99, correlationId: 7, [0xFF, 0xFF, 0, 1, 2, 3]));
        var answer = MessageFrames.DecodeResponse(new ApiVersionsRequest(), 0, 7, (await client.ReceiveFrameAsync())!);
        Assert.Equal(ErrorCode.UnsupportedVersion, answer.ErrorCode);
        var own = answer.ApiKeys.Single(api => api.ApiKey == ApiKey.ApiVersions);
        Assert.Equal((0, 4), (own.MinVersion, own.MaxVersion));

        var again = await client.CallAsync(new ApiVersionsRequest { ClientSoftwareName = "a", ClientSoftwareVersion = "1" }, 4, 8);
        Assert.Equal(ErrorCode.None, again.ErrorCode);
    }

    /// <summary>A client that asks for much before it reads anything: what the system sends of the files itself waits for it, and comes whole.</summary>
    [Fact]
    public async Task Much_of_a_log_comes_whole_to_a_client_that_reads_late()
    {
        using var folder = new TestFolder();
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0, DataDirectory = folder.Path });
        await broker.CreateTopicAsync("t");
        var random = new Random(5);
        for (var i = 0; i < 60; i++)
            await broker.ProduceAsync("t", Batches.Of([.. Enumerable.Range(0, 400).Select(_ => new string((char)random.Next('a', 'z'), random.Next(400)))]));
        var expected = (await broker.FetchAsync("t", 0, maxBytes: 100 << 20)).Records!.Value.ToArray();
        Assert.True(expected.Length > 4 << 20, $"only {expected.Length} bytes");

        using var client = new RawClient(broker.Port);
        var offset = 0L;
        var received = new List<byte>();
        while (received.Count < expected.Length)
        {
            // The same many times over, so that the sockets' buffers are full long before the first answer is read.
            for (var i = 0; i < 8; i++)
                await client.SendAsync(TestBroker.Fetch("t", offset, maxBytes: 1 << 20), 12, i);
            var last = ReadOnlyMemory<byte>.Empty;
            for (var i = 0; i < 8; i++)
                last = (await client.ReceiveAsync(TestBroker.Fetch("t", offset), 12, i)).Responses[0].Partitions[0].Records!.Value;
            Assert.Equal(expected.AsSpan(received.Count, last.Length), last.Span);
            received.AddRange(last.Span);
            offset = Batches.EndOffset(last);
        }
    }

    [Fact]
    public async Task Advertised_versions_are_those_the_protocol_reference_asks_for()
    {
        await using var broker = await StartAsync();
        using var client = new RawClient(broker.Port);
        var answer = await client.CallAsync(new ApiVersionsRequest(), 0);
        var expected = new Dictionary<ApiKey, (short, short)>
        {
            [ApiKey.Produce] = (0, 11), [ApiKey.Fetch] = (4, 16), [ApiKey.ListOffsets] = (1, 7), [ApiKey.Metadata] = (0, 12),
            [ApiKey.OffsetCommit] = (2, 9), [ApiKey.OffsetFetch] = (1, 9), [ApiKey.FindCoordinator] = (0, 4), [ApiKey.JoinGroup] = (0, 9),
            [ApiKey.Heartbeat] = (0, 4), [ApiKey.LeaveGroup] = (0, 5), [ApiKey.SyncGroup] = (0, 5), [ApiKey.DescribeGroups] = (0, 5),
            [ApiKey.ListGroups] = (0, 5), [ApiKey.ApiVersions] = (0, 4), [ApiKey.CreateTopics] = (0, 7), [ApiKey.DeleteTopics] = (0, 6),
            [ApiKey.DeleteRecords] = (0, 2), [ApiKey.InitProducerId] = (0, 4), [ApiKey.OffsetForLeaderEpoch] = (0, 4),
            [ApiKey.DescribeConfigs] = (0, 4), [ApiKey.AlterConfigs] = (0, 2), [ApiKey.CreatePartitions] = (0, 3), [ApiKey.DeleteGroups] = (0, 2),
            [ApiKey.IncrementalAlterConfigs] = (0, 1), [ApiKey.OffsetDelete] = (0, 0), [ApiKey.DescribeCluster] = (0, 1),
            [ApiKey.AddPartitionsToTxn] = (0, 3), [ApiKey.AddOffsetsToTxn] = (0, 3), [ApiKey.EndTxn] = (0, 3), [ApiKey.TxnOffsetCommit] = (0, 3),
            [ApiKey.SaslHandshake] = (0, 1), [ApiKey.SaslAuthenticate] = (0, 2), [ApiKey.DescribeAcls] = (0, 3), [ApiKey.CreateAcls] = (0, 3),
            [ApiKey.DeleteAcls] = (0, 3), [ApiKey.DescribeClientQuotas] = (0, 1), [ApiKey.AlterClientQuotas] = (0, 1),
            [ApiKey.DescribeUserScramCredentials] = (0, 0), [ApiKey.AlterUserScramCredentials] = (0, 0),
            [ApiKey.DescribeProducers] = (0, 0), [ApiKey.DescribeTransactions] = (0, 0), [ApiKey.ListTransactions] = (0, 1),
            [ApiKey.DescribeLogDirs] = (0, 4), [ApiKey.AlterReplicaLogDirs] = (0, 2), [ApiKey.DescribeTopicPartitions] = (0, 0),
            [ApiKey.ElectLeaders] = (0, 2), [ApiKey.AlterPartitionReassignments] = (0, 0), [ApiKey.ListPartitionReassignments] = (0, 0),
            [ApiKey.UpdateFeatures] = (0, 1),
            [ApiKey.ConsumerGroupHeartbeat] = (0, 1), [ApiKey.ConsumerGroupDescribe] = (0, 1),
        };
        Assert.Equal(expected.OrderBy(api => api.Key), answer.ApiKeys.ToDictionary(api => api.ApiKey, api => (api.MinVersion, api.MaxVersion)).OrderBy(api => api.Key));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(104857601)]
    [InlineData(int.MaxValue)]
    public async Task Frame_with_an_impossible_length_closes_the_connection_and_the_broker_goes_on(int length)
    {
        await using var broker = await StartAsync();
        using var client = new RawClient(broker.Port);
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, length);
        await client.SendAsync(bytes);
        await client.AssertClosedAsync();
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Length_that_is_announced_but_never_sent_costs_no_memory()
    {
        await using var broker = await StartAsync();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var clients = Enumerable.Range(0, 20).Select(_ => new RawClient(broker.Port)).ToList();
        var announcement = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(announcement, 100_000_000);
        foreach (var client in clients)
            await client.SendAsync(announcement);
        await AssertServesAsync(broker);
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 50_000_000);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Unknown_api_key_and_unsupported_version_close_the_connection()
    {
        await using var broker = await StartAsync();
        foreach (var (key, version) in new (ApiKey, short)[] { ((ApiKey)999, 0), ((ApiKey)(-1), 0), (ApiKey.Fetch, 99), (ApiKey.Fetch, 3), (ApiKey.Metadata, -1), (ApiKey.LeaderAndIsr, 0) })
        {
            using var client = new RawClient(broker.Port);
            await client.SendAsync(Frame(key, version, 1, [0xFF, 0xFF, 0, 0, 0, 0]));
            await client.AssertClosedAsync();
        }

        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Random_frames_never_take_the_broker_down()
    {
        var seed = Environment.ProcessId;
        var random = new Random(seed);
        await using var broker = await StartAsync();
        var keys = Enum.GetValues<ApiKey>();
        for (var i = 0; i < 300; i++)
        {
            using var client = new RawClient(broker.Port);
            var body = new byte[random.Next(200)];
            random.NextBytes(body);
            await client.SendAsync(Frame(keys[random.Next(keys.Length)], (short)random.Next(12), i, body));
        }

        await AssertServesAsync(broker);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
    }

    [Fact]
    public async Task Request_that_arrives_byte_by_byte_is_served()
    {
        await using var broker = await StartAsync();
        using var client = new RawClient(broker.Port);
        using var frame = MessageFrames.EncodeRequest(new MetadataRequest { Topics = null }, 12, 3, "raw");
        foreach (var b in frame.ToArray())
            await client.SendAsync(new[] { b });
        Assert.Single((await client.ReceiveAsync(new MetadataRequest(), 12, 3)).Brokers);
    }

    [Fact]
    public async Task Many_requests_in_one_packet_are_answered_in_order()
    {
        await using var broker = await StartAsync();
        using var client = new RawClient(broker.Port);
        var packet = new MemoryStream();
        for (var i = 0; i < 2000; i++)
        {
            using var frame = MessageFrames.EncodeRequest(new MetadataRequest { Topics = [] }, (short)(i % 12 + 1), i, "raw");
            packet.Write(frame.ToArray());
        }

        var sending = client.SendAsync(packet.ToArray());
        for (var i = 0; i < 2000; i++)
            await client.ReceiveAsync(new MetadataRequest(), (short)(i % 12 + 1), i);
        await sending;
    }

    [Fact]
    public async Task Parked_fetch_is_not_overtaken_by_later_requests_of_its_connection()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("t");
        using var client = new RawClient(broker.Port);
        var fetch = TestBroker.Fetch("t", 0, maxWaitMs: 60_000);
        await client.SendAsync(fetch, 12, 1);
        await client.SendAsync(new ApiVersionsRequest(), 0, 2);

        // Another connection is not held up, and what it produces wakes the fetch.
        using var other = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.None, (await other.CallAsync(TestBroker.Produce("t", Batches.Of("x")), 9)).Responses[0].PartitionResponses[0].ErrorCode);
        var fetched = await client.ReceiveAsync(fetch, 12, 1);
        Assert.Equal([(0, "x")], Batches.Read(fetched.Responses[0].Partitions[0].Records));
        await client.ReceiveAsync(new ApiVersionsRequest(), 0, 2);
    }

    [Fact]
    public async Task Client_that_hangs_up_takes_its_parked_request_with_it()
    {
        await using var broker = await StartAsync(("max.connections", "1"));
        await broker.CreateTopicAsync("t");
        var client = new RawClient(broker.Port);
        await client.SendAsync(TestBroker.Fetch("t", 0, maxWaitMs: 60_000_000), 12, 1);
        client.Dispose();
        // The only place is free again as soon as the broker noticed; until then it refuses.
        for (var attempt = 0; ; attempt++)
        {
            using var next = new RawClient(broker.Port);
            try
            {
                await next.CallAsync(new ApiVersionsRequest(), 0);
                return;
            }
            catch (Exception e) when (attempt < 10_000 && e is InvalidOperationException or System.Net.Sockets.SocketException)
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Connections_beyond_the_maximum_are_closed()
    {
        await using var broker = await StartAsync(("max.connections", "2"));
        using var first = new RawClient(broker.Port);
        using var second = new RawClient(broker.Port);
        await first.CallAsync(new ApiVersionsRequest(), 0);
        await second.CallAsync(new ApiVersionsRequest(), 0);
        using var third = new RawClient(broker.Port);
        await third.AssertClosedAsync();
        await first.CallAsync(new ApiVersionsRequest(), 0);
    }

    [Fact]
    public async Task Idle_connection_is_closed_and_a_busy_one_is_not()
    {
        await using var broker = await StartAsync(("connections.max.idle.ms", "60000"));
        await broker.CreateTopicAsync("t");
        using var idle = new RawClient(broker.Port);
        await idle.CallAsync(new ApiVersionsRequest(), 0);
        using var waiting = new RawClient(broker.Port);
        await waiting.CallAsync(new ApiVersionsRequest(), 0);
        var fetch = TestBroker.Fetch("t", 0, maxWaitMs: 600_000);
        await waiting.SendAsync(fetch, 12, 1);
        await broker.ParkedFetchesAsync("t", 1);

        broker.Clock.Advance(TimeSpan.FromSeconds(120));
        await idle.AssertClosedAsync();
        await broker.ProduceAsync("t", Batches.Of("x"));
        Assert.Single(Batches.Read((await waiting.ReceiveAsync(fetch, 12, 1)).Responses[0].Partitions[0].Records));
    }

    [Fact]
    public async Task Produce_without_acknowledgement_gets_no_response()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("t");
        using var client = new RawClient(broker.Port);
        await client.SendAsync(TestBroker.Produce("t", Batches.Of("x"), acks: 0), 9, 1);
        await client.CallAsync(new ApiVersionsRequest(), 0, 2);
        Assert.Single(Batches.Read((await broker.FetchAsync("t", 0)).Records));
    }

    [Fact]
    public async Task Failed_produce_without_acknowledgement_closes_the_connection()
    {
        await using var broker = await StartAsync();
        using var client = new RawClient(broker.Port);
        await client.SendAsync(TestBroker.Produce("missing", Batches.Of("x"), acks: 0), 9, 1);
        await client.AssertClosedAsync();
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Client_that_does_not_read_its_responses_does_not_hold_up_others()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.Of(new string('x', 900_000)));
        const int Requests = 40; // more bytes of answers than both ends' socket buffers hold
        using var lazy = new RawClient(broker.Port);
        for (var i = 0; i < Requests; i++)
            await lazy.SendAsync(TestBroker.Fetch("t", 0), 12, i);
        using var eager = new RawClient(broker.Port);
        for (var i = 0; i < 5; i++)
            await eager.CallAsync(TestBroker.Fetch("t", 0), 12, i);
        // Nothing was lost either: the lazy one gets all its answers, whole and in order.
        for (var i = 0; i < Requests; i++)
            Assert.Single(Batches.Read((await lazy.ReceiveAsync(TestBroker.Fetch("t", 0), 12, i)).Responses[0].Partitions[0].Records));
    }

    [Fact]
    public async Task Large_request_is_read_whole()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("t", 1, ("max.message.bytes", "20000000"));
        using var client = new RawClient(broker.Port);
        var value = new string('y', 10_000_000);
        for (var i = 0; i < 3; i++)
        {
            var produced = await client.CallAsync(TestBroker.Produce("t", Batches.Of(value)), 9, i);
            Assert.Equal((ErrorCode.None, (long)i), (produced.Responses[0].PartitionResponses[0].ErrorCode, produced.Responses[0].PartitionResponses[0].BaseOffset));
        }

        var fetched = await client.CallAsync(TestBroker.Fetch("t", 2, maxBytes: 1), 12, 9);
        Assert.Equal([(2L, value)], Batches.Read(fetched.Responses[0].Partitions[0].Records));
    }

    [Fact]
    public async Task Broker_reports_the_address_the_client_came_in_on_or_the_one_configured()
    {
        await using var plain = await StartAsync();
        using var client = new RawClient(plain.Port);
        var broker = (await client.CallAsync(new MetadataRequest { Topics = [] }, 12)).Brokers[0];
        Assert.Equal(("127.0.0.1", plain.Port, 1), (broker.Host, broker.Port, broker.NodeId));

        await using var configured = await TestBroker.StartAsync(new BrokerOptions { Port = 0, AdvertisedHost = "kafka.example", AdvertisedPort = 1234 });
        using var second = new RawClient(configured.Port);
        var coordinator = await second.CallAsync(new FindCoordinatorRequest { CoordinatorKeys = ["g"] }, 4);
        Assert.Equal(("kafka.example", 1234, 1), (coordinator.Coordinators[0].Host, coordinator.Coordinators[0].Port, coordinator.Coordinators[0].NodeId));
    }

    [Fact]
    public async Task Stopping_ends_parked_requests_and_connections()
    {
        var broker = await StartAsync();
        await broker.CreateTopicAsync("t");
        // One that had a parked request and is now between two: it must not use up the patience that the (manual) clock would measure.
        using var between = new RawClient(broker.Port);
        await between.SendAsync(TestBroker.Fetch("t", 0, maxWaitMs: 1000), 12, 1);
        await broker.ParkedFetchesAsync("t", 1);
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        await between.ReceiveAsync(TestBroker.Fetch("t", 0), 12, 1);
        using var client = new RawClient(broker.Port);
        await client.SendAsync(TestBroker.Fetch("t", 0, maxWaitMs: 60_000_000), 12, 1);
        await broker.ParkedFetchesAsync("t", 1);
        var local = broker.SendAsync(TestBroker.Fetch("t", 0, maxWaitMs: 60_000_000));
        await broker.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await client.AssertClosedAsync();
        await between.AssertClosedAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => local);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => broker.SendAsync(new MetadataRequest()));
    }

    private static Task<TestBroker> StartAsync(params (string Key, string Value)[] settings) =>
        TestBroker.StartAsync(new BrokerOptions { Port = 0, Settings = settings.ToDictionary(setting => setting.Key, setting => setting.Value) });

    private static async Task AssertServesAsync(TestBroker broker)
    {
        using var client = new RawClient(broker.Port);
        Assert.Equal(ErrorCode.None, (await client.CallAsync(new ApiVersionsRequest(), 0)).ErrorCode);
    }

    private static byte[] Frame(ApiKey key, short version, int correlationId, byte[] rest)
    {
        var bytes = new byte[12 + rest.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, 8 + rest.Length);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(4), (short)key);
        BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(6), version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), correlationId);
        rest.CopyTo(bytes, 12);
        return bytes;
    }
}
