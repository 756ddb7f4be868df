using STREAMS_APP;
using Streams.Core;
using Streams.Testing;
using Xunit;

namespace StreamsTests;

public sealed class WordCountTests
{
    [Fact]
    public void Words_are_counted_whatever_their_case()
    {
        using var driver = new TopologyTestDriver(WordCountTopology.Build(), new StreamsConfig { ApplicationId = "test" });
        var lines = driver.CreateInputTopic<string, string>("lines");
        var counts = driver.CreateOutputTopic<string, long>("word-counts");

        lines.PipeInput("1", "Hello world");
        lines.PipeInput("2", "hello again");

        var last = counts.ReadKeyValuesToMap();
        Assert.Equal(2, last["hello"]);
        Assert.Equal(1, last["world"]);
    }
}
