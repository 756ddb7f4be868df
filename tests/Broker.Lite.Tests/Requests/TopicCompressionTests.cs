using Broker.Lite.Tests.Support;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Kafka.Protocol.Records;

namespace Broker.Lite.Tests.Requests;

/// <summary>Topics that choose the codec of what they store (<c>compression.type</c>), seen through requests.</summary>
public sealed class TopicCompressionTests
{
    private static readonly string _compressible = new('x', 20_000);

    [Fact]
    public async Task Codec_and_level_of_the_broker_hold_for_topics_that_have_none_of_their_own()
    {
        await using var broker = await TestBroker.StartAsync(("compression.type", "gzip"), ("compression.gzip.level", "1"));
        await broker.CreateTopicAsync("fast");
        await broker.CreateTopicAsync("small", 1, ("compression.gzip.level", "9"));
        await broker.CreateTopicAsync("plain", 1, ("compression.type", "uncompressed"));
        var text = string.Join(' ', Enumerable.Range(0, 5000).Select(i => i * 7919 % 1009));
        var sizes = new Dictionary<string, int>();
        foreach (var topic in (string[])["fast", "small", "plain"])
        {
            Assert.Equal(ErrorCode.None, (await broker.ProduceAsync(topic, Batches.Of(text))).ErrorCode);
            var fetched = await broker.FetchAsync(topic, 0);
            Assert.Equal([(0L, text)], Batches.Read(fetched.Records));
            Assert.Equal(topic == "plain" ? CompressionType.None : CompressionType.Gzip, RecordBatchView.Read(fetched.Records!.Value.Span).Header.Compression);
            sizes[topic] = fetched.Records!.Value.Length;
        }

        Assert.True(sizes["small"] < sizes["fast"] && sizes["fast"] < sizes["plain"], string.Join(", ", sizes));
    }

    [Fact]
    public async Task Altered_codec_holds_for_what_is_produced_from_then_on()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("t", Batches.Of(_compressible));
        var altered = await broker.SendAsync(new IncrementalAlterConfigsRequest
        {
            Resources = [new() { ResourceType = 2, ResourceName = "t", Configs = [new() { Name = "compression.type", Value = "snappy" }] }],
        });
        Assert.Equal(ErrorCode.None, altered.Responses[0].ErrorCode);
        Assert.Equal(1, (await broker.ProduceAsync("t", Batches.Of(_compressible))).BaseOffset);
        Assert.Equal(CompressionType.None, RecordBatchView.Read((await broker.FetchAsync("t", 0)).Records!.Value.Span).Header.Compression);
        var second = (await broker.FetchAsync("t", 1)).Records;
        Assert.Equal(CompressionType.Snappy, RecordBatchView.Read(second!.Value.Span).Header.Compression);
        Assert.Equal([(1L, _compressible)], Batches.Read(second));
    }

    [Fact]
    public async Task Parked_fetch_counts_the_bytes_that_are_stored_not_those_that_were_sent()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateTopicAsync("t", 1, ("compression.type", "uncompressed"));
        var sent = Batches.Build(new RecordBatchOptions { Compression = CompressionType.Gzip }, 0, _compressible);
        Assert.True(sent.Length < 1000);
        // The clock stands still: only what is appended can end the wait.
        var parked = broker.FetchAsync("t", 0, maxWaitMs: 60_000, minBytes: 10_000);
        await broker.ParkedFetchesAsync("t", 1);
        await broker.ProduceAsync("t", sent);
        Assert.Equal([(0L, _compressible)], Batches.Read((await parked).Records));
    }

    [Fact]
    public async Task Clients_older_than_zstd_are_told_so_instead_of_getting_or_leaving_it()
    {
        Assert.SkipUnless(Compression.IsAvailable(CompressionType.Zstd), "zstd's library is missing");
        await using var broker = await TestBroker.StartAsync(new BrokerOptions { Port = 0 });
        await broker.CreateTopicAsync("z", 1, ("compression.type", "zstd"));
        await broker.CreateTopicAsync("t");
        await broker.ProduceAsync("z", Batches.Of("a"));
        using var client = new RawClient(broker.Port);
        var old = await client.CallAsync(TestBroker.Fetch("z", 0), 9);
        Assert.Equal(ErrorCode.UnsupportedCompressionType, old.Responses[0].Partitions[0].ErrorCode);
        var newer = await client.CallAsync(TestBroker.Fetch("z", 0), 10);
        Assert.Equal([(0L, "a")], Batches.Read(newer.Responses[0].Partitions[0].Records));

        byte[] Batch() => Batches.Build(new RecordBatchOptions { Compression = CompressionType.Zstd }, 0, "b");
        var refused = await client.CallAsync(TestBroker.Produce("t", Batch()), 6);
        Assert.Equal(ErrorCode.UnsupportedCompressionType, refused.Responses[0].PartitionResponses[0].ErrorCode);
        var taken = await client.CallAsync(TestBroker.Produce("t", Batch()), 7);
        Assert.Equal((ErrorCode.None, 0L), (taken.Responses[0].PartitionResponses[0].ErrorCode, taken.Responses[0].PartitionResponses[0].BaseOffset));
    }
}
