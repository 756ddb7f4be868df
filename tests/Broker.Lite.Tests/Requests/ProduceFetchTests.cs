using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Requests;

public sealed class ProduceFetchTests
{
    [Fact]
    public async Task Produced_records_get_consecutive_offsets_and_are_fetched_back()
    {
        await using var broker = await StartAsync();
        Assert.Equal(0, (await broker.ProduceAsync("t", Batches.Of("a", "b"))).BaseOffset);
        Assert.Equal(2, (await broker.ProduceAsync("t", Batches.Of("c"), acks: 1)).BaseOffset);
        var fetched = await broker.FetchAsync("t", 0);
        Assert.Equal([(0L, "a"), (1L, "b"), (2L, "c")], Batches.Read(fetched.Records));
        Assert.Equal((3L, 3L, 0L), (fetched.HighWatermark, fetched.LastStableOffset, fetched.LogStartOffset));
        Assert.Equal([(2L, "c")], Batches.Read((await broker.FetchAsync("t", 2)).Records));
        Assert.Equal(-1, (await broker.ProduceAsync("t", Batches.Of("d"))).LogAppendTimeMs);
    }

    [Fact]
    public async Task Bad_batches_are_refused_and_nothing_of_them_is_kept()
    {
        await using var broker = await StartAsync();
        var wrongCrc = Batches.Of("x");
        wrongCrc[^1] ^= 1;
        var truncated = Batches.Of("x")[..^3];
        var two = Batches.Of("x").Concat(Batches.Of("y")).ToArray();
        var oldFormat = Batches.Of("x");
        oldFormat[16] = 1;
        Assert.Equal(ErrorCode.CorruptMessage, (await broker.ProduceAsync("t", wrongCrc)).ErrorCode);
        Assert.Equal(ErrorCode.CorruptMessage, (await broker.ProduceAsync("t", truncated)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRecord, (await broker.ProduceAsync("t", two)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRecord, (await broker.ProduceAsync("t", oldFormat)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRecord, (await broker.ProduceAsync("t", [])).ErrorCode);
        Assert.Equal(ErrorCode.MessageTooLarge, (await broker.ProduceAsync("t", Batches.Of(new string('x', 1_100_000)))).ErrorCode);
        Assert.Equal(0, (await broker.FetchAsync("t", 0)).HighWatermark);
    }

    [Fact]
    public async Task Wrong_addresses_and_acknowledgements_are_refused()
    {
        await using var broker = await StartAsync();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await broker.ProduceAsync("u", Batches.Of("x"))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await broker.ProduceAsync("t", Batches.Of("x"), partition: 1)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await broker.ProduceAsync("t", Batches.Of("x"), partition: -1)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (await broker.ProduceAsync("a b", Batches.Of("x"))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequiredAcks, (await broker.ProduceAsync("t", Batches.Of("x"), acks: 2)).ErrorCode);
    }

    [Fact]
    public async Task Idempotent_producer_gets_each_batch_in_once_and_in_order()
    {
        await using var broker = await StartAsync();
        var first = await broker.SendAsync(new InitProducerIdRequest { TransactionalId = null });
        var second = await broker.SendAsync(new InitProducerIdRequest { TransactionalId = null });
        Assert.Equal((ErrorCode.None, (short)0), (first.ErrorCode, first.ProducerEpoch));
        Assert.NotEqual(first.ProducerId, second.ProducerId);

        var id = first.ProducerId;
        Assert.Equal(0, (await broker.ProduceAsync("t", Batches.FromProducer(id, 0, 0, "a", "b"))).BaseOffset);
        Assert.Equal(2, (await broker.ProduceAsync("t", Batches.FromProducer(id, 0, 2, "c"))).BaseOffset);
        var repeated = await broker.ProduceAsync("t", Batches.FromProducer(id, 0, 0, "a", "b"));
        Assert.Equal((ErrorCode.None, 0L), (repeated.ErrorCode, repeated.BaseOffset));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await broker.ProduceAsync("t", Batches.FromProducer(id, 0, 9, "z"))).ErrorCode);
        Assert.Equal(3, (await broker.ProduceAsync("t", Batches.FromProducer(id, 1, 0, "d"))).BaseOffset);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await broker.ProduceAsync("t", Batches.FromProducer(id, 0, 3, "e"))).ErrorCode);
        Assert.Equal(["a", "b", "c", "d"], Batches.Read((await broker.FetchAsync("t", 0)).Records).Select(record => record.Value));
    }

    [Fact]
    public async Task Compacted_topic_refuses_records_without_key_by_their_index()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("c", 1, ("cleanup.policy", "compact"));
        var result = await broker.ProduceAsync("c", Batches.Of("a", "b"));
        Assert.Equal(ErrorCode.InvalidRecord, result.ErrorCode);
        Assert.Equal([0, 1], result.RecordErrors.Select(error => error.BatchIndex));
    }

    [Fact]
    public async Task Fetch_outside_of_the_log_is_out_of_range_and_at_its_end_empty()
    {
        await using var broker = await StartAsync();
        await broker.ProduceAsync("t", Batches.Of("a"));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await broker.FetchAsync("t", 2)).ErrorCode);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await broker.FetchAsync("t", -1)).ErrorCode);
        var end = await broker.FetchAsync("t", 1);
        Assert.Equal((ErrorCode.None, 0), (end.ErrorCode, end.Records!.Value.Length));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await broker.FetchAsync("u", 0)).ErrorCode);
    }

    [Fact]
    public async Task Fetch_waits_for_data_and_wakes_when_it_comes()
    {
        await using var broker = await StartAsync();
        var waiting = broker.FetchAsync("t", 0, maxWaitMs: 60_000);
        Assert.False(waiting.IsCompleted);
        await broker.ProduceAsync("t", Batches.Of("a"));
        Assert.Single(Batches.Read((await waiting).Records));
        Assert.Equal(0, broker.Server.State.View.Find("t", 0)!.WaiterCount);
    }

    [Fact]
    public async Task Fetch_waits_until_there_is_as_much_as_it_asked_for()
    {
        await using var broker = await StartAsync();
        var batch = Batches.Of(new string('x', 1000));
        var waiting = broker.FetchAsync("t", 0, maxWaitMs: 60_000, minBytes: batch.Length * 3);
        for (var i = 0; i < 2; i++)
        {
            await broker.ProduceAsync("t", batch.ToArray());
            Assert.False(waiting.IsCompleted);
        }

        await broker.ProduceAsync("t", batch.ToArray());
        Assert.Equal(3, Batches.Read((await waiting).Records).Count);
    }

    [Fact]
    public async Task Fetch_gives_up_after_its_time_with_what_there_is()
    {
        await using var broker = await StartAsync();
        var batch = Batches.Of("x");
        var waiting = broker.FetchAsync("t", 0, maxWaitMs: 500, minBytes: 1_000_000);
        await broker.ProduceAsync("t", batch);
        broker.Clock.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(waiting.IsCompleted);
        broker.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Single(Batches.Read((await waiting).Records));
    }

    [Fact]
    public async Task Size_limits_hold_except_for_the_first_batch()
    {
        await using var broker = await StartAsync(partitions: 2);
        for (var i = 0; i < 3; i++)
        {
            await broker.ProduceAsync("t", Batches.Of(new string('x', 1000)), partition: 0);
            await broker.ProduceAsync("t", Batches.Of(new string('y', 1000)), partition: 1);
        }

        var request = TestBroker.Fetch("t", 0, maxBytes: 1);
        request.Topics[0].Partitions.Add(new() { Partition = 1, PartitionMaxBytes = 100_000 });
        var small = (await broker.SendAsync(request)).Responses[0].Partitions;
        Assert.Equal((1, 0), (Batches.Read(small[0].Records).Count, Batches.Read(small[1].Records).Count));

        request.MaxBytes = 2_500;
        request.Topics[0].Partitions[0].PartitionMaxBytes = 1_200;
        var medium = (await broker.SendAsync(request)).Responses[0].Partitions;
        Assert.Equal((1, 1), (Batches.Read(medium[0].Records).Count, Batches.Read(medium[1].Records).Count));
    }

    [Fact]
    public async Task Leader_epochs_that_never_were_are_unknown()
    {
        await using var broker = await StartAsync();
        await broker.ProduceAsync("t", Batches.Of("a"));
        var request = TestBroker.Fetch("t", 0);
        request.Topics[0].Partitions[0].CurrentLeaderEpoch = 1;
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, (await broker.SendAsync(request)).Responses[0].Partitions[0].ErrorCode);
        request.Topics[0].Partitions[0].CurrentLeaderEpoch = 0;
        request.Topics[0].Partitions[0].LastFetchedEpoch = 3;
        var diverging = (await broker.SendAsync(request)).Responses[0].Partitions[0].DivergingEpoch!;
        Assert.Equal((0, 1L), (diverging.Epoch, diverging.EndOffset));

        var epochs = await broker.SendAsync(new OffsetForLeaderEpochRequest
        {
            Topics = [new() { Topic = "t", Partitions = [new() { LeaderEpoch = 0 }, new() { LeaderEpoch = 4 }, new() { Partition = 9 }] }],
        });
        Assert.Equal(
            [(ErrorCode.None, 0, 1L), (ErrorCode.None, -1, -1L), (ErrorCode.UnknownTopicOrPartition, -1, -1L)],
            epochs.Topics[0].Partitions.Select(partition => (partition.ErrorCode, partition.LeaderEpoch, partition.EndOffset)));
    }

    [Fact]
    public async Task Offsets_are_listed_by_ends_and_by_time()
    {
        await using var broker = await StartAsync();
        await broker.ProduceAsync("t", Batches.At(1000, "a", "b"));
        await broker.ProduceAsync("t", Batches.At(3000, "c"));
        await broker.ProduceAsync("t", Batches.At(2000, "d"));
        Assert.Equal((4L, -1L), await ListAsync(broker, -1));
        Assert.Equal((0L, -1L), await ListAsync(broker, -2));
        Assert.Equal((2L, 3000L), await ListAsync(broker, -3));
        Assert.Equal((0L, 1000L), await ListAsync(broker, 0));
        Assert.Equal((2L, 3000L), await ListAsync(broker, 1001));
        Assert.Equal((-1L, -1L), await ListAsync(broker, 3001));
    }

    [Fact]
    public async Task Deleted_records_move_the_start_of_the_log()
    {
        await using var broker = await StartAsync();
        await broker.CreateTopicAsync("compacted", 1, ("cleanup.policy", "compact"));
        for (var i = 0; i < 5; i++)
            await broker.ProduceAsync("t", Batches.Of("x"));
        Assert.Equal((ErrorCode.None, 3L), await DeleteAsync(broker, "t", 3));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await broker.FetchAsync("t", 2)).ErrorCode);
        Assert.Equal((3L, -1L), await ListAsync(broker, -2));
        Assert.Equal((ErrorCode.OffsetOutOfRange, -1L), await DeleteAsync(broker, "t", 6));
        Assert.Equal((ErrorCode.None, 5L), await DeleteAsync(broker, "t", -1));
        Assert.Equal((ErrorCode.PolicyViolation, -1L), await DeleteAsync(broker, "compacted", 0));
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, -1L), await DeleteAsync(broker, "u", 0));
    }

    [Fact]
    public async Task Interceptor_can_answer_instead_of_the_broker()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions
        {
            Interceptor = async (request, version, next, cancellationToken) => request is HeartbeatRequest
                ? new HeartbeatResponse { ErrorCode = ErrorCode.NotCoordinator }
                : await next(),
        });
        Assert.Equal(ErrorCode.NotCoordinator, await new TestMember(broker, "g").HeartbeatAsync());
        await broker.CreateTopicAsync("t");
    }

    [Fact]
    public async Task Api_the_broker_does_not_have_is_refused_locally()
    {
        await using var broker = await StartAsync();
        var thrown = await Assert.ThrowsAsync<ProtocolException>(() => broker.SendAsync(new PushTelemetryRequest()));
        Assert.Equal(ErrorCode.UnsupportedVersion, thrown.ErrorCode);
    }

    private static async Task<TestBroker> StartAsync(int partitions = 1)
    {
        var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t", partitions);
        return broker;
    }

    private static async Task<(long Offset, long Timestamp)> ListAsync(TestBroker broker, long timestamp)
    {
        var response = await broker.SendAsync(new ListOffsetsRequest { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = timestamp }] }] });
        var partition = response.Topics[0].Partitions[0];
        Assert.Equal(ErrorCode.None, partition.ErrorCode);
        return (partition.Offset, partition.Timestamp);
    }

    private static async Task<(ErrorCode Error, long LowWatermark)> DeleteAsync(TestBroker broker, string topic, long offset)
    {
        var response = await broker.SendAsync(new DeleteRecordsRequest { Topics = [new() { Name = topic, Partitions = [new() { Offset = offset }] }] });
        return (response.Topics[0].Partitions[0].ErrorCode, response.Topics[0].Partitions[0].LowWatermark);
    }
}
