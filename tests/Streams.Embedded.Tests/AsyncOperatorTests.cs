using System.Collections.Concurrent;
using Streams.Core;
using Streams.Dsl;
using Xunit;

namespace Streams.Embedded.Tests;

/// <summary>Asynchronous operators in an application, with offsets that never pass an unfinished record.</summary>
public sealed class AsyncOperatorTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(ProcessingGuarantee.AtLeastOnce)]
    [InlineData(ProcessingGuarantee.ExactlyOnce)]
    public async Task Application_that_is_closed_in_the_middle_goes_on_without_gap_or_repetition(ProcessingGuarantee guarantee)
    {
        const int Count = 2000;
        await using var cluster = EmbeddedCluster.InMemory();
        await TestTopics.CreateAsync(cluster, "input", 2);
        await TestTopics.CreateAsync(cluster, "output", 2);
        TestTopics.Produce(cluster, "input", Enumerable.Range(0, Count).Select(index => ($"k{index % 50}", $"{index:D5}")));
        var calls = new ConcurrentDictionary<string, int>();

        await using (var first = new KafkaStreams(Topology(calls), Config(cluster, guarantee)))
        {
            await first.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitUntilAsync(() => calls.Count > Count / 4, _patience);
            Assert.True(await first.CloseAsync(_patience));
        }

        var callsBefore = calls.Count;
        Assert.True(callsBefore < Count, "the application was to be closed in the middle");
        await using (var second = new KafkaStreams(Topology(calls), Config(cluster, guarantee)))
        {
            await second.StartAsync(TestContext.Current.CancellationToken);
            await TestTopics.WaitUntilAsync(() => calls.Count == Count, _patience);
            Assert.True(await second.CloseAsync(_patience));
        }

        var results = TestTopics.ReadAll(cluster, "output");
        Assert.Equal(Count, results.Count);
        Assert.All(calls.Values, times => Assert.Equal(1, times));
        foreach (var key in results.GroupBy(result => result.Key)) Assert.Equal(key.Select(result => result.Value).Order(StringComparer.Ordinal), key.Select(result => result.Value));
    }

    private static Topology Topology(ConcurrentDictionary<string, int> calls)
    {
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("input")
            .MapValuesAsync(
                async (value, cancellation) =>
                {
                    calls.AddOrUpdate(value, 1, (_, times) => times + 1);
                    await Task.Delay(int.Parse(value, null) % 7, cancellation);
                    return value;
                },
                new AsyncOptions { MaxConcurrency = 32 })
            .To("output");
        return builder.Build();
    }

    private static StreamsConfig Config(EmbeddedCluster cluster, ProcessingGuarantee guarantee) =>
        StatelessApplicationTests.Config(cluster, "async") with { ProcessingGuarantee = guarantee };
}
