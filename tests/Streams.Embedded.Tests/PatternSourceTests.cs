using System.Text.RegularExpressions;
using Streams.Core;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>A source that reads whatever topics match, those that come and go while the application runs as well.</summary>
public sealed class PatternSourceTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Instances_that_do_not_lead_get_their_share_of_a_new_topic()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "output", 1);
        await using var one = new KafkaStreams(Copy(), Config(cluster));
        await using var two = new KafkaStreams(Copy(), Config(cluster));
        await one.StartAsync(TestContext.Current.CancellationToken);
        await two.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.CreateAsync(cluster, "in-a", 4);
        await TestTopics.WaitUntilAsync(() => TasksOf(one) == 2 && TasksOf(two) == 2, _patience);
        TestTopics.Produce(cluster, "in-a", Enumerable.Range(0, 100).Select(number => ($"k{number}", $"a{number}")));
        await TestTopics.WaitForCountAsync(cluster, "output", 100, _patience);
        Assert.Null(one.Failure);
        Assert.Null(two.Failure);
    }

    private static int TasksOf(KafkaStreams app) => app.TasksByThread.Values.Sum(tasks => tasks.Count);

    private static StreamsConfig Config(EmbeddedCluster cluster) => StatelessApplicationTests.Config(cluster, "app") with { MetadataMaxAge = TimeSpan.FromMilliseconds(100) };

    private static Topology Copy() => new Topology()
        .AddSource("source", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, new Regex("in-.*"))
        .AddSink("sink", "output", new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "source");
}
