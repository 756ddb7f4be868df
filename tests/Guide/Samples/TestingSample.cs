namespace Guide.Samples;

/// <summary>docs/guide/testing.md.</summary>
public sealed class TestingSample
{
    private static Topology WordCount() => GettingStarted.WordCount();

    [Fact]
    public void Records_in_and_out()
    {
        // <snippet driver-records>
        using var driver = new TopologyTestDriver(WordCount());
        var lines = driver.CreateInputTopic<string, string>("lines", start: DateTimeOffset.UnixEpoch, autoAdvance: TimeSpan.FromSeconds(1));

        lines.PipeInput("k", "a");                                          // at 0 s
        lines.PipeInput("k", "b");                                          // at 1 s
        lines.PipeInput("k", "a", timestamp: 5_000);                        // at 5 s
        lines.PipeInput(new TestRecord<string, string>("k", "b", headers: Headers.Empty.Add("trace", "x")));

        var counts = driver.CreateOutputTopic<string, long>("word-counts");
        Assert.Equal(new TestRecord<string, long>("a", 1, 0), counts.ReadRecord());
        Assert.Equal(new TestRecord<string, long>("b", 1, 1_000), counts.ReadRecord());
        Assert.Equal(2, counts.QueueSize);
        Assert.Equal(2, counts.ReadKeyValuesToMap()["a"]);
        Assert.True(counts.IsEmpty);
        // </snippet>
    }

    [Fact]
    public void Store_access()
    {
        // <snippet driver-stores>
        using var driver = new TopologyTestDriver(WordCount());
        driver.CreateInputTopic<string, string>("lines").PipeInput("k", "a b a");

        var counts = driver.GetKeyValueStore<string, long>("counts");
        Assert.True(counts.TryGet("a", out var count));
        Assert.Equal(2, count);

        using var all = counts.All();
        Assert.Equal(["a", "b"], all.AsEnumerable().Select(entry => entry.Key));
        // </snippet>
    }

    [Fact]
    public void Several_partitions()
    {
        // <snippet driver-partitions>
        using var driver = new TopologyTestDriver(WordCount(), options: new TopologyTestDriverOptions { PartitionsPerTopic = 4 });
        var lines = driver.CreateInputTopic<string, string>("lines");
        for (var line = 0; line < 100; line++) lines.PipeInput($"key {line}", "same words here");

        Assert.Equal(8, driver.Tasks.Count);                               // two sub-topologies on four partitions each
        Assert.Equal(100, driver.CreateOutputTopic<string, long>("word-counts").ReadKeyValuesToMap()["same"]);
        // </snippet>
    }

    // <snippet heartbeat>
    private sealed class Heartbeat : Processor<string, string, string, string>
    {
        protected override void Init() =>
            Context.Schedule(TimeSpan.FromSeconds(10), PunctuationType.WallClockTime, now => Forward(new Record<string, string>("beat", $"{now / 1000} s", now)));

        public override void Process(in Record<string, string> record)
        {
        }
    }
    // </snippet>

    [Fact]
    public void Wall_clock()
    {
        // <snippet driver-clock>
        var builder = new StreamsBuilder();
        builder.Stream<string, string>("in").Process<string, string>(() => new Heartbeat()).To("out");

        using var driver = new TopologyTestDriver(builder.Build());
        var beats = driver.CreateOutputTopic<string, string>("out");
        driver.AdvanceWallClockTime(TimeSpan.FromSeconds(10));
        driver.AdvanceWallClockTime(TimeSpan.FromSeconds(35));             // three times overdue: fires once
        Assert.Equal(["10 s", "45 s"], beats.ReadValuesToList());
        // </snippet>
    }

    [Fact]
    public void Clock_of_your_own()
    {
        // <snippet manual-clock>
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        var fired = 0;
        using var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(3, fired);
        // </snippet>
    }
}
