using System.Text.RegularExpressions;
using Streams.Core;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>A source that reads whatever topics match, those that come and go while the application runs as well.</summary>
public sealed class PatternSourceTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Topics_made_later_are_read_and_deleted_ones_are_given_up()
    {
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "output", 1);
        await TestTopics.CreateAsync(cluster, "other", 1);
        await using var app = new KafkaStreams(Copy(), Config(cluster));
        await app.StartAsync(TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => app.State == KafkaStreamsState.Running, _patience);
        Assert.Equal(0, TasksOf(app));

        await TestTopics.CreateAsync(cluster, "in-a", 2);
        TestTopics.Produce(cluster, "in-a", Enumerable.Range(0, 20).Select(number => ($"k{number}", $"a{number}")));
        TestTopics.Produce(cluster, "other", [("k", "not matched")]);
        await TestTopics.WaitForCountAsync(cluster, "output", 20, _patience);
        Assert.Equal(2, TasksOf(app));

        // The second topic's first two partitions go to tasks that run already.
        await TestTopics.CreateAsync(cluster, "in-b", 3);
        TestTopics.Produce(cluster, "in-b", Enumerable.Range(0, 30).Select(number => ($"k{number}", $"b{number}")));
        await TestTopics.WaitForCountAsync(cluster, "output", 50, _patience);
        await TestTopics.WaitUntilAsync(() => TasksOf(app) == 3, _patience);

        // With the default max.task.idle.ms a task would wait for ever for a partition that is gone.
        using (var admin = cluster.CreateAdmin("test")) await admin.DeleteTopicsAsync(["in-b"], TestContext.Current.CancellationToken);
        await TestTopics.WaitUntilAsync(() => TasksOf(app) == 2, _patience);
        TestTopics.Produce(cluster, "in-a", Enumerable.Range(0, 20).Select(number => ($"k{number}", $"c{number}")));
        await TestTopics.WaitForCountAsync(cluster, "output", 70, _patience);
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);

        var values = TestTopics.ReadAll(cluster, "output").Select(record => record.Value).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(70, values.Distinct().Count());
        Assert.DoesNotContain("not matched", values);
    }

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
