using Streams.Testing;

namespace Streams.Dsl.Tests;

/// <summary>One topology, one input topic "in" and one output topic "out".</summary>
internal sealed class DslTest : IDisposable
{
    private DslTest(TopologyTestDriver driver) => Driver = driver;

    public TopologyTestDriver Driver { get; }

    /// <summary>A stream of strings through an operator.</summary>
    public static DslTest Stream<KR, VR>(Func<KStream<string, string>, KStream<KR, VR>> operate)
    {
        var builder = new StreamsBuilder();
        operate(builder.Stream<string, string>("in")).To("out");
        return new DslTest(new TopologyTestDriver(builder.Build()));
    }

    /// <summary>The changes of a table of longs, deletions included, through an operator.</summary>
    public static DslTest Changes<KR, VR>(Func<KStream<string, long>, KStream<KR, VR>> operate)
    {
        var builder = new StreamsBuilder();
        operate(builder.Table<string, long>("in").ToStream()).To("out");
        return new DslTest(new TopologyTestDriver(builder.Build()));
    }

    public static DslTest Of(Action<StreamsBuilder> write, StreamsBuilderOptions? options = null, TopologyTestDriverOptions? driverOptions = null)
    {
        var builder = new StreamsBuilder(options);
        write(builder);
        return new DslTest(new TopologyTestDriver(builder.Build(), options: driverOptions));
    }

    public DslTest Pipe(string? key, string? value, long timestamp = 0, string topic = "in")
    {
        Driver.CreateInputTopic<string, string>(topic).PipeInput(key!, value!, timestamp);
        return this;
    }

    public DslTest Put(string key, long value, long timestamp = 0, string topic = "in")
    {
        Driver.CreateInputTopic<string, long>(topic).PipeInput(key, value, timestamp);
        return this;
    }

    public DslTest Delete(string key, long timestamp = 0, string topic = "in")
    {
        Driver.CreateInputTopic<string, long>(topic).PipeTombstone(key, timestamp);
        return this;
    }

    /// <summary>What came out so far, as <c>key=value@timestamp</c>, with <c>-</c> for what is absent.</summary>
    public IReadOnlyList<string> Out<K, V>(string topic = "out") =>
        [.. Driver.CreateOutputTopic<K, V>(topic).ReadRecordsToList().Select(record =>
            $"{(record.HasKey ? record.Key : "-")}={(record.HasValue ? record.Value : "-")}@{record.Timestamp}")];

    public IReadOnlyList<string> Out() => Out<string, string>();

    public void Dispose() => Driver.Dispose();
}
