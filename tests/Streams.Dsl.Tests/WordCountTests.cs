using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests;

/// <summary>The first program of every user.</summary>
public sealed class WordCountTests
{
    [Fact]
    public void Words_are_counted_through_a_repartition_topic()
    {
        var builder = new StreamsBuilder();

        builder.Stream<string, string>("lines")
            .FlatMapValues(line => line.Split(' '))
            .GroupBy((_, word) => word)
            .Count(Materialized.As("counts"))
            .ToStream()
            .To("word-counts");

        using var driver = new TopologyTestDriver(builder.Build());
        var lines = driver.CreateInputTopic<string, string>("lines");
        var counts = driver.CreateOutputTopic<string, long>("word-counts");
        lines.PipeInput("k", "hello world hello");

        Assert.Equal([new("hello", 1), new("world", 1), new("hello", 2)], counts.ReadKeyValuesToList());
        Assert.Contains("topology-test-driver-counts-repartition", driver.ProducedTopicNames);
        Assert.True(driver.GetTimestampedKeyValueStore<string, long>("counts").TryGet("hello", out var hello));
        Assert.Equal(2, hello.Value);
    }

    [Fact]
    public void Words_are_counted_on_several_partitions()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("lines").FlatMapValues(line => line.Split(' ')).GroupBy((_, word) => word).Count().ToStream().To("word-counts");

        using var driver = new TopologyTestDriver(builder.Build(), options: new TopologyTestDriverOptions { PartitionsPerTopic = 4 });
        var lines = driver.CreateInputTopic<string, string>("lines");
        for (var line = 0; line < 8; line++) lines.PipeInput($"key{line}", "a b c d e f g h");

        var map = driver.CreateOutputTopic<string, long>("word-counts").ReadKeyValuesToMap();
        Assert.Equal(8, map.Count);
        Assert.All(map.Values, count => Assert.Equal(8, count));
    }
}
