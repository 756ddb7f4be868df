namespace Interop;

/// <summary>What one client writes, every client reads back the same: no codec, null or header may depend on who wrote it.</summary>
public sealed class CrossClientTests(SharedBroker broker)
{
    // Not a fixed date: records older than the topic's retention may be gone before they are read.
    private static readonly long _firstTimestamp = DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeMilliseconds();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none", null)]
    [InlineData("gzip", null)]
    [InlineData("snappy", "snappy")]
    [InlineData("lz4", "lz4")]
    [InlineData("zstd", "zstandard")]
    public async Task Records_of_kafka_python_are_read_by_everybody(string codec, string? module)
    {
        PythonClient.KafkaPython.SkipIfMissing(module);
        // This client refuses to send a header without a value.
        await WriteAndReadBack(PythonClient.KafkaPython, codec, Records(headerValueOrNull: ""));
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("gzip", null)]
    [InlineData("snappy", "snappy")]
    [InlineData("lz4", "lz4")]
    [InlineData("zstd", "zstandard")]
    public async Task Records_of_confluent_kafka_are_read_by_everybody(string codec, string? module)
    {
        PythonClient.KafkaPython.SkipIfMissing(module);
        await WriteAndReadBack(PythonClient.Confluent, codec, Records(headerValueOrNull: null));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    public async Task Records_of_kafkajs_are_read_by_everybody(string codec)
    {
        KafkaJs.SkipIfMissing();
        PythonClient.KafkaPython.SkipIfMissing();
        // This client has no way to send a header without a value.
        await WriteAndReadBack(KafkaJs.ProduceAsync, codec, Records(headerValueOrNull: ""));
    }

    private Task WriteAndReadBack(PythonClient writer, string codec, List<WireRecord> written) => WriteAndReadBack(writer.ProduceAsync, codec, written);

    private async Task WriteAndReadBack(
        Func<string, string, string, IEnumerable<WireRecord>, CancellationToken, Task> write, string codec, List<WireRecord> written)
    {
        Kcat.SkipIfMissing();
        PythonClient.Confluent.SkipIfMissing();
        var topic = Topics.Unique("cross-" + codec);
        await write(broker.Bootstrap, topic, codec, written, Cancellation);

        Assert.Equal(written, await PythonClient.KafkaPython.ConsumeAsync(broker.Bootstrap, topic, written.Count, Cancellation));
        Assert.Equal(written, await PythonClient.Confluent.ConsumeAsync(broker.Bootstrap, topic, written.Count, Cancellation));
        Assert.Equal(written, await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation));
        if (KafkaJs.ReasonMissing is null && CanBeReadByKafkaJs(codec))
            Assert.Equal(written, await KafkaJs.ConsumeAsync(broker.Bootstrap, topic, written.Count, Cancellation));
    }

    // The other codecs are packages of their own there.
    private static bool CanBeReadByKafkaJs(string codec) => codec is "none" or "gzip";

    private static List<WireRecord> Records(string? headerValueOrNull)
    {
        List<WireRecord> records =
        [
            new("6b", "76", _firstTimestamp, []),
            new(null, "76", _firstTimestamp + 1, []),
            new("6b", null, _firstTimestamp + 2, []),
            new("", "", _firstTimestamp + 3, []),
            new("00ff0a", "ff000a0d", _firstTimestamp + 4, []),
            new("6b", "76", _firstTimestamp + 5, [("a", "31"), ("a", "32"), ("none", headerValueOrNull), ("empty", "")]),
            // Timestamps may go back.
            new("6b", "76", _firstTimestamp - 1000, []),
        ];
        // Enough to fill buffers, compress well and cross the codecs' block sizes (64 KiB for lz4, 32 KiB for snappy's framing).
        var random = new Random(42);
        var noise = new byte[300];
        for (var index = 0; index < 600; index++)
        {
            random.NextBytes(noise.AsSpan(0, index % noise.Length));
            records.Add(new WireRecord(index.ToString("x8", System.Globalization.CultureInfo.InvariantCulture), Convert.ToHexStringLower(noise), _firstTimestamp + 100 + index, []));
        }

        return records;
    }
}
