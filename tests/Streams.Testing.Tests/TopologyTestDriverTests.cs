using Streams.Core;
using Xunit;

namespace Streams.Testing.Tests;

public class TopologyTestDriverTests
{
    private static readonly Headers _headers = Headers.Empty.Add("h", "1");

    [Fact]
    public void Piped_record_comes_out_with_its_time_and_headers()
    {
        using var driver = new TopologyTestDriver(UpperCase());
        var input = driver.CreateInputTopic<string, string>("in");
        var output = driver.CreateOutputTopic<string, string>("out");

        input.PipeInput("k", "v", 42, _headers);

        Assert.Equal(new TestRecord<string, string>("k", "V", 42, _headers), output.ReadRecord());
        Assert.True(output.IsEmpty);
        Assert.Equal(["out"], driver.ProducedTopicNames);
    }

    [Fact]
    public void Record_without_time_takes_the_topics_which_advances_by_itself()
    {
        using var driver = new TopologyTestDriver(UpperCase(), null, new() { InitialWallClockTime = DateTimeOffset.FromUnixTimeMilliseconds(1000) });
        var input = driver.CreateInputTopic<string, string>("in", autoAdvance: TimeSpan.FromMilliseconds(10));
        var output = driver.CreateOutputTopic<string, string>("out");

        input.PipeValueList(["a", "b"]);
        input.AdvanceTime(TimeSpan.FromSeconds(1));
        input.PipeInput("k", "c");

        Assert.Equal([1000, 1010, 2020], output.ReadRecordsToList().Select(record => record.Timestamp!.Value));
    }

    [Fact]
    public void Tombstones_and_missing_keys_pass_through_as_absent()
    {
        using var driver = new TopologyTestDriver(PassOn());
        var input = driver.CreateInputTopic<string, string>("in");
        var output = driver.CreateOutputTopic<string, long>("out", Serdes.String, Serdes.Int64);

        input.PipeTombstone("k", 5);
        input.PipeInput((string)null!, null!, 6);

        Assert.Equal([TestRecord<string, long>.Tombstone("k", 5), TestRecord<string, long>.Tombstone(null!, 6)], output.ReadRecordsToList());
    }

    [Fact]
    public void Reading_a_tombstone_as_a_struct_is_an_error_not_a_zero()
    {
        using var driver = new TopologyTestDriver(PassOn());
        driver.CreateInputTopic<string, string>("in").PipeTombstone("k");

        Assert.Throws<InvalidOperationException>(() => driver.CreateOutputTopic<string, long>("out").ReadValue());
    }

    [Fact]
    public void Map_of_outputs_keeps_the_last_value_of_each_key()
    {
        using var driver = new TopologyTestDriver(PassOn());
        var input = driver.CreateInputTopic<string, long>("in");
        input.PipeKeyValueList([new("a", 1), new("b", 2), new("a", 3), new("c", 4)]);
        input.PipeTombstone("c");

        Assert.Equal(new Dictionary<string, long> { ["a"] = 3, ["b"] = 2 }, driver.CreateOutputTopic<string, long>("out").ReadKeyValuesToMap());
    }

    [Fact]
    public void Unknown_topics_are_named_with_the_known_ones()
    {
        using var driver = new TopologyTestDriver(UpperCase());

        var input = Assert.Throws<ArgumentException>(() => driver.CreateInputTopic<string, string>("inn"));
        var output = Assert.Throws<ArgumentException>(() => driver.CreateOutputTopic<string, string>("outt"));

        Assert.Contains("'inn'", input.Message, StringComparison.Ordinal);
        Assert.Contains("read: in.", input.Message, StringComparison.Ordinal);
        Assert.Contains("'outt'", output.Message, StringComparison.Ordinal);
        Assert.Contains("written: out.", output.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_past_the_end_says_what_was_written()
    {
        using var driver = new TopologyTestDriver(UpperCase());

        var failure = Assert.Throws<InvalidOperationException>(() => driver.CreateOutputTopic<string, string>("out").ReadValue());

        Assert.Contains("written to: none", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_topology_writes_to_its_own_topics_is_read_again()
    {
        var topology = new Topology()
            .AddSource("source", Strings.Source, "in")
            .AddProcessor("words", Mapper.OfStrings(record => record.Value.Split(' ').Select(word => record.WithKey(word).WithValue(word))), "source")
            .AddSink("to-middle", "middle", Strings.Sink, "words")
            .AddSource("from-middle", Strings.Source, "middle")
            .AddProcessor("tag", Mapper.OfStrings(record => [record.WithValue(record.Value + "!")]), "from-middle")
            .AddSink("to-out", "out", Strings.Sink, "tag");
        using var driver = new TopologyTestDriver(topology);

        driver.CreateInputTopic<string, string>("in").PipeInput("k", "a b a");

        Assert.Equal(["a!", "b!", "a!"], driver.CreateOutputTopic<string, string>("out").ReadValuesToList());
        Assert.Equal(3, driver.CreateOutputTopic<string, string>("middle").QueueSize);
        Assert.Equal(4, driver.ProcessedRecords);
    }

    [Fact]
    public void Several_partitions_place_records_by_the_hash_of_their_key()
    {
        var places = new List<string>();
        var topology = new Topology()
            .AddSource("source", Strings.Source, "in")
            .AddProcessor("where", () => new Placer(places), "source");
        using var driver = new TopologyTestDriver(topology, null, new() { Partitions = new Dictionary<string, int> { ["in"] = 4 } });
        var input = driver.CreateInputTopic<string, string>("in");

        foreach (var key in (string[])["a", "b", "c", "d"]) input.PipeInput(key, "v");
        input.PipeInput(new TestRecord<string, string>("a", "v"), partition: 3);

        Assert.Equal(["0_0", "0_1", "0_2", "0_3"], driver.Tasks.Select(task => task.ToString()));
        Assert.Equal(
            [.. ((string[])["a", "b", "c", "d"]).Select(key => $"{key} in 0_{Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(key), 4)}"), "a in 0_3"],
            places);
        Assert.Throws<ArgumentOutOfRangeException>(() => input.PipeInput(new TestRecord<string, string>("a", "v"), partition: 4));
    }

    [Fact]
    public void Records_of_a_repartition_topic_reach_the_task_of_their_partition()
    {
        var places = new List<string>();
        var topology = new Topology()
            .AddSource("source", Strings.Source, "in")
            .AddProcessor("key", Mapper.OfStrings(record => [record.WithKey(record.Value)]), "source")
            .AddSink("to-middle", "middle", Strings.Sink, "key")
            .AddSource("from-middle", Strings.Source, "middle")
            .AddProcessor("where", () => new Placer(places), "from-middle");
        topology.AddInternalTopic("middle");
        using var driver = new TopologyTestDriver(topology, new() { ApplicationId = "app" }, new() { PartitionsPerTopic = 3 });

        driver.CreateInputTopic<string, string>("in").PipeValueList(["x", "y", "z", "w"]);

        Assert.Equal(6, driver.Tasks.Count);
        Assert.Equal(
            ((string[])["x", "y", "z", "w"]).Select(key => $"{key} in 1_{Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(key), 3)}"),
            places);
        Assert.Equal(["app-middle"], driver.ProducedTopicNames);
    }

    [Fact]
    public void Stream_time_callback_fires_once_for_missed_intervals_and_keeps_its_phase()
    {
        var fired = new List<long>();
        using var driver = new TopologyTestDriver(Ticking(PunctuationType.StreamTime, TimeSpan.FromSeconds(10), (now, _) => fired.Add(now)));
        var input = driver.CreateInputTopic<string, string>("in");

        foreach (var seconds in (int[])[25, 29, 30, 75, 79, 80]) input.PipeInput("k", "v", seconds * 1000L);

        Assert.Equal([25_000, 30_000, 75_000, 80_000], fired);
    }

    [Fact]
    public void Wall_clock_callback_fires_once_for_missed_intervals_and_keeps_its_phase()
    {
        var fired = new List<long>();
        var topology = Ticking(PunctuationType.WallClockTime, TimeSpan.FromSeconds(10), (now, record) =>
        {
            Assert.Null(record);
            fired.Add(now / 1000);
        });
        using var driver = new TopologyTestDriver(topology);

        foreach (var seconds in (int[])[9, 1, 25, 4, 1]) driver.AdvanceWallClockTime(TimeSpan.FromSeconds(seconds));

        Assert.Equal([10, 35, 40], fired);
        Assert.Equal([10_000, 35_000, 40_000], driver.CreateOutputTopic<string, string>("out").ReadRecordsToList().Select(tick => tick.Timestamp!.Value));
    }

    [Fact]
    public void Failure_comes_out_of_the_call_and_ends_processing()
    {
        var topology = new Topology()
            .AddSource("source", Strings.Source, "in")
            .AddProcessor("fails", Mapper.OfStrings(_ => throw new FormatException("no good")), "source");
        using var driver = new TopologyTestDriver(topology);
        var input = driver.CreateInputTopic<string, string>("in");

        var failure = Assert.Throws<ProcessorException>(() => input.PipeInput("k", "v"));

        Assert.Equal("fails", failure.NodeName);
        Assert.Equal(new RecordMetadata("in", 0, 0), failure.Record);
        Assert.Same(failure, Assert.Throws<InvalidOperationException>(() => input.PipeInput("k", "v")).InnerException);
    }

    [Fact]
    public void Failure_handler_of_the_settings_is_asked_and_the_dropped_record_counted()
    {
        var topology = new Topology()
            .AddSource("source", Strings.Source, "in")
            .AddProcessor("fails", Mapper.OfStrings(record => record.Value == "bad" ? throw new FormatException() : [record]), "source")
            .AddSink("sink", "out", Strings.Sink, "fails");
        using var driver = new TopologyTestDriver(
            topology, new() { ApplicationId = "app", ProcessingExceptionHandler = (_, _) => ErrorResponse.Continue });

        driver.CreateInputTopic<string, string>("in").PipeValueList(["a", "bad", "b"]);

        Assert.Equal(["a", "b"], driver.CreateOutputTopic<string, string>("out").ReadValuesToList());
        Assert.Equal(1, driver.DroppedRecords);
    }

    [Fact]
    public void Pattern_source_takes_topics_as_they_come()
    {
        var topology = new Topology()
            .AddSource("source", Strings.Source, new System.Text.RegularExpressions.Regex("in-.*"))
            .AddSink("sink", "out", Strings.Sink, "source");
        foreach (var options in (TopologyTestDriverOptions[])[new(), new() { PartitionsPerTopic = 2 }])
        {
            using var driver = new TopologyTestDriver(topology, null, options);
            driver.CreateInputTopic<string, string>("in-1").PipeInput("a", "1");
            driver.CreateInputTopic<string, string>("in-2").PipeInput("b", "2");

            Assert.Equal(["1", "2"], driver.CreateOutputTopic<string, string>("out").ReadValuesToList());
            Assert.Throws<ArgumentException>(() => driver.CreateInputTopic<string, string>("other-in-1"));
        }
    }

    [Fact]
    public void Disposed_driver_refuses_records()
    {
        var driver = new TopologyTestDriver(UpperCase());
        var input = driver.CreateInputTopic<string, string>("in");
        driver.Dispose();
        driver.Dispose();

        Assert.Throws<ObjectDisposedException>(() => input.PipeInput("k", "v"));
    }

    private static Topology UpperCase() => new Topology()
        .AddSource("source", Strings.Source, "in")
        .AddProcessor("upper", Mapper.OfStrings(record => [record.WithValue(record.Value.ToUpperInvariant())]), "source")
        .AddSink("sink", "out", Strings.Sink, "upper");

    private static Topology PassOn() => new Topology()
        .AddSource("source", new SourceOptions<byte[], byte[]> { KeyDeserializer = Serdes.ByteArray, ValueDeserializer = Serdes.ByteArray }, "in")
        .AddSink("sink", "out", new SinkOptions<byte[], byte[]> { KeySerializer = Serdes.ByteArray, ValueSerializer = Serdes.ByteArray }, "source");

    private static Topology Ticking(PunctuationType type, TimeSpan every, Action<long, RecordMetadata?> fired) => new Topology()
        .AddSource("source", Strings.Source, "in")
        .AddProcessor("ticker", () => new Ticker(type, every, fired), "source")
        .AddSink("sink", "out", Strings.Sink, "ticker");

    private sealed class Placer(List<string> places) : Processor<string, string>
    {
        public override void Process(in Record<string, string> record) => places.Add($"{record.Key} in {Context.TaskId}");
    }
}
