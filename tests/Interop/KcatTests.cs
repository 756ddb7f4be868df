using System.Text;

namespace Interop;

public sealed class KcatTests(SharedBroker broker)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Kcat_writes_and_reads_with_codec(string codec)
    {
        var topic = Topics.Unique("kcat-" + codec);
        var lines = Enumerable.Range(0, 2000).Select(number => $"k{number}:value {number} {new string('x', number % 50)}").ToList();
        await Kcat.ProduceAsync(broker.Bootstrap, topic, string.Join('\n', lines) + "\n", Cancellation, "-p", "0", "-z", codec);

        var records = await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation);
        Assert.Equal(lines, records.Select(record => Text(record.Key) + ":" + Text(record.Value)));
    }

    [Fact]
    public async Task Kcat_writes_nulls_and_headers()
    {
        var topic = Topics.Unique("kcat-nulls");
        await Kcat.ProduceAsync(broker.Bootstrap, topic, "a:1\nb:\n:3\n", Cancellation, "-p", "0", "-Z", "-H", "one=1", "-H", "none", "-H", "one=2");

        var records = await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation);
        Assert.Equal([("a", "1"), ("b", null), (null, "3")], records.Select(record => (Text(record.Key), Text(record.Value))));
        Assert.All(records, record => Assert.Equal([("one", "31"), ("none", null), ("one", "32")], record.Headers));
    }

    [Fact]
    public async Task Kcat_lists_the_broker_and_its_topics()
    {
        var topic = Topics.Unique("kcat-listed");
        await Kcat.ProduceAsync(broker.Bootstrap, topic, "k:v\n", Cancellation);
        var listing = (await Kcat.RunAsync(broker.Bootstrap, null, Cancellation, "-L")).ShouldSucceed().Output;
        Assert.Contains($"at {broker.Bootstrap}", listing, StringComparison.Ordinal);
        Assert.Contains("1 brokers:", listing, StringComparison.Ordinal);
        Assert.Contains($"topic \"{topic}\" with", listing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kcat_group_resumes_after_what_it_has_read()
    {
        var topic = Topics.Unique("kcat-group");
        await Kcat.ProduceAsync(broker.Bootstrap, topic, Lines(0, 10), Cancellation, "-p", "0");
        Assert.Equal(Values(0, 10), await ReadInGroup(topic, 10));

        await Kcat.ProduceAsync(broker.Bootstrap, topic, Lines(10, 15), Cancellation, "-p", "0");
        Assert.Equal(Values(10, 15), await ReadInGroup(topic, 5));
    }

    [Fact]
    public async Task Kcat_finds_offsets_by_time()
    {
        var topic = Topics.Unique("kcat-times");
        await Kcat.ProduceAsync(broker.Bootstrap, topic, Lines(0, 5), Cancellation, "-p", "0");
        var timestamps = (await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation)).Select(record => record.Timestamp).ToList();
        var expected = timestamps.FindIndex(timestamp => timestamp >= timestamps[4]);
        var answer = (await Kcat.RunAsync(broker.Bootstrap, null, Cancellation, "-Q", "-t", $"{topic}:0:{timestamps[4]}")).ShouldSucceed().Output;
        Assert.Equal($"{topic} [0] offset {expected}\n", answer);
    }

    [Fact]
    public async Task Kcat_reads_from_an_offset_and_from_the_tail()
    {
        var topic = Topics.Unique("kcat-offsets");
        await Kcat.ProduceAsync(broker.Bootstrap, topic, Lines(0, 10), Cancellation, "-p", "0");
        Assert.Equal(["6", "7", "8", "9"], await Read("6"));
        Assert.Equal(["8", "9"], await Read("-2"));

        async Task<string[]> Read(string offset) =>
            (await Kcat.RunAsync(broker.Bootstrap, null, Cancellation, "-C", "-t", topic, "-p", "0", "-o", offset, "-e", "-q")).ShouldSucceed().Lines;
    }

    [Fact]
    public async Task Kcat_moves_a_large_message()
    {
        var topic = Topics.Unique("kcat-large");
        var payload = Enumerable.Range(0, 900 * 1024).Select(index => (byte)('a' + (index * 31 % 26))).ToArray();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, payload, Cancellation);
            (await Kcat.RunAsync(broker.Bootstrap, null, Cancellation, "-P", "-t", topic, "-p", "0", file)).ShouldSucceed();
        }
        finally
        {
            File.Delete(file);
        }

        var record = Assert.Single(await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation));
        Assert.Equal(Convert.ToHexStringLower(payload), record.Value);
    }

    [Fact]
    public async Task Kcat_writes_idempotently()
    {
        var topic = Topics.Unique("kcat-idempotent");
        await Kcat.ProduceAsync(broker.Bootstrap, topic, Lines(0, 5000), Cancellation, "-p", "0", "-X", "enable.idempotence=true", "-X", "batch.num.messages=50");
        Assert.Equal(Values(0, 5000), (await Kcat.ConsumeAsync(broker.Bootstrap, topic, Cancellation)).Select(record => Text(record.Value)));
    }

    private static string Lines(int from, int to) => string.Concat(Values(from, to).Select(value => $"k:{value}\n"));

    private static IEnumerable<string> Values(int from, int to) =>
        Enumerable.Range(from, to - from).Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static string? Text(string? hex) => hex is null ? null : Encoding.UTF8.GetString(Convert.FromHexString(hex));

    private async Task<string[]> ReadInGroup(string topic, int count) =>
        (await Kcat.RunAsync(
            broker.Bootstrap, null, Cancellation, "-G", "group-of-" + topic, "-c", count.ToString(System.Globalization.CultureInfo.InvariantCulture), "-q", "-X",
            "auto.offset.reset=earliest", topic)).ShouldSucceed().Lines;
}
