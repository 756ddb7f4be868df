using Microsoft.Extensions.Configuration;
using Streams.Core;

namespace Streams.Hosting.Tests;

public sealed class StreamsConfigurationTests
{
    private static readonly StreamsConfig _defaults = new() { ApplicationId = "app" };

    [Theory]
    [InlineData("num.stream.threads")]
    [InlineData("NumStreamThreads")]
    [InlineData("numstreamthreads")]
    public void Setting_is_known_by_either_name_in_any_case(string name)
    {
        Assert.Equal(3, Read((name, "3")).NumStreamThreads);
    }

    [Theory]
    [InlineData("1500", 1500)]
    [InlineData("00:00:02", 2000)]
    public void Duration_is_milliseconds_or_a_time(string text, int expectedMs)
    {
        Assert.Equal(expectedMs, Read(("commit.interval.ms", text)).CommitInterval.TotalMilliseconds);
    }

    [Theory]
    [InlineData("exactly_once_v2")]
    [InlineData("ExactlyOnce")]
    public void Guarantee_has_kafkas_name_or_ours(string text)
    {
        Assert.Equal(ProcessingGuarantee.ExactlyOnce, Read(("processing.guarantee", text)).ProcessingGuarantee);
    }

    [Fact]
    public void Prefixed_settings_go_to_the_clients_and_topics()
    {
        var config = Read(("consumer.fetch.min.bytes", "7"), ("Consumer:max.poll.records", "9"), ("MainConsumerProperties:fetch.max.bytes", "11"), ("Security:Protocol", "SSL"), ("Producer:compression.type", "lz4"), ("topic.retention.ms", "5"));
        Assert.Equal("7", config.ConsumerProperties["fetch.min.bytes"]);
        Assert.Equal("9", config.ConsumerProperties["max.poll.records"]);
        Assert.Equal("11", config.MainConsumerProperties["fetch.max.bytes"]);
        Assert.Equal("SSL", config.ClientProperties["security.protocol"]);
        Assert.Equal("lz4", config.ProducerProperties["compression.type"]);
        Assert.Equal("5", config.TopicProperties["retention.ms"]);
    }

    [Fact]
    public void Every_fault_is_reported_at_once()
    {
        var failure = Assert.Throws<ConfigException>(() => Read(("num.stream.threads", "many"), ("poll.ms", "30 days"), ("no.such", "x"), ("auto.offset.reset", "middle"), ("replication.factor", "99999"), ("state.dir", "")).Validate());

        // With the cluster, that nobody has named.
        Assert.StartsWith("7 setting(s)", failure.Message, StringComparison.Ordinal);
        foreach (var name in (string[])["num.stream.threads", "poll.ms", "no.such", "auto.offset.reset", "replication.factor"]) Assert.Contains(name, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_section_does_not_say_stays()
    {
        var config = (_defaults with { NumStreamThreads = 4 }).With(new ConfigurationBuilder().Build());
        Assert.Equal(4, config.NumStreamThreads);
    }

    [Fact]
    public void Every_property_that_is_not_code_can_be_configured()
    {
        string[] code =
        [
            nameof(StreamsConfig.Cluster), nameof(StreamsConfig.LoggerFactory), nameof(StreamsConfig.MeterFactory), nameof(StreamsConfig.TimeProvider),
            nameof(StreamsConfig.StateRestoreListener), nameof(StreamsConfig.StandbyUpdateListener),
        ];
        foreach (var property in typeof(StreamsConfig).GetProperties())
        {
            if (code.Contains(property.Name) || typeof(Delegate).IsAssignableFrom(property.PropertyType)) continue;
            var name = property.PropertyType == typeof(IReadOnlyDictionary<string, string>) ? property.Name + ":x" : property.Name;

            // A value of the wrong kind is a fault of its own; that it is no setting is what must not come.
            var failure = Assert.Throws<ConfigException>(() => (Read((name, "1")) with { Cluster = null, BootstrapServers = null }).Validate());
            Assert.DoesNotContain("is not a setting", failure.Message, StringComparison.Ordinal);
        }
    }

    private static StreamsConfig Read(params (string Name, string Value)[] settings) =>
        _defaults.With(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());
}
