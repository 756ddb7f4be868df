using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class StreamsConfigTests
{
    private static StreamsConfig Good => new() { ApplicationId = "app", BootstrapServers = "localhost:9092" };

    [Fact]
    public void Defaults_are_usable() => Good.Validate();

    [Fact]
    public void All_faults_are_reported_together()
    {
        var bad = Good with
        {
            ApplicationId = "no spaces",
            BootstrapServers = null,
            NumStreamThreads = 0,
            StateDirectory = " ",
            CommitInterval = TimeSpan.Zero,
            PollInterval = TimeSpan.FromMilliseconds(-1),
            MetadataMaxAge = TimeSpan.MaxValue,
            HeartbeatInterval = TimeSpan.FromSeconds(20),
            BufferedRecordsPerPartition = 0,
            InputBufferMaxBytes = 1,
            StateMemoryBytes = 1,
            StateStoreUncommittedMaxBytes = 0,
            ReplicationFactor = 0,
            ConsumerProperties = new Dictionary<string, string> { ["group.id"] = "mine" },
        };
        var failure = Assert.Throws<ConfigException>(bad.Validate);
        string[] names =
        [
            "application.id", "bootstrap.servers", "num.stream.threads", "state.dir", "commit.interval.ms", "poll.ms", "metadata.max.age.ms", "heartbeat.interval.ms",
            "buffered.records.per.partition", "input.buffer.max.bytes", "StateMemoryBytes", "statestore.cache.max.bytes", "statestore.uncommitted.max.bytes", "replication.factor",
            "consumer.group.id",
        ];
        Assert.All(names, name => Assert.Contains($"\n  - ", failure.Message[..failure.Message.IndexOf(name, StringComparison.Ordinal)], StringComparison.Ordinal));
        Assert.StartsWith($"{names.Length} setting(s)", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("ä")]
    public void Application_id_that_cannot_begin_topic_and_folder_names_is_refused(string id)
    {
        var failure = Assert.Throws<ConfigException>((Good with { ApplicationId = id }).Validate);
        Assert.Contains($"application.id is '{id}'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(256L << 20, 10L << 20, 1, 54L << 20)]
    [InlineData(256L << 20, 100L << 20, 2, 32L << 20)]
    [InlineData(256L << 20, 180L << 20, 2, 12L << 20)]
    [InlineData(16L << 20, 10L << 20, 64, 2L << 20)]
    [InlineData(8L << 30, 0, 1, 2L << 30)]
    public void Input_buffers_have_their_part_of_the_memory(long memory, long cache, int threads, long expected)
    {
        var config = new StreamsConfig { ApplicationId = "app", BootstrapServers = "a:1", StateMemoryBytes = memory, StateStoreCacheMaxBytes = cache, NumStreamThreads = threads };
        config.Validate();
        Assert.Equal(expected, config.InputBufferMaxBytes);
        Assert.InRange((threads * ((long)config.FetchedMaxBytes + config.RestoreFetchedMaxBytes + config.QueuedMaxBytes)) + config.GlobalFetchedMaxBytes, expected / 2, expected);
        Assert.Throws<ConfigException>((config with { InputBufferMaxBytes = (memory / 4 * 3) - cache + 1 }).Validate);
        Assert.Equal(5L << 20, (config with { InputBufferMaxBytes = 5L << 20 }).InputBufferMaxBytes);
    }
}
