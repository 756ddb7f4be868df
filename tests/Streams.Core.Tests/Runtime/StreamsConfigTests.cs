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

    [Fact]
    public void Nulls_and_values_that_no_enumeration_has_are_reported_with_the_rest()
    {
        var bad = Good with
        {
            OffsetReset = null!,
            LoggerFactory = null!,
            TimeProvider = null!,
            ClientProperties = null!,
            ProducerProperties = null!,
            TopicProperties = new Dictionary<string, string> { ["retention.ms"] = null! },
            ClientTags = null!,
            RackAwareAssignmentTags = null!,
            ConsumerProperties = null!,
            MainConsumerProperties = new Dictionary<string, string> { ["fetch.min.bytes"] = null! },
            StateDirectory = "a\0b",
            GroupInstanceId = "",
            TimestampPolicy = (TimestampPolicy)99,
            MetricsRecordingLevel = (MetricsRecordingLevel)99,
            DefaultInteractiveQueryIsolationLevel = (IsolationLevel)99,
        };
        var message = Assert.Throws<ConfigException>(bad.Validate).Message;
        string[] faults =
        [
            "auto.offset.reset is null", "LoggerFactory is null", "TimeProvider is null", "ClientProperties is null", "producer. is null", "topic.retention.ms is null", "client.tag. is null",
            "rack.aware.assignment.tags is null", "consumer. is null", "main.consumer.fetch.min.bytes is null", "state.dir is 'a?b'", "group.instance.id is ''", "default.timestamp.extractor is 99",
            "metrics.recording.level is 99", "default.interactive.query.isolation.level is 99",
        ];
        Assert.All(faults, fault => Assert.Contains("\n  - " + fault, message, StringComparison.Ordinal));
        Assert.StartsWith($"{faults.Length} setting(s)", message, StringComparison.Ordinal);
        Assert.Contains("client.tag.zone is ''", Assert.Throws<ConfigException>((Good with { ClientTags = new Dictionary<string, string> { ["zone"] = null! } }).Validate).Message, StringComparison.Ordinal);
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
