using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>E-96: records of repartition topics are deleted once they are consumed, and not before.</summary>
public sealed class RepartitionPurgeTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>To the last one, also when nothing follows whose commit could take it along.</summary>
    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce)]
    [InlineData(ProcessingGuarantee.ExactlyOnce)]
    public async Task Consumed_repartition_records_are_deleted_to_the_last_one_and_no_other_is(ProcessingGuarantee guarantee)
    {
        const string Repartition = "purged-by-value-repartition";
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 2);
        await TestTopics.CreateAsync(cluster, "output", 1);
        var config = StatelessApplicationTests.Config(cluster, "purged") with { ProcessingGuarantee = guarantee, CommitInterval = TimeSpan.FromMilliseconds(30), RepartitionPurgeInterval = TimeSpan.FromMilliseconds(100) };
        await using var app = new KafkaStreams(Topology(), config);
        await app.StartAsync(TestContext.Current.CancellationToken);
        await using var group = cluster.CreateGroupCoordinator("test", "purged");
        for (var round = 1; round <= 3; round++)
        {
            TestTopics.Produce(cluster, "input", Enumerable.Range(0, 1000).Select(number => ($"k{number}", $"v{number % 100}")));
            await TestTopics.WaitForCountAsync(cluster, "output", 1000 * round, _patience);
            await TestTopics.WaitUntilAsync(
                () =>
                {
                    // Begin first: the other two only go up meanwhile.
                    var begins = TestTopics.Offsets(cluster, Repartition, end: false);
                    var committed = group.FetchOffsetsAsync([.. begins.Keys], TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                    Assert.All(begins, begin => Assert.True(begin.Value == 0 || begin.Value <= committed[begin.Key].Offset, $"{begin.Key} begins at {begin.Value}, which is not consumed"));
                    var ends = TestTopics.Offsets(cluster, Repartition, end: true);

                    // With transactions the last thing in the log is a marker, which is no record and consumed by nobody.
                    var markers = guarantee == ProcessingGuarantee.ExactlyOnce ? 1 : 0;
                    return ends.All(end => begins[end.Key] >= end.Value - markers);
                },
                _patience);
        }

        Assert.True(TestTopics.Offsets(cluster, "input", end: false).Values.All(begin => begin == 0), "input topics are not the application's to delete from");
        Assert.True(await app.CloseAsync(_patience));
        Assert.Null(app.Failure);
    }

    private static Topology Topology()
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .GroupBy((_, value) => value, Grouped.As("by-value"))
            .Count(Materialized.As("counts").WithStoreType(StoreType.InMemory).WithCachingDisabled())
            .ToStream()
            .To("output");
        return builder.Build();
    }
}
