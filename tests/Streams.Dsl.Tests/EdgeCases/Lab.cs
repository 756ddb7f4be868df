using System.Globalization;
using Streams.Testing;

namespace Streams.Dsl.Tests.EdgeCases;

/// <summary>Runs a topology of text streams and writes its results as <c>key=value@time</c>, an absent key or value as <c>null</c>.</summary>
internal sealed class Lab : IDisposable
{
    public Lab(Action<StreamsBuilder> build, int partitions = 1, long cacheBytes = 0, bool commitEachRecord = true, TimeSpan? emitInterval = null, StoreType stores = StoreType.InMemory)
    {
        var builder = new StreamsBuilder(new StreamsBuilderOptions { DefaultStoreType = stores });
        build(builder);
        Topology = builder.Build();
        Driver = new TopologyTestDriver(
            Topology,
            new StreamsConfig { ApplicationId = "app", StateStoreCacheMaxBytes = cacheBytes, EmitInterval = emitInterval ?? TimeSpan.Zero },
            new TopologyTestDriverOptions { PartitionsPerTopic = partitions, CommitEachRecord = commitEachRecord });
    }

    public Topology Topology { get; }

    public TopologyTestDriver Driver { get; }

    public void Pipe(string topic, string? key, string? value, long timestamp) =>
        Driver.CreateInputTopic<string, string>(topic).PipeInput(key!, value!, timestamp);

    /// <summary>Moves the wall clock.</summary>
    public void Advance(int milliseconds) => Driver.AdvanceWallClockTime(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>What came out since the last look.</summary>
    public string Out(string topic = "out") => Out<string>(topic);

    public string Out<V>(string topic = "out") => Driver.ProducedTopicNames.Contains(topic)
        ? string.Join(" ", Driver.CreateOutputTopic<string, V>(topic).ReadRecordsToList().Select(record =>
            $"{(record.HasKey ? record.Key : "null")}={(record.HasValue ? Convert.ToString(record.Value, CultureInfo.InvariantCulture) : "null")}@{record.Timestamp}"))
        : "";

    public void Dispose() => Driver.Dispose();
}

internal static class LabExtensions
{
    /// <summary>Windowed results under keys <c>key[start,end]</c>.</summary>
    public static void ToOut<V>(this KTable<Windowed<string>, V> table) =>
        table.ToStream(static windowed => $"{windowed.Key}[{windowed.Window.StartMs},{windowed.Window.EndMs}]").To("out");

    public static TimeSpan Ms(this int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
