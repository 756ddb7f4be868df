using Broker.Lite.Security.Quotas;
using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Tests.Security;

public sealed class QuotaTests
{
    [Fact]
    public void Meter_throttles_as_long_as_the_rate_over_its_windows_is_too_high()
    {
        var meter = new RateMeter(11, TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, meter.Record(TimeSpan.Zero, 10_000, 1_000));
        var wait = meter.Record(TimeSpan.Zero, 10_000, 1_000);
        Assert.Equal(TimeSpan.FromSeconds(10), wait);
        Assert.True(meter.Record(TimeSpan.FromSeconds(5), 0, 1_000) > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, meter.Record(TimeSpan.FromSeconds(12), 0, 1_000));
        Assert.False(meter.IsIdle(TimeSpan.FromSeconds(22)));
        Assert.True(meter.IsIdle(TimeSpan.FromSeconds(23)));
    }

    [Fact]
    public void Steady_rate_settles_at_the_limit()
    {
        var meter = new RateMeter(11, TimeSpan.FromSeconds(1));
        var now = TimeSpan.Zero;
        var sent = 0.0;
        while (now < TimeSpan.FromMinutes(5))
        {
            sent += 500;
            now += meter.Record(now, 500, 1_000) + TimeSpan.FromMilliseconds(1);
        }

        Assert.InRange(sent / now.TotalSeconds, 900, 1_150);
    }

    [Fact]
    public void Most_particular_quota_holds_and_says_who_shares_it()
    {
        var table = QuotaTable.Empty;
        (QuotaEntity Entity, double Limit)[] quotas =
        [
            (new(null, "", null), 1), (new(null, "c", null), 2), (new("", null, null), 3), (new("", "", null), 4), (new("", "c", null), 5),
            (new("u", null, null), 6), (new("u", "", null), 7), (new("u", "c", null), 8),
        ];
        foreach (var (entity, limit) in quotas)
        {
            table = table.With(entity, System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty.Add(QuotaTable.ProducerByteRate, limit));
            Assert.True(table.TryFind(QuotaTable.ProducerByteRate, "u", "c", out var found, out var sharedBy));
            Assert.Equal(limit, found);
            Assert.Equal((entity.User is null ? null : "u", entity.ClientId is null ? null : "c"), (sharedBy.User, sharedBy.ClientId));
        }

        Assert.False(table.TryFind(QuotaTable.ConsumerByteRate, "u", "c", out _, out _));
    }

    [Fact]
    public async Task Producer_over_its_quota_is_told_and_not_read_until_the_time_is_over_while_others_go_on()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t");
        await SetAsync(broker, "client-id", "raw", QuotaTable.ProducerByteRate, 100);
        using var client = new RawClient(broker.Port);
        var timers = broker.Clock.TimerCount;
        var answer = await client.CallAsync(TestBroker.Produce("t", Batches.Of(new string('x', 3_000))), 7);
        Assert.Equal(ErrorCode.None, answer.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.InRange(answer.ThrottleTimeMs, 10_000, 11_000);

        while (broker.Clock.TimerCount == timers)
            await Task.Yield();
        await client.SendAsync(new ListGroupsRequest(), 0, 2);
        broker.Clock.Advance(TimeSpan.FromMilliseconds(answer.ThrottleTimeMs - 1));
        Assert.Equal(0, client.Socket.Available);
        Assert.Equal(ErrorCode.None, (await broker.ProduceAsync("t", Batches.Of(new string('x', 3_000)))).ErrorCode);
        broker.Clock.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal(ErrorCode.None, (await client.ReceiveAsync(new ListGroupsRequest(), 0, 2)).ErrorCode);
    }

    [Fact]
    public async Task Consumer_over_its_quota_is_told_and_one_fetch_is_no_larger_than_all_windows_allow()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t");
        for (var i = 0; i < 20; i++)
            await broker.ProduceAsync("t", Batches.Of(new string('x', 500)));
        await SetAsync(broker, "user", null, QuotaTable.ConsumerByteRate, 100);
        using var client = new RawClient(broker.Port);
        var timers = broker.Clock.TimerCount;
        var first = await client.CallAsync(TestBroker.Fetch("t", 0), 7);
        var bytes = first.Responses[0].Partitions[0].Records!.Value.Length;
        Assert.InRange(bytes, 500, 1_100);
        while (first.ThrottleTimeMs > 0 && broker.Clock.TimerCount == timers)
            await Task.Yield();
        broker.Clock.Advance(TimeSpan.FromMilliseconds(first.ThrottleTimeMs + 1));
        var second = await client.CallAsync(TestBroker.Fetch("t", 1), 7, 2);
        Assert.True(second.ThrottleTimeMs > 0);
    }

    [Fact]
    public async Task Consumer_over_its_quota_gets_nothing_more_through_other_connections_until_the_time_is_over()
    {
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.At(broker.Clock.NowMs, new string('x', 5000)));
        await SetAsync(broker, "user", null, QuotaTable.ConsumerByteRate, 100);
        using var first = new RawClient(broker.Port);
        var read = await first.CallAsync(TestBroker.Fetch("t", 0), 7);
        Assert.Equal(["x"], Batches.Read(read.Responses[0].Partitions[0].Records).Select(record => record.Value[..1])); // larger than the quota, and read all the same
        Assert.True(read.ThrottleTimeMs > 0);
        for (var i = 0; i < 5; i++)
        {
            using var other = new RawClient(broker.Port);
            var refused = await other.CallAsync(TestBroker.Fetch("t", 0), 7);
            Assert.Equal(ErrorCode.None, refused.Responses[0].Partitions[0].ErrorCode);
            Assert.Equal((0, 1L), (refused.Responses[0].Partitions[0].Records!.Value.Length, refused.Responses[0].Partitions[0].HighWatermark));
            Assert.Equal(read.ThrottleTimeMs, refused.ThrottleTimeMs); // what it was not given does not count
        }

        broker.Clock.Advance(TimeSpan.FromMilliseconds(read.ThrottleTimeMs + 1));
        using var later = new RawClient(broker.Port);
        Assert.Single(Batches.Read((await later.CallAsync(TestBroker.Fetch("t", 0), 7)).Responses[0].Partitions[0].Records));
    }

    [Fact]
    public async Task Quotas_are_described_as_they_were_set_and_refused_when_they_cannot_be()
    {
        await using var broker = await TestBroker.StartAsync();
        await SetAsync(broker, "user", "alice", QuotaTable.ProducerByteRate, 5);
        await SetAsync(broker, "user", null, QuotaTable.RequestPercentage, 50);
        await SetAsync(broker, "ip", "10.0.0.1", QuotaTable.ConnectionCreationRate, 3);
        var all = await broker.SendAsync(new DescribeClientQuotasRequest { Components = [new() { EntityType = "user", MatchType = 2, Match = null }] });
        Assert.Equal(2, all.Entries!.Count);
        var one = await broker.SendAsync(new DescribeClientQuotasRequest { Components = [new() { EntityType = "user", MatchType = 1, Match = null }] });
        Assert.Equal((QuotaTable.RequestPercentage, 50.0), (one.Entries!.Single().Values[0].Key, one.Entries![0].Values[0].Value));
        Assert.Null(one.Entries[0].Entity[0].EntityName);
        Assert.Equal(ErrorCode.InvalidRequest, (await broker.SendAsync(new DescribeClientQuotasRequest { Components = [new() { EntityType = "planet", MatchType = 2, Match = null }] })).ErrorCode);

        foreach (var (type, name, key, value) in new[] { ("user", "a", "nonsense", 1.0), ("user", "a", "producer_byte_rate", 0.0), ("user", "a", "producer_byte_rate", double.NaN), ("user", "", "producer_byte_rate", 1), ("ip", "x", "connection_creation_rate", 1), ("ip", "10.0.0.1", "producer_byte_rate", 1), ("planet", "a", "producer_byte_rate", 1) })
        {
            var refused = await broker.SendAsync(Alter(type, name, key, value));
            Assert.Equal(ErrorCode.InvalidRequest, refused.Entries[0].ErrorCode);
        }

        var removal = Alter("user", "alice", QuotaTable.ProducerByteRate, 0);
        removal.Entries[0].Ops[0].Remove = true;
        Assert.Equal(ErrorCode.None, (await broker.SendAsync(removal)).Entries[0].ErrorCode);
        Assert.Single((await broker.SendAsync(new DescribeClientQuotasRequest { Components = [new() { EntityType = "user", MatchType = 2, Match = null }] })).Entries!);
    }

    private static async Task SetAsync(TestBroker broker, string type, string? name, string key, double value) =>
        Assert.Equal(ErrorCode.None, (await broker.SendAsync(Alter(type, name, key, value))).Entries[0].ErrorCode);

    private static AlterClientQuotasRequest Alter(string type, string? name, string key, double value) =>
        new() { Entries = [new() { Entity = [new() { EntityType = type, EntityName = name }], Ops = [new() { Key = key, Value = value }] }] };
}
