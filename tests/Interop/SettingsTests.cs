namespace Interop;

/// <summary>Settings given on the command line are what clients meet.</summary>
public sealed class SettingsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Unknown_topic_is_refused_when_topics_are_not_created_automatically()
    {
        Kcat.SkipIfMissing();
        await using var broker = await BrokerProcess.StartAsync(Cancellation, "auto.create.topics.enable=false");
        var produced = await Kcat.RunAsync(broker.Bootstrap, "k:v\n"u8.ToArray(), Cancellation, "-P", "-t", "nowhere", "-K", ":", "-X", "topic.metadata.propagation.max.ms=100");
        Assert.NotEqual(0, produced.ExitCode);
        Assert.Contains("Unknown topic", produced.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Created_topics_get_the_configured_number_of_partitions()
    {
        Kcat.SkipIfMissing();
        await using var broker = await BrokerProcess.StartAsync(Cancellation, "num.partitions=5");
        await Kcat.ProduceAsync(broker.Bootstrap, "five", "k:v\n", Cancellation);
        var listing = (await Kcat.RunAsync(broker.Bootstrap, null, Cancellation, "-L", "-t", "five")).ShouldSucceed().Output;
        Assert.Contains("topic \"five\" with 5 partitions", listing, StringComparison.Ordinal);
    }
}
