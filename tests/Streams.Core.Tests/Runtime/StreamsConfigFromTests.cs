using Xunit;

namespace Streams.Core.Tests.Runtime;

public sealed class StreamsConfigFromTests
{
    [Fact]
    public void Settings_are_read_by_their_Kafka_names()
    {
        var config = StreamsConfig.From(
        [
            new("application.id", "app"), new("bootstrap.servers", "a:1,b:2"), new("processing.guarantee", "exactly_once_v2"), new("num.stream.threads", "3"),
            new("num.standby.replicas", "1"), new("max.task.idle.ms", "-1"), new("auto.offset.reset", "by_duration:PT2H"), new("statestore.cache.max.bytes", "0"),
            new("default.timestamp.extractor", "org.apache.kafka.streams.processor.WallclockTimestampExtractor"), new("client.tag.zone", "a"), new("rack.aware.assignment.tags", "zone"),
            new("default.interactive.query.isolation.level", "READ_COMMITTED"), new("security.protocol", "SASL_SSL"), new("sasl.mechanism", "PLAIN"),
            new("consumer.fetch.min.bytes", "10"), new("main.consumer.fetch.min.bytes", "20"), new("restore.consumer.fetch.min.bytes", "30"), new("producer.compression.type", "lz4"),
            new("topic.min.insync.replicas", "2"), new("consumer.session.timeout.ms", "9000"), new("deserialization.exception.handler", "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler"),
            new("client.rack", "r1"), new("state.dir", null), new("commit.interval.ms", "250"), new("rack.aware.assignment.strategy", "balance_subtopology"), new("rack.aware.assignment.traffic_cost", "7"),
            new("rack.aware.assignment.non_overlap_cost", "0"), new("log.summary.interval.ms", "-1"), new("task.assignor.class", "org.apache.kafka.streams.processor.assignment.assignors.StickyTaskAssignor"),
        ]);
        config.Validate();
        Assert.Equal(ProcessingGuarantee.ExactlyOnce, config.ProcessingGuarantee);
        Assert.Equal(3, config.NumStreamThreads);
        Assert.Equal(TimeSpan.FromMilliseconds(-1), config.MaxTaskIdle);
        Assert.Equal(AutoOffsetReset.ByDuration(TimeSpan.FromHours(2)), config.OffsetReset);
        Assert.Equal(TimestampPolicy.WallClock, config.TimestampPolicy);
        Assert.Equal(IsolationLevel.ReadCommitted, config.DefaultInteractiveQueryIsolationLevel);
        Assert.Equal("SASL_SSL", config.ClientProperties["security.protocol"]);
        Assert.Equal("20", config.ConsumerSettings(config.MainConsumerProperties)["fetch.min.bytes"]);
        Assert.Equal("30", config.ConsumerSettings(config.RestoreConsumerProperties)["fetch.min.bytes"]);
        Assert.Equal("10", config.ConsumerSettings(config.GlobalConsumerProperties)["fetch.min.bytes"]);
        Assert.Equal("r1", config.ConsumerSettings(config.GlobalConsumerProperties)["client.rack"]);
        Assert.Equal("lz4", config.ProducerProperties["compression.type"]);
        Assert.Equal("2", config.TopicProperties["min.insync.replicas"]);
        Assert.Equal(TimeSpan.FromSeconds(9), config.SessionTimeout);
        Assert.Equal(TimeSpan.FromMilliseconds(250), config.CommitInterval);
        Assert.NotNull(config.DeserializationExceptionHandler);
        Assert.Equal("a", config.ClientTags["zone"]);
        Assert.Equal((RackAwareAssignmentStrategy.BalanceSubtopology, 7, 0), (config.RackAwareAssignmentStrategy, config.RackAwareAssignmentTrafficCost, config.RackAwareAssignmentNonOverlapCost));
        Assert.Equal(TimeSpan.Zero, config.LogSummaryInterval);
        Assert.Null(config.TaskAssignor);
    }

    [Fact]
    public void Times_that_are_out_of_range_are_faults_and_not_thrown()
    {
        var config = StreamsConfig.From(
        [
            new("application.id", "app"), new("bootstrap.servers", "a:1"), new("commit.interval.ms", "9223372036854775807"), new("session.timeout.ms", "-9223372036854775808"),
            new("auto.offset.reset", "by_duration:-PT1H"), new("metadata.max.age.ms", "99999999999999999"),
        ]);
        var message = Assert.Throws<ConfigException>(config.Validate).Message;
        Assert.All(["commit.interval.ms is ", "session.timeout.ms is -", "auto.offset.reset is 'by_duration:-PT1H'", "metadata.max.age.ms is "], part => Assert.Contains("\n  - " + part, message, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_the_applications_own_is_read_with_the_prefixes_of_consumers_too()
    {
        var config = StreamsConfig.From(
        [
            new("application.id", "app"), new("bootstrap.servers", "a:1"), new("main.consumer.session.timeout.ms", "12000"), new("CONSUMER.HEARTBEAT.INTERVAL.MS", "1000"),
            new("main.consumer.max.poll.interval.ms", "70000"), new("Consumer.Fetch.Min.Bytes", "5"), new("client.tag.Zone", "a"),
        ]);
        config.Validate();
        Assert.Equal((12, 1, 70), (config.SessionTimeout.TotalSeconds, config.HeartbeatInterval.TotalSeconds, config.RebalanceTimeout.TotalSeconds));
        Assert.Empty(config.MainConsumerProperties);
        Assert.Equal("5", config.ConsumerProperties["fetch.min.bytes"]);
        Assert.Equal("a", config.ClientTags["Zone"]);
    }

    [Fact]
    public void Isolation_of_the_input_is_the_applications_and_exactly_once_has_no_choice()
    {
        KeyValuePair<string, string?>[] settings = [new("application.id", "app"), new("bootstrap.servers", "a:1")];
        var plain = StreamsConfig.From(settings);
        Assert.Equal(IsolationLevel.ReadUncommitted, plain.InputIsolationLevel);
        Assert.Equal(IsolationLevel.ReadCommitted, plain.With([new("processing.guarantee", "exactly_once_v2")]).InputIsolationLevel);
        foreach (var key in (string[])["consumer.isolation.level", "main.consumer.isolation.level", "isolation.level", "InputIsolationLevel"])
        {
            var read = plain.With([new(key, "read_committed")]);
            read.Validate();
            Assert.Equal(IsolationLevel.ReadCommitted, read.InputIsolationLevel);
        }

        var dirty = plain.With([new("processing.guarantee", "exactly_once_v2"), new("consumer.isolation.level", "read_uncommitted")]);
        Assert.Contains("with ExactlyOnce only ReadCommitted", Assert.Throws<ConfigException>(dirty.Validate).Message, StringComparison.Ordinal);
        var aside = plain with { ConsumerProperties = new Dictionary<string, string> { ["isolation.level"] = "read_committed" } };
        Assert.Contains("set InputIsolationLevel", Assert.Throws<ConfigException>(aside.Validate).Message, StringComparison.Ordinal);
        (aside with { InputIsolationLevel = IsolationLevel.ReadCommitted }).Validate();
    }

    [Fact]
    public void Settings_of_Kafkas_that_have_another_place_say_where()
    {
        KeyValuePair<string, string?>[] settings = [new("application.id", "app"), new("bootstrap.servers", "a:1"), new("default.key.serde", "x"), new("topology.optimization", "all"), new("rocksdb.config.setter", "x")];
        var message = Assert.Throws<ConfigException>(StreamsConfig.From(settings).Validate).Message;
        Assert.Contains("default.key.serde is not a setting of an application here: serdes are found by type", message, StringComparison.Ordinal);
        Assert.Contains("StreamsBuilderOptions with Optimization", message, StringComparison.Ordinal);
        Assert.Contains("rocksdb.config.setter is 'x': options are set by their own names", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_wrong_is_reported_together_unknown_names_with_what_may_be_meant()
    {
        var config = StreamsConfig.From(
        [
            new("application.id", "app/1"), new("num.stream.thread", "2"), new("num.standby.replicas", "two"), new("commit.interval.ms", "99999999999999999999"), new("processing.guarantee", "twice"),
            new("fetch.min.bytes", "1"), new("consumer.group.id", "mine"), new("max.warmup.replicas", "0"), new("application.server", "here"), new("metrics.recording.level", "7"),
            new("rack.aware.assignment.strategy", "min_traffic"), new("rack.aware.assignment.traffic_cost", "-1"), new("task.assignor.class", "com.example.Mine"),
        ]);
        var message = Assert.Throws<ConfigException>(config.Validate).Message;
        foreach (var part in new[]
        {
            "application.id is 'app/1'", "num.stream.thread is not a setting", "is 'num.stream.threads' meant?", "num.standby.replicas is 'two'", "commit.interval.ms is '99999999999999999999'", "processing.guarantee is 'twice'",
            "fetch.min.bytes is not a setting", "consumer.group.id is decided", "max.warmup.replicas is 0", "rack.aware.assignment.strategy is MinTraffic, and client.rack is not set", "rack.aware.assignment.traffic_cost is -1", "task.assignor.class is 'com.example.Mine'",
            "application.server is 'here'", "metrics.recording.level is '7'", "bootstrap.servers",
        })
        {
            Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("host:80", "host", 80)]
    [InlineData("[::1]:9092", "::1", 9092)]
    public void Addresses_of_instances_are_read(string text, string host, int port)
    {
        Assert.True(HostInfo.TryParse(text, out var info));
        Assert.Equal(new HostInfo(host, port), info);
        Assert.Equal(text, info.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":80")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("::1:80")]
    [InlineData("[]:80")]
    [InlineData("a b:80")]
    public void Nonsense_is_no_address(string text) => Assert.False(HostInfo.TryParse(text, out _));
}
