namespace Guide.Samples;

// <snippet deduplicator>
internal sealed class Deduplicator(TimeSpan memory) : Processor<string, string, string, string>
{
    private IKeyValueStore<string, long> _seen = null!;

    protected override void Init()
    {
        _seen = Context.GetStateStore<IKeyValueStore<string, long>>("seen");
        Context.Schedule(memory, PunctuationType.StreamTime, Forget);
    }

    public override void Process(in Record<string, string> record)
    {
        if (_seen.TryGet(record.Key, out _)) return;
        _seen.Put(record.Key, record.Timestamp);
        Forward(record);
    }

    private void Forget(long streamTimeMs)
    {
        using var entries = _seen.All();
        while (entries.MoveNext())
        {
            if (entries.Value <= streamTimeMs - memory.TotalMilliseconds) _seen.Delete(entries.Key);
        }
    }
}
// </snippet>

/// <summary>docs/guide/processor-api.md.</summary>
public sealed class ProcessorApi
{
    [Fact]
    public void Topology_by_hand()
    {
        // <snippet topology-by-hand>
        var seen = Stores.KeyValueStoreBuilder(Stores.PersistentKeyValueStore("seen"), Serdes.String, Serdes.Int64);

        var topology = new Topology()
            .AddSource("events", new SourceOptions<string, string> { KeyDeserializer = Serdes.String, ValueDeserializer = Serdes.String }, "events-in")
            .AddProcessor<string, string>("deduplicate", () => new Deduplicator(TimeSpan.FromMinutes(1)), "events")
            .AddStateStore(seen, "deduplicate")
            .AddSink("out", "events-out", new SinkOptions<string, string> { KeySerializer = Serdes.String, ValueSerializer = Serdes.String }, "deduplicate");
        // </snippet>

        // <snippet deduplicator-test>
        using var driver = new TopologyTestDriver(topology);
        var events = driver.CreateInputTopic<string, string>("events-in");
        events.PipeInput("1", "a", timestamp: 0);
        events.PipeInput("1", "again", timestamp: 1_000);
        events.PipeInput("2", "b", timestamp: 70_000);           // stream time moves on: 1 is forgotten
        events.PipeInput("1", "new", timestamp: 71_000);

        Assert.Equal(["a", "b", "new"], driver.CreateOutputTopic<string, string>("events-out").ReadValuesToList());
        // </snippet>
    }

    [Fact]
    public void Processor_in_the_dsl()
    {
        // <snippet process-in-dsl>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("events-in")
            .Process<string, string>(
                () => new Deduplicator(TimeSpan.FromMinutes(1)),
                Named.As("deduplicate"),
                stores: [Stores.KeyValueStoreBuilder(Stores.InMemoryKeyValueStore("seen"), Serdes.String, Serdes.Int64)])
            .To("events-out");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        var events = driver.CreateInputTopic<string, string>("events-in");
        events.PipeInput("1", "a");
        events.PipeInput("1", "again");
        Assert.Equal(["a"], driver.CreateOutputTopic<string, string>("events-out").ReadValuesToList());
    }

    // <snippet fixed-key>
    private sealed class AddOffset : FixedKeyProcessor<string, string, string>
    {
        public override void Process(in FixedKeyRecord<string, string> record) =>
            Forward(record.WithValue($"{record.Value} @{Context.RecordMetadata?.Offset}"));
    }
    // </snippet>

    [Fact]
    public void Fixed_key()
    {
        // <snippet process-values>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").ProcessValues(() => new AddOffset()).GroupByKey().Reduce((_, last) => last).ToStream().To("out");
        // </snippet>

        using var driver = new TopologyTestDriver(builder.Build());
        driver.CreateInputTopic<string, string>("in").PipeInput("k", "v");
        Assert.Equal(["v @0"], driver.CreateOutputTopic<string, string>("out").ReadValuesToList());
        Assert.DoesNotContain(driver.ProducedTopicNames, topic => topic.EndsWith("-repartition", StringComparison.Ordinal));
    }
}
