namespace Guide.Samples;

/// <summary>docs/guide/streams.md.</summary>
public sealed class StreamsSample
{
    [Fact]
    public void Stateless_operators()
    {
        // <snippet stateless>
        var builder = new StreamsBuilder();

        builder.Stream<string, string>("visits")                           // key: session, value: "user path"
            .Filter(visit => visit.Contains(' ', StringComparison.Ordinal))
            .MapValues(visit => visit.Split(' ', 2))
            .Map((session, visit) => KeyValue.Pair(visit[0], visit[1]))    // new key: the records move to the key's partition when that matters
            .Peek((user, path) => Console.WriteLine($"{user} {path}"))
            .To("paths-by-user");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var visits = driver.CreateInputTopic<string, string>("visits");
        visits.PipeInput("s1", "ann /home");
        visits.PipeInput("s2", "broken");
        Assert.Equal([new("ann", "/home")], driver.CreateOutputTopic<string, string>("paths-by-user").ReadKeyValuesToList());
    }

    [Fact]
    public void Branches()
    {
        // <snippet branches>
        var builder = new StreamsBuilder();
        var branches = builder.Stream<string, long>("payments")
            .Split("by-size-")
            .Branch((_, cents) => cents < 0, Branched.As("refunds"))
            .Branch((_, cents) => cents >= 100_000, Branched.As("large"))
            .DefaultBranch(Branched.As("normal"));

        branches["by-size-refunds"].To("refunds");
        branches["by-size-large"].Merge(branches["by-size-normal"]).To("payments-in");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var payments = driver.CreateInputTopic<string, long>("payments");
        foreach (var cents in new long[] { 5, -7, 200_000 }) payments.PipeInput("k", cents);
        Assert.Equal([-7], driver.CreateOutputTopic<string, long>("refunds").ReadValuesToList());
        Assert.Equal([5, 200_000], driver.CreateOutputTopic<string, long>("payments-in").ReadValuesToList());
    }

    [Fact]
    public void Topic_chosen_per_record()
    {
        // <snippet dynamic-topic>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("events")
            .To((in Record<string, string> record, RecordMetadata? source) => record.Value.StartsWith("error", StringComparison.Ordinal) ? "errors" : "others");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var events = driver.CreateInputTopic<string, string>("events");
        events.PipeInput("k", "error 1");
        events.PipeInput("k", "fine");
        Assert.Equal(["error 1"], driver.CreateOutputTopic<string, string>("errors").ReadValuesToList());
        Assert.Equal(["fine"], driver.CreateOutputTopic<string, string>("others").ReadValuesToList());
    }

    [Fact]
    public void Repartitioning()
    {
        // <snippet repartition>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("events")
            .SelectKey((_, value) => value.Split(' ')[0])
            .Repartition(Repartitioned.As("events-by-user").WithNumberOfPartitions(8))
            .To("by-user");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build(), options: new TopologyTestDriverOptions { PartitionsPerTopic = 2 });
        driver.CreateInputTopic<string, string>("events").PipeInput("k", "ann home");
        Assert.Equal([new("ann", "ann home")], driver.CreateOutputTopic<string, string>("by-user").ReadKeyValuesToList());
        Assert.Contains("topology-test-driver-events-by-user-repartition", driver.ProducedTopicNames);
        Assert.Equal(2 + 8, driver.Tasks.Count);
    }
}
