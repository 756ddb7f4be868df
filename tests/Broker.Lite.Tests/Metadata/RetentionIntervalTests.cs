using Broker.Lite.Tests.Support;
using Kafka.Protocol;

namespace Broker.Lite.Tests.Metadata;

/// <summary>When old records go: <c>log.retention.check.interval.ms</c>.</summary>
public sealed class RetentionIntervalTests
{
    /// <summary>Records of years ago, such as tests write, are not gone before they can be read; a client seeking in them found none.</summary>
    [Fact]
    public async Task Records_older_than_retention_stay_until_it_is_looked_for()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.At(1000, "of 1970"));
        broker.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal([(0L, "of 1970")], Batches.Read((await broker.FetchAsync("t", 0)).Records));
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((ErrorCode.OffsetOutOfRange, 1L), await StartAsync(broker));

        await broker.ProduceAsync("t", Batches.At(1000, "also of 1970"));
        broker.Clock.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal([(1L, "also of 1970")], Batches.Read((await broker.FetchAsync("t", 1)).Records));
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((ErrorCode.OffsetOutOfRange, 2L), await StartAsync(broker));
    }

    [Fact]
    public async Task Interval_can_be_shorter()
    {
        await using var broker = await TestBroker.StartAsync(("log.retention.check.interval.ms", "1000"));
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.At(1000, "of 1970"));
        broker.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((ErrorCode.OffsetOutOfRange, 1L), await StartAsync(broker));
    }

    private static async Task<(ErrorCode Error, long LogStartOffset)> StartAsync(TestBroker broker)
    {
        var fetched = await broker.FetchAsync("t", 0);
        return (fetched.ErrorCode, fetched.LogStartOffset);
    }
}
